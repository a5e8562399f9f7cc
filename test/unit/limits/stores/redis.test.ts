import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { giveBack, noCounters, renew, reserve, type Counters } from '../../../../src/limits/counters.ts';
import { StoreError, type CounterStore, type Demand, type Grant } from '../../../../src/limits/store.ts';
import { MemoryStore } from '../../../../src/limits/stores/memory.ts';
import { RedisStore } from '../../../../src/limits/stores/redis.ts';
import { parseStoreAddress, type StoreAddress } from '../../../../src/model/store-address.ts';
import { remote } from '../../../support/remote.ts';
import { TestCa } from '../../../support/certificates.ts';
import { freePort } from '../../../support/parents.ts';
import { startRedis, startRedisCluster, type TestRedis } from '../../../support/redis.ts';
import { until } from '../../../support/until.ts';

let redis: TestRedis;
let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
beforeAll(async () => {
  redis = await startRedis();
  cluster = await startRedisCluster();
}, 30_000);
afterAll(() => Promise.all([redis.close(), cluster.close()]));

const opened: CounterStore[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await redis.command('FLUSHALL');
  await cluster.flush();
});

async function store(
  url = redis.url,
  clock?: () => number,
  timeout = 2000,
  ca: readonly string[] = [],
): Promise<RedisStore> {
  const trust = createSecureContext({ ca: [...ca] });
  const options = { address: parseStoreAddress(url) as StoreAddress, timeout, trust, onState: () => undefined };
  const made = new RedisStore(clock === undefined ? options : { ...options, clock });
  opened.push(made);
  await made.whenReady();
  return made;
}

const event = (limit: number, window = 60_000, key = '{a}/event'): Demand => ({
  kind: 'event',
  key: `${key}/${window}`,
  limit,
  window,
});
const amount = (limit: number, bytes: number, least = 1, key = '{a}/amount'): Demand => ({
  kind: 'amount',
  key: `${key}/60000`,
  limit,
  window: 60_000,
  amount: bytes,
  least,
  group: 'upload',
});
const member = (limit: number, name: string): Demand => ({
  kind: 'member',
  key: '{a}/hosts/60000',
  limit,
  window: 60_000,
  member: name,
});
const place = (limit: number): Demand => ({ kind: 'place', key: '{a}/live', limit, lifetime: 60_000 });

