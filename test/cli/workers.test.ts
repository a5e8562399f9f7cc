import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GENESIS } from '../../src/audit/chain.ts';
import { verifySegment } from '../../src/audit/verify.ts';
import { RawClient, answered } from '../support/client.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { PROGRAM, killPrograms, startProgram, type Program } from '../support/program.ts';
import { eventually, until } from '../support/until.ts';

const TOKEN = ['workers', 'test', 'token'].join('-');
const HASH = execFileSync(process.execPath, [
  '-p',
  `require('node:crypto').createHash('sha256').update('${TOKEN}').digest('hex')`,
])
  .toString()
  .trim();
const LOGIN = `Proxy-Authorization: Basic ${Buffer.from(`bot:${TOKEN}`).toString('base64')}\r\n`;
const rules = (more = ''): string => `version: 1
agents:
  bot: { identity: { token: "sha256:${HASH}" }, allow: ["GET http://api.test/**"]${more} }
`;

const folder = mkdtempSync(join(tmpdir(), 'sallyport-workers-'));
let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin({
    streaming: (request, response) => {
      response.write('first');
      if (!request.url?.startsWith('/stream')) response.end();
    },
  });
});
afterAll(async () => {
  killPrograms();
  await origin.close();
  rmSync(folder, { recursive: true, force: true });
});

const opened: Program[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.signal('SIGKILL');
});

let homes = 0;
async function gateOf(workers: number, more = '', words: readonly string[] = [], home?: string): Promise<Program> {
  const pins = `--upstream-pin=api.test:80=127.0.0.1:${origin.port}`;
  const at = home ?? join(folder, `home-${++homes}`);
  const program = await startProgram(at, rules(more), [`--workers=${workers}`, pins, ...words]);
  opened.push(program);
  return program;
}

const url = (path: string): string => `http://api.test${path}`;
const statusOf = async (gate: Program, path = '/x', fields = LOGIN): Promise<number> =>
  (await gate.get(url(path), fields)).status;
const reasonOf = async (gate: Program, path = '/x', fields = LOGIN): Promise<string | null> =>
  (await gate.get(url(path), fields)).reason;

/** An answer that has begun and does not end. */
async function stream(gate: Program, path = '/stream', fields = LOGIN): Promise<RawClient> {
  const client = await gate.dial();
  client.send(`GET ${url(path)} HTTP/1.1\r\nHost: api.test\r\n${fields}\r\n`);
  await client.see('first');
  return client;
}

const childrenOf = (gate: Program): number[] =>
  readFileSync(`/proc/${gate.child.pid ?? 0}/task/${gate.child.pid ?? 0}/children`, 'utf8')
    .trim()
    .split(' ')
    .map(Number);

const events = (gate: Program): Array<Record<string, unknown>> =>
  gate
    .segments()
    .flatMap(({ text }) => text.split('\n'))
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