describe.each<[string, (clock: () => number) => Promise<CounterStore>]>([
  ['the memory store', (clock) => Promise.resolve(new MemoryStore({ clock, journal: null }))],
  [
    'the memory store of another process',
    (clock) => Promise.resolve(remote(new MemoryStore({ clock, journal: null }))),
  ],
  ['the Redis store', (clock) => store(redis.url, clock)],
  ['the store in a Redis Cluster of three', (clock) => store(cluster.url, clock)],
])('%s keeps the contract:', (_name, open) => {
  const at = 1_700_000_000_000;
  let now = at;
  const opening = (): Promise<CounterStore> => {
    now = at;
    return open(() => now);
  };

  it('N events in a window and not one more, with the time to wait', async () => {
    const counters = await opening();
    for (let i = 0; i < 3; i++) {
      expect((await counters.reserve(`r${i}`, [event(3)])).ok).toBe(true);
      now += 1000;
    }
    expect(await counters.reserve('r3', [event(3)])).toMatchObject({ ok: false, left: 0, wait: 57_000 });
    now += 56_999;
    expect((await counters.reserve('r3', [event(3)])).ok).toBe(false);
    now += 1;
    expect((await counters.reserve('r3', [event(3)])).ok).toBe(true);
  });

  it('all or nothing: what one limit refuses, no other counts', async () => {
    const counters = await opening();
    const none = event(1, 60_000, '{a}/full');
    await counters.reserve('first', [none]);
    for (let i = 0; i < 5; i++) {
      const refused = await counters.reserve(`r${i}`, [event(2), amount(100, 10), member(2, 'h'), place(2), none]);
      expect(refused).toMatchObject({ ok: false, demand: none });
    }
    const given = await counters.reserve('last', [event(2), amount(100, 100, 100), member(2, 'h'), place(2)]);
    expect(given.ok).toBe(true);
  });

  it('gives what there is of bytes, the same to every limit they count for', async () => {
    const counters = await opening();
    const small = amount(50, 80, 1, '{a}/small');
    const given = await counters.reserve('r0', [amount(1000, 80), small]);
    expect(given.ok && given.grants.map((grant) => grant.amount)).toEqual([50, 50]);
    expect(await counters.reserve('r1', [amount(1000, 80), small])).toMatchObject({
      ok: false,
      demand: small,
      left: 0,
    });
    expect((await counters.reserve('r2', [amount(1000, 950, 950)])).ok).toBe(true);
  });

  it('takes back exactly what is returned', async () => {
    const counters = await opening();
    const demands = [event(1), event(5000, 60_000, '{a}/many'), amount(100, 100), member(1, 'h'), place(1)];
    const given = await counters.reserve('r0', demands);
    if (!given.ok) throw new Error('refused');
    expect((await counters.reserve('r1', demands)).ok).toBe(false);
    await counters.giveBack(
      'r0',
      given.grants.map((grant) => ({ grant, amount: grant.demand.kind === 'amount' ? 40 : grant.amount })),
    );
    expect(await counters.reserve('r1', [event(1), amount(100, 100, 40), member(1, 'other'), place(1)])).toMatchObject({
      ok: true,
      grants: [{ amount: 1 }, { amount: 40 }, { amount: 1 }, { amount: 1 }],
    });
  });

  it('counts what was used beyond what was given, even beyond the limit', async () => {
    const counters = await opening();
    const some = amount(1000, 0);
    const given = await counters.reserve('r0', [some]);
    if (!given.ok) throw new Error('refused');
    await counters.giveBack('r0', [{ grant: given.grants[0] as Grant, amount: -1500 }]);
    expect(await counters.reserve('r1', [some])).toMatchObject({ ok: false, left: 0 });
  });

  it('knows a member it has seen, and returns it to what it was', async () => {
    const counters = await opening();
    await counters.reserve('r0', [member(1, 'h')]);
    now += 30_000;
    const again = await counters.reserve('r1', [member(1, 'h')]);
    expect(again.ok).toBe(true);
    if (again.ok) await counters.giveBack('r1', [{ grant: again.grants[0] as Grant, amount: 1 }]);
    now += 30_000;
    expect((await counters.reserve('r2', [member(1, 'other')])).ok).toBe(true);
  });

  it('frees places whose gate is gone, and keeps those that are spoken up for', async () => {
    const counters = await opening();
    await counters.reserve('lost', [place(2)]);
    await counters.reserve('kept', [place(2)]);
    now += 40_000;
    await counters.renew('kept', [place(2)]);
    expect((await counters.reserve('r2', [place(2)])).ok).toBe(false);
    now += 20_000;
    expect((await counters.reserve('r2', [place(2)])).ok).toBe(true);
    expect((await counters.reserve('r3', [place(2)])).ok).toBe(false);
  });
});

/** Something a gate might do: at a time, with some of a few limits. */
const steps = fc.array(
  fc.record({
    wait: fc.oneof(fc.nat(50), fc.nat(20_000)),
    what: fc.subarray(['few', 'many', 'bytes', 'both', 'host', 'place'] as const, { minLength: 1 }),
    bytes: fc.integer({ min: 1, max: 3000 }),
    least: fc.integer({ min: 0, max: 500 }),
    host: fc.constantFrom(...'abcd'),
    after: fc.constantFrom('keep', 'keep', 'return', 'renew'),
  }),
  { minLength: 1, maxLength: 25 },
);

describe('the arithmetic in Lua and in TypeScript', () => {
  it('gives the same answers to the same questions at the same times', async () => {
    let now = 0;
    const shared = await store(redis.url, () => now);
    let run = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const counters: Counters = noCounters();
        const tag = `{run${run++}}`;
        now = 1_700_000_000_000;
        for (const [index, step] of all.entries()) {
          now += step.wait;
          const id = `r${index}`;
          const of: Record<(typeof step.what)[number], Demand[]> = {
            few: [{ kind: 'event', key: `${tag}/few`, limit: 4, window: 30_000 }],
            many: [{ kind: 'event', key: `${tag}/many`, limit: 1001, window: 30_000 }],
            bytes: [
              {
                kind: 'amount',
                key: `${tag}/bytes`,
                limit: 9001,
                window: 45_000,
                amount: step.bytes,
                least: Math.min(step.least, step.bytes),
                group: 'd',
              },
            ],
            both: [
              {
                kind: 'amount',
                key: `${tag}/both`,
                limit: 5003,
                window: 10_007,
                amount: step.bytes,
                least: 1,
                group: 'd',
              },
            ],
            host: [{ kind: 'member', key: `${tag}/host`, limit: 2, window: 20_000, member: step.host }],
            place: [{ kind: 'place', key: `${tag}/place`, limit: 2, lifetime: 15_000 }],
          };
          const demands = step.what.flatMap((each) => of[each]);
          const mine = reserve(counters, now, id, demands);
          const theirs = await shared.reserve(id, demands);
          expect(theirs).toEqual(mine);
          if (mine.ok && step.after === 'return') {
            const returns = mine.grants
              .filter((grant) => grant.amount > 0)
              .map((grant) => ({ grant, amount: Math.ceil(grant.amount / 2) }));
            giveBack(counters, id, returns);
            await shared.giveBack(id, returns);
          }
          if (mine.ok && step.after === 'renew') {
            renew(counters, now, id, demands);
            await shared.renew(id, demands);
          }
        }
      }),
      { numRuns: 120 },
    );
  }, 60_000);
});

describe('RedisStore', () => {
  it('goes by the clock of Redis: gates whose clocks differ count the same window', async () => {
    const a = await store();
    const b = await store();
    expect((await a.reserve('a1', [event(2)])).ok).toBe(true);
    expect((await b.reserve('b1', [event(2)])).ok).toBe(true);
    expect(await a.reserve('a2', [event(2)])).toMatchObject({ ok: false });
  });

  it('never admits more than the limit, however many ask at once', async () => {
    const stores = await Promise.all([store(), store(), store()]);
    const answers = await Promise.all(
      Array.from({ length: 600 }, (_, index) => (stores[index % 3] as RedisStore).reserve(`r${index}`, [event(100)])),
    );
    expect(answers.filter(({ ok }) => ok).length).toBe(100);
  });

  it('lets keys go when nobody needs them any more', async () => {
    const counters = await store();
    await counters.reserve('r', [event(5), amount(10, 5), member(2, 'h'), place(2)]);
    for (const key of ['{a}/event/60000', '{a}/amount/60000', '{a}/hosts/60000', '{a}/live'])
      expect(await redis.command('PTTL', `sallyport:${key}`)).toMatch(/^:1[12]\d{4}\r/);
  });

  it('loads its scripts again where Redis has forgotten them', async () => {
    const counters = await store();
    await counters.reserve('r0', [event(5)]);
    await redis.command('SCRIPT', 'FLUSH');
    expect((await counters.reserve('r1', [event(5)])).ok).toBe(true);
  });

  it('rejects while Redis is gone, and answers when it is back, with nothing counted twice', async () => {
    const mortal = await startRedis();
    opened.push({ close: () => mortal.close() } as CounterStore);
    const counters = await store(mortal.url);
    await counters.reserve('r0', [event(5)]);
    await mortal.kill();
    await expect(counters.reserve('r1', [event(5)])).rejects.toThrow(StoreError);
    await mortal.restart();
    let back = false;
    await until(() => {
      counters.reserve('r2', [event(5)]).then(
        () => (back = true),
        () => undefined,
      );
      return back;
    }, 'the store to be back');
    const count = Number(/^:(\d+)/.exec(await mortal.command('ZCARD', 'sallyport:{a}/event/60000'))?.[1]);
    expect(count).toBe(1);
  });

  it('rejects in time while Redis is paused', async () => {
    const mortal = await startRedis();
    opened.push({ close: () => mortal.close() } as CounterStore);
    const counters = await store(mortal.url, undefined, 200);
    mortal.signal('SIGSTOP');
    await expect(counters.reserve('r1', [event(5)])).rejects.toThrow(StoreError);
    mortal.signal('SIGCONT');
    let back = false;
    await until(() => {
      counters.reserve('r2', [event(5)]).then(
        () => (back = true),
        () => undefined,
      );
      return back;
    }, 'the store to be back');
  });

  it.each([
    ['read-only', ['CONFIG', 'SET', 'min-replicas-to-write', '1']],
    ['full', ['CONFIG', 'SET', 'maxmemory', '1']],
  ])('rejects while Redis is %s, and answers when it no longer is', async (_what, words) => {
    const mortal = await startRedis();
    opened.push({ close: () => mortal.close() } as CounterStore);
    const counters = await store(mortal.url);
    expect(await mortal.command(...words)).toBe('+OK\r\n');
    await expect(counters.reserve('r1', [event(5)])).rejects.toThrow(StoreError);
    expect(await mortal.command(...words.slice(0, 3), '0')).toBe('+OK\r\n');
    expect((await counters.reserve('r2', [event(5)])).ok).toBe(true);
  });

  it('proves itself as an ACL user with rights to its own keys alone', async () => {
    const password = ['pass', 'word'].join('-');
    await redis.command(
      'ACL',
      'SETUSER',
      'gate',
      'on',
      `>${password}`,
      '~sallyport:*',
      '+@all',
      '-@dangerous',
      '+info',
      '+cluster',
    );
    const counters = await store(`redis://gate:${password}@127.0.0.1:${redis.port}`);
    expect((await counters.reserve('r0', [event(5)])).ok).toBe(true);
    await redis.command('ACL', 'SETUSER', 'gate', 'resetkeys');
    await expect(counters.reserve('r1', [event(5)])).rejects.toThrow(StoreError);
    await redis.command('ACL', 'DELUSER', 'gate');
  });

  it('keeps the keys of one request in one slot of a Cluster, and those of tenants apart', async () => {
    const counters = await store(cluster.url);
    const of = (tag: string): Demand[] => [event(5, 60_000, `{${tag}}/a`), amount(100, 10, 1, `{${tag}}/b`)];
    for (const tag of ['tenant/x', 'tenant/y', 'agent/z', 'agent/w'])
      expect((await counters.reserve(`r-${tag}`, of(tag))).ok).toBe(true);
    await expect(counters.reserve('r', [event(5, 60_000, '{one}/a'), event(5, 60_000, '{two}/a')])).rejects.toThrow(
      StoreError,
    );
  });

  it('speaks TLS to a server whose certificate it can verify, and to no other', async () => {
    const ca = await TestCa.create();
    const { certificate, key } = await ca.leaf(['127.0.0.1']);
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-redis-tls-'));
    for (const [name, text] of Object.entries({ 'cert.pem': certificate, 'key.pem': key, 'ca.pem': ca.certificate }))
      writeFileSync(join(folder, name), text);
    const port = await freePort();
    const secure = await startRedis([
      `tls-port ${port}`,
      ...['cert', 'key', 'ca-cert'].map(
        (what) => `tls-${what}-file ${join(folder, what === 'ca-cert' ? 'ca.pem' : `${what}.pem`)}`,
      ),
      'tls-auth-clients no',
    ]);
    opened.push({ close: () => secure.close() } as CounterStore);
    const trusting = await store(`rediss://127.0.0.1:${port}`, undefined, 2000, [ca.certificate]);
    expect((await trusting.reserve('r0', [event(5)])).ok).toBe(true);
    const wary = await store(`rediss://127.0.0.1:${port}`, undefined, 300);
    await expect(wary.reserve('r1', [event(5)])).rejects.toThrow(StoreError);
    rmSync(folder, { recursive: true });
  });

  it('follows Sentinel to the server that takes over', async () => {
    const primary = await startRedis();
    const replica = await startRedis([`replicaof 127.0.0.1 ${primary.port}`]);
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-sentinel-'));
    const port = await freePort();
    const lines = [
      'bind 127.0.0.1',
      `port ${port}`,
      `dir ${folder}`,
      `sentinel monitor main 127.0.0.1 ${primary.port} 1`,
      'sentinel down-after-milliseconds main 300',
      'sentinel failover-timeout main 3000',
    ];
    writeFileSync(join(folder, 'sentinel.conf'), lines.join('\n'));
    const sentinel = spawn('redis-server', [join(folder, 'sentinel.conf'), '--sentinel'], { stdio: 'ignore' });
    const gone = new Promise((resolve) => sentinel.once('exit', resolve));
    const ask = (...words: string[]): string => {
      try {
        return execFileSync('redis-cli', ['-p', String(port), ...words], { encoding: 'utf8', stdio: 'pipe' });
      } catch {
        return '';
      }
    };
    await until(() => ask('SENTINEL', 'REPLICAS', 'main').includes(String(replica.port)), 'Sentinel to know both');
    const counters = await store(`redis+sentinel://127.0.0.1:${port}/main`);
    expect((await counters.reserve('r0', [event(2)])).ok).toBe(true);
    await until(
      () => execFileSync('redis-cli', ['-p', String(replica.port), 'DBSIZE'], { encoding: 'utf8' }).startsWith('1'),
      'the copy',
    );
    await primary.kill();
    const answers: boolean[] = [];
    await until(
      () => {
        counters.reserve('again', [event(2)]).then(
          ({ ok }) => answers.push(ok),
          () => undefined,
        );
        return answers.length > 0;
      },
      'the replica to take over',
      40_000,
    );
    await counters.reserve('r2', [event(2)]);
    expect((await counters.reserve('r3', [event(2)])).ok).toBe(false);
    sentinel.kill('SIGKILL');
    await gone;
    await replica.close();
    await primary.close();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);
});