const metric = async (gate: Program, name: string): Promise<number> => {
  const { text } = await gate.ask('GET', '/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

/** Each lane is a chain of its own, torn at most where the next segment says it is. */
function verifyLanes(gate: Program): void {
  const lanes = new Map<string, string[]>();
  for (const { name, text } of gate.segments()) {
    const lane = /-w\d+-/.exec(name)?.[0] ?? 'first';
    lanes.set(lane, [...(lanes.get(lane) ?? []), text]);
  }
  expect(lanes.size).toBeGreaterThan(2);
  for (const texts of lanes.values()) {
    let previous = GENESIS;
    for (const text of texts) {
      const verified = verifySegment(text, previous);
      expect(verified.problem ?? '').toMatch(/^$|bytes behind the last seal/);
      previous = verified.last;
    }
  }
}

describe('a gate of several workers', () => {
  it('counts limits once for all of them, and shows one set of metrics', async () => {
    const gate = await gateOf(3, ', limits: { requests: 7/minute }');
    expect(childrenOf(gate)).toHaveLength(3);
    const statuses = await Promise.all(Array.from({ length: 20 }, (_, i) => statusOf(gate, `/${i}`)));
    expect(statuses.filter((status) => status === 200)).toHaveLength(7);
    expect(statuses.filter((status) => status === 429)).toHaveLength(13);
    expect(await metric(gate, 'sallyport_requests_total{agent="bot",decision="allow"')).toBe(7);
    expect(await metric(gate, 'sallyport_requests_total{agent="bot",decision="deny",reason="rate-exceeded"')).toBe(13);
    expect(await metric(gate, 'sallyport_workers{state="ready"}')).toBe(3);
    const instances = new Set(events(gate).map(({ exchange }) => /^(.*)-\d+$/.exec(String(exchange))?.[1]));
    expect(instances.size).toBeGreaterThan(3);
    gate.signal('SIGTERM');
    expect(await gate.ended()).toBe(0);
    verifyLanes(gate);
    const again = await gateOf(2, ', limits: { requests: 7/minute }', [], gate.home);
    expect(await statusOf(again)).toBe(429);
  });

  it('stops and revives on all of them at once, and a new worker begins stopped', async () => {
    const gate = await gateOf(2);
    const clients = await Promise.all(Array.from({ length: 6 }, () => stream(gate)));
    const what = { kind: 'agent', name: 'bot', reason: 'a test', by: 'test' };
    expect((await gate.ask('POST', '/kill', what)).status).toBe(200);
    for (const client of clients) await client.gone();
    for (const child of childrenOf(gate)) process.kill(child, 'SIGKILL');
    await eventually(async () => (await metric(gate, 'sallyport_worker_deaths_total')) === 2, 'the deaths to be seen');
    await eventually(async () => (await metric(gate, 'sallyport_workers{state="ready"}')) === 2, 'two new workers');
    for (let i = 0; i < 4; i++) expect(await reasonOf(gate)).toBe('halted');
    expect((await gate.ask('POST', '/revive', what)).status).toBe(200);
    await eventually(async () => (await reasonOf(gate)) === null, 'the revival');
    for (let i = 0; i < 4; i++) expect(await reasonOf(gate)).toBeNull();
    expect(events(gate).filter(({ kind }) => kind === 'halt')).toHaveLength(2);
  });

  it('is halted by SIGUSR1, to whichever of its processes', async () => {
    const gate = await gateOf(2);
    process.kill(childrenOf(gate)[1] as number, 'SIGUSR1');
    await eventually(async () => (await reasonOf(gate)) === 'halted', 'everything to be halted');
    for (let i = 0; i < 3; i++) expect(await reasonOf(gate)).toBe('halted');
  });

  it('contains an agent by what all workers have seen of it', async () => {
    const gate = await gateOf(2, ', quarantine: { denials: 6/minute, for: 1h }');
    for (let i = 0; i < 5; i++) {
      const client = await gate.get('http://strange.test/', LOGIN);
      expect(client.reason).toBe('host-not-allowed');
    }
    expect(await reasonOf(gate)).toBeNull();
    await gate.get('http://strange.test/', LOGIN);
    await eventually(async () => (await reasonOf(gate)) === 'quarantined', 'the quarantine');
    for (let i = 0; i < 3; i++) expect(await reasonOf(gate)).toBe('quarantined');
  });

  it('takes its sessions on all of them, ends them on all of them, and lists those that were used', async () => {
    const gate = await gateOf(2);
    const made = async (ttl: string): Promise<string> => {
      const { text } = await gate.ask('POST', '/sessions', { agent: 'bot', ttl, by: 'test' });
      const { token } = JSON.parse(text) as { token: string };
      return `Proxy-Authorization: Basic ${Buffer.from(`bot:${token}`).toString('base64')}\r\n`;
    };
    const short = await made('2s');
    const clients = await Promise.all(Array.from({ length: 4 }, () => stream(gate, '/stream', short)));
    for (const client of clients) await client.gone();
    for (let i = 0; i < 3; i++) expect(await reasonOf(gate, '/x', short)).toBe('session-expired');
    const long = await made('1h');
    const others = await Promise.all(Array.from({ length: 4 }, () => stream(gate, '/stream', long)));
    expect(JSON.parse((await gate.ask('GET', '/sessions')).text)).toHaveLength(1);
    expect((await gate.ask('POST', '/sessions/keys/revoke-all', { by: 'test' })).status).toBe(200);
    for (const client of others) await client.gone();
    for (let i = 0; i < 3; i++) expect(await reasonOf(gate, '/x', long)).toBe('agent-unknown');
    const expired = events(gate).filter(({ kind, action }) => kind === 'session' && action === 'expired');
    expect(expired).toHaveLength(1);
  });
});

describe('a worker that dies', () => {
  it('is replaced; what it had under way is on record as interrupted, takes no place any more, and counts no less', async () => {
    const gate = await gateOf(2, ', limits: { concurrency: 4 }', ['--drain=1s']);
    const clients = await Promise.all(Array.from({ length: 4 }, (_, i) => stream(gate, `/stream-${i}`)));
    expect(await reasonOf(gate)).toBe('rate-exceeded');
    const before = await metric(gate, 'sallyport_requests_total');
    const [first] = childrenOf(gate);
    process.kill(first as number, 'SIGKILL');
    const cut = (): number => clients.filter((client) => client.closed || client.ended).length;
    const called = (): number => events(gate).filter(({ kind }) => kind === 'interrupted').length;
    await until(() => called() > 0 && called() === cut(), 'its connections to end, and to be on record');
    await eventually(async () => (await metric(gate, 'sallyport_workers{state="ready"}')) === 2, 'another worker');
    await eventually(async () => (await statusOf(gate)) === 200, 'room');
    expect(await metric(gate, 'sallyport_requests_total')).toBeGreaterThan(before);
    const interrupted = events(gate).filter(({ kind }) => kind === 'interrupted');
    const gone = clients
      .map((client, i) => (client.closed || client.ended ? `/stream-${i}` : ''))
      .filter((path) => path !== '');
    expect(interrupted.map(({ path }) => path).sort()).toEqual(gone);
    expect(interrupted[0]).toMatchObject({ agent: 'bot', method: 'GET', target: 'http://api.test:80' });
    expect(gate.output()).toMatch(/a worker died/);
    for (const client of clients) await client.close();
    gate.signal('SIGTERM');
    expect(await gate.ended()).toBe(0);
    verifyLanes(gate);
  });

  it('is replaced when it hangs, too, and the connections that were on their way to it are served by another', async () => {
    const gate = await gateOf(2);
    const [first] = childrenOf(gate);
    process.kill(first as number, 'SIGSTOP');
    // Metrics are those of whoever answers.
    const scraped = metric(gate, 'sallyport_workers{state="wanted"}');
    const statuses = await Promise.all(Array.from({ length: 6 }, (_, i) => statusOf(gate, `/${i}`)));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await scraped).toBe(2);
    await until(() => gate.output().includes('a worker died'), 'the kill', 20_000);
  }, 40_000);

  it('goes with its gate: nobody is left behind when that is killed', async () => {
    const gate = await gateOf(2);
    const children = childrenOf(gate);
    const client = await stream(gate);
    gate.signal('SIGKILL');
    await client.gone();
    const lives = (pid: number): boolean => spawnSync('kill', ['-0', String(pid)]).status === 0;
    await until(() => !children.some(lives), 'the workers to end');
    const again = await gateOf(2, '', [], gate.home);
    await until(
      () => events(again).some(({ kind, path }) => kind === 'interrupted' && path === '/stream'),
      'the record',
    );
  });
});

describe('rules and certificates of a gate of several workers', () => {
  it('are taken up by all of them', async () => {
    const gate = await gateOf(2);
    writeFileSync(join(gate.home, 'rules/a.yaml'), rules(', deny: ["* http://api.test/secret/**"]'));
    await eventually(async () => (await reasonOf(gate, '/secret/x')) === 'path-not-allowed', 'the new rules');
    for (let i = 0; i < 4; i++) expect(await reasonOf(gate, '/secret/x')).not.toBeNull();
    writeFileSync(join(gate.home, 'rules/a.yaml'), 'version: 1\nagents: { bot: {} }\n');
    await until(() => gate.output().includes('do not load'), 'the complaint');
    expect(await statusOf(gate)).toBe(200);
    process.kill(childrenOf(gate)[0] as number, 'SIGKILL');
    await eventually(async () => (await metric(gate, 'sallyport_workers{state="ready"}')) === 2, 'another worker');
    // The folder holds rules that do not load: a new worker has those in force all the same.
    for (let i = 0; i < 4; i++)
      expect([await statusOf(gate), await reasonOf(gate, '/secret/x')]).toEqual([200, 'path-not-allowed']);
  });

  it('are tried out by a share of sessions whatever worker they reach, and counted together', async () => {
    const gate = await gateOf(2, '', [
      '--rollout-canary=100%',
      '--rollout-for=1h',
      '--rollout-abort-when-deny-rate=never',
    ]);
    writeFileSync(join(gate.home, 'rules/a.yaml'), rules(', deny: ["* http://api.test/secret/**"]'));
    await eventually(async () => (await reasonOf(gate, '/secret/x')) === 'path-not-allowed', 'the new rules');
    for (let i = 0; i < 6; i++) await statusOf(gate);
    const status = async (): Promise<{ canary: { requests: number; denied: number } | null }> =>
      JSON.parse((await gate.ask('GET', '/policy')).text) as { canary: { requests: number; denied: number } | null };
    await eventually(async () => ((await status()).canary?.requests ?? 0) >= 7, 'the counts');
    expect((await gate.ask('POST', '/policy/rollback', { by: 'test' })).status).toBe(200);
    await eventually(async () => (await reasonOf(gate, '/secret/x')) === null, 'the rules of before');
    expect((await status()).canary).toBeNull();
  });

  it('change on SIGHUP', async () => {
    const gate = await gateOf(2);
    execFileSync(process.execPath, [PROGRAM, 'ca', 'rotate'], { cwd: gate.home });
    const ca = readFileSync(join(gate.home, 'certs/ca.crt'), 'utf8');
    gate.signal('SIGHUP');
    await until(() => gate.output().includes('rules loaded'), 'the reload');
    for (let i = 0; i < 4; i++) {
      const { status, stderr } = spawnSync('curl', [
        '-sS',
        '-o',
        '/dev/null',
        '--cacert',
        join(gate.home, 'certs/ca.crt'),
        '-x',
        `http://bot:${TOKEN}@${gate.proxy}`,
        'https://api.test/',
      ]);
      // Refused by the rules, inside TLS that verifies.
      expect([status, stderr.toString()]).toEqual([0, '']);
    }
    expect(ca).toContain('BEGIN CERTIFICATE');
  });
});

describe('a gate of several workers starts and stops as one', () => {
  it('lets downloads end on SIGTERM, and nothing new begin', async () => {
    let finish = (): void => undefined;
    const slow = await startOrigin({
      streaming: (_request, response) => {
        response.write('first');
        finish = () => response.end('last');
      },
    });
    const gate = await gateOf(2, '', [`--upstream-pin=api.test:80=127.0.0.1:${slow.port}`]);
    const client = await stream(gate, '/slow');
    gate.signal('SIGTERM');
    await until(() => gate.output().includes('draining'), 'the drain');
    await eventually(() => refused(gate), 'the listener to be closed');
    finish();
    await answered(client);
    expect(client.received).toContain('last');
    expect(await gate.ended()).toBe(0);
    await slow.close();
  });

  it('serves a Unix socket, also where a killed gate left one', async () => {
    const gate = await gateOf(2, '', ['--listen-unix=gate.sock']);
    const over = async (home: string): Promise<number> => {
      const socket = connect(join(home, 'gate.sock'));
      const client = new RawClient(socket);
      client.send(`GET ${url('/x')} HTTP/1.1\r\nHost: api.test\r\n${LOGIN}Connection: close\r\n\r\n`);
      return (await answered(client)).status;
    };
    expect([await over(gate.home), await over(gate.home)]).toEqual([200, 200]);
    gate.signal('SIGKILL');
    await gate.ended();
    const again = await gateOf(2, '', ['--listen-unix=gate.sock'], gate.home);
    expect([await over(again.home), await over(again.home)]).toEqual([200, 200]);
  });

  it('says in one line why it cannot start', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const start = (...words: string[]): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, [PROGRAM, 'start', '--workers=2', '--listen-admin=127.0.0.1:0', ...words], {
        cwd: join(folder, 'home-1'),
        timeout: 20_000,
      });
    const used = start(`--listen-proxy=127.0.0.1:${port}`);
    expect([used.status, used.stderr.toString()]).toEqual([
      2,
      `sallyport: listen.proxy: cannot listen on 127.0.0.1:${port}: the port is in use\n`,
    ]);
    const wrong = start('--listen-proxy=127.0.0.1:0', '--rules=nowhere');
    const alone = start('--listen-proxy=127.0.0.1:0', '--rules=nowhere', '--workers=1');
    expect([wrong.status, wrong.stderr.toString()]).toEqual([2, alone.stderr.toString()]);
    taken.close();
  });
});

/** Whether nobody takes connections there any more. */
function refused(gate: Program): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(gate.proxy.split(':').at(-1)), '127.0.0.1', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}
