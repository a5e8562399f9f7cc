import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { GENESIS } from '../../src/audit/chain.ts';
import { verifySegment } from '../../src/audit/verify.ts';
import { killPrograms, startProgram } from '../support/program.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { randomOf } from '../support/samples.ts';
import { eventually, until } from '../support/until.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/cli/sallyport.js');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-durability-'));
/** Kills in one run: `KILLS=200 npx vitest run --project cli test/cli/durability.test.ts` takes a few minutes. */
const KILLS = Number(process.env['KILLS'] ?? 5);
const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);
const chance = randomOf(SEED);
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  killPrograms();
  rmSync(folder, { recursive: true });
});

interface Ready {
  readonly proxy: string;
  readonly admin: string;
}

/** The real program in a home of its own. */
async function startGate(home: string, origin: Origin): Promise<{ child: ChildProcess; ready: Ready }> {
  mkdirSync(join(home, 'rules'), { recursive: true });
  writeFileSync(
    join(home, 'rules/a.yaml'),
    'version: 1\nagents:\n  local: { identity: { networks: [127.0.0.1] }, allow: ["GET http://api.test/**"] }\n',
  );
  rmSync(join(home, 'ready.json'), { force: true });
  const words = [
    'start',
    '--listen-proxy=127.0.0.1:0',
    '--listen-admin=127.0.0.1:0',
    '--ready-file=ready.json',
    `--upstream-pin=api.test:80=127.0.0.1:${origin.port}`,
  ];
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    cwd: home,
    stdio: 'ignore',
  });
  running.add(child);
  child.on('close', () => running.delete(child));
  await until(() => existsSync(join(home, 'ready.json')), 'the ready file');
  return { child, ready: JSON.parse(readFileSync(join(home, 'ready.json'), 'utf8')) as Ready };
}

const ended = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve) =>
    child.exitCode === null && child.signalCode === null ? child.on('close', resolve) : resolve(0),
  );

/** Asks for paths of its own, one after another on one connection, until the connection ends or `enough` says so. */
function asker(
  ready: Ready,
  name: string,
  onAnswer: (status: number) => boolean,
): { socket: Socket; done: Promise<void> } {
  const socket = connect(Number(ready.proxy.split(':')[1]), '127.0.0.1');
  socket.on('error', () => undefined);
  let asked = 0;
  const ask = (): void =>
    void socket.write(`GET http://api.test/${name}-${++asked} HTTP/1.1\r\nHost: api.test\r\n\r\n`);
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    const head = text.indexOf('\r\n\r\n');
    const length = Number(/^content-length: (\d+)/im.exec(text)?.[1] ?? Number.NaN);
    if (head === -1 || text.length < head + 4 + length) return;
    const status = Number(text.slice(9, 12));
    text = '';
    if (onAnswer(status)) ask();
    else socket.destroy();
  });
  ask();
  return { socket, done: new Promise((resolve) => socket.on('close', () => resolve())) };
}

const segments = (home: string): string[] =>
  readdirSync(join(home, 'state/audit'))
    .sort()
    .map((name) => readFileSync(join(home, 'state/audit', name), 'utf8'));

/** Verifies segment after segment; each is torn at most where the next says it is. */
function verifyAll(texts: readonly string[]): void {
  let previous = GENESIS;
  let torn = 0;
  for (const [index, text] of texts.entries()) {
    const verified = verifySegment(text, previous);
    expect(JSON.parse(text.slice(0, text.indexOf('\n')))).toMatchObject({ kind: 'segment', torn });
    const end = text.lastIndexOf('"kind":"seal"}\n') + '"kind":"seal"}\n'.length;
    torn = Buffer.byteLength(text.slice(end));
    if (index === texts.length - 1) expect(verified).toMatchObject({ ok: true, problem: null });
    else expect(verified.problem ?? '').toMatch(/^$|bytes behind the last seal/);
    previous = verified.last;
  }
}

describe('the record', () => {
  it(
    `holds every request the origin saw, through ${KILLS} kill -9 under load (seed ${SEED}), and goes on after it`,
    async () => {
      const origin = await startOrigin();
      const home = join(folder, 'killed');
      for (let round = 0; round < KILLS; round++) {
        const { child, ready } = await startGate(home, origin);
        let answers = 0;
        // Where in the stream of answers the kill falls, and how long after one, is chance.
        const last = 40 + Math.floor(chance() * 200);
        const kill = (): void => {
          const end = performance.now() + chance() * 0.5;
          while (performance.now() < end);
          child.kill('SIGKILL');
        };
        const askers = Array.from({ length: 8 }, (_, index) =>
          asker(ready, `r${round}-c${index}`, () => {
            if (++answers === last) kill();
            return true;
          }),
        );
        await ended(child);
        await Promise.all(askers.map((each) => each.done));
      }
      const { child } = await startGate(home, origin);
      child.kill('SIGTERM');
      await ended(child);
      await origin.close();
      const texts = segments(home);
      const recorded = new Set(
        texts
          .join('')
          .split('\n')
          .filter((line) => line.endsWith('}'))
          .map((line) => JSON.parse(line) as { kind: string; path?: string })
          .filter((event) => event.kind === 'intent')
          .map((event) => event.path),
      );
      // What a killed gate had under way is called interrupted by the next one, once; everything else has an outcome.
      const exchanges = (kind: string): string[] =>
        [...texts.join('').matchAll(new RegExp(`"exchange":"([^"]+)"[^\n]*"kind":"${kind}"`, 'g'))].map(
          (match) => match[1] as string,
        );
      const [intents, outcomes, interrupted] = ['intent', 'outcome', 'interrupted'].map(exchanges) as [
        string[],
        string[],
        string[],
      ];
      expect(interrupted.length).toBeGreaterThan(0);
      const concluded = new Set(outcomes);
      expect(intents.filter((each) => !concluded.has(each)).sort()).toEqual([...interrupted].sort());
      expect(origin.requests.length).toBeGreaterThanOrEqual(40 * KILLS);
      expect(origin.requests.filter((request) => !recorded.has(request.url))).toEqual([]);
      verifyAll(texts);
      // The gate's own verdict, signatures included.
      const { status, stdout } = spawnSync(process.execPath, [PROGRAM, 'audit', 'verify'], {
        cwd: home,
        encoding: 'utf8',
      });
      expect([status, stdout]).toEqual([0, expect.stringContaining('is as it was written')]);
    },
    60_000 + KILLS * 5000,
  );

  it('that finds no more room denies, leaves no torn line, and goes on when there is room again', async () => {
    const origin = await startOrigin();
    const home = join(folder, 'full');
    const { child, ready } = await startGate(home, origin);
    // A limit on the size of files does to a write what a full disk does, half-written ones included.
    const limit = (size: string): unknown => execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${size}`]);
    limit('16384:unlimited');
    const refused = asker(ready, 'before', (status) => status === 200);
    await refused.done;
    const seen = origin.requests.length;
    expect(seen).toBeGreaterThan(10);
    const [denied] = await answersOf(ready, 'denied', 1);
    expect(denied).toBe(503);
    expect(origin.requests.length).toBe(seen);
    expect((await fetch(`http://${ready.admin}/readyz`)).status).toBe(503);
    const [full = ''] = segments(home);
    expect(verifySegment(full)).toMatchObject({ ok: true });
    limit('unlimited');
    expect(await answersOf(ready, 'after', 2)).toEqual([200, 200]);
    expect((await fetch(`http://${ready.admin}/readyz`)).status).toBe(200);
    child.kill('SIGTERM');
    await ended(child);
    const [text = ''] = segments(home);
    expect(verifySegment(text)).toMatchObject({ ok: true });
    expect(text).toContain('"path":"/after-2"');
    await origin.close();
  });

  // A file system of its own, as small as it is to be, in a mount namespace that ends with the gate.
  const canMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
  it.skipIf(!canMount)(
    'denies while a real disk is full, loses nothing it promised, and goes on when there is room',
    async () => {
      const origin = await startOrigin();
      const home = mkdtempSync(join(folder, 'small-'));
      mkdirSync(join(home, 'state'));
      const rules =
        'version: 1\nagents:\n  local: { identity: { networks: [127.0.0.1] }, allow: ["GET http://api.test/**"] }\n';
      const mount = `mount -t tmpfs -o size=1m none ${join(home, 'state')} && exec "$@"`;
      const pin = `--upstream-pin=api.test:80=127.0.0.1:${origin.port}`;
      const gate = await startProgram(home, rules, [pin], { within: ['unshare', '-m', 'sh', '-c', mount, 'sh'] });
      // As the gate sees it.
      const state = `/proc/${gate.child.pid ?? 0}/root${join(home, 'state')}`;
      const { bavail, bsize } = statfsSync(state);
      writeFileSync(join(state, 'filler'), Buffer.alloc((bavail - 8) * bsize));
      let delivered = 0;
      let status = 200;
      for (; status === 200; delivered += status === 200 ? 1 : 0)
        ({ status } = await gate.get(`http://api.test/${delivered}`));
      expect(status).toBe(503);
      expect(delivered).toBeGreaterThan(5);
      const [segment = ''] = readdirSync(join(state, 'audit'));
      const intents = (): string[] =>
        readFileSync(join(state, 'audit', segment), 'utf8')
          .split('\n')
          .filter((line) => line.includes('"kind":"intent"'));
      expect(origin.requests.length).toBe(delivered);
      for (let index = 0; index < delivered; index++)
        expect(intents().some((line) => line.includes(`"path":"/${index}"`))).toBe(true);
      expect((await fetch(`http://${gate.admin}/readyz`)).status).toBe(503);
      rmSync(join(state, 'filler'));
      await eventually(
        async () => (await fetch(`http://${gate.admin}/readyz`)).status === 200,
        'that it is ready again',
      );
      expect((await gate.get('http://api.test/after')).status).toBe(200);
      await until(
        () => readFileSync(join(state, 'audit', segment), 'utf8').includes('"action":"failed"'),
        'that on record',
      );
      expect(verifySegment(readFileSync(join(state, 'audit', segment), 'utf8'))).toMatchObject({ ok: true });
      gate.signal('SIGTERM');
      await gate.ended();
      await origin.close();
    },
  );

  it('goes on in the segment it has where it may not make another, denies where it has none, and goes on when it may again', async () => {
    const origin = await startOrigin();
    const home = mkdtempSync(join(folder, 'permission-'));
    const rules =
      'version: 1\nagents:\n  local: { identity: { networks: [127.0.0.1] }, allow: ["GET http://api.test/**"] }\n';
    chmodSync(folder, 0o755);
    // Not root, who may do anything.
    const nobody = process.getuid?.() === 0 ? 65_534 : undefined;
    if (nobody !== undefined) chownSync(home, nobody, nobody);
    const gate = await startProgram(
      home,
      rules,
      [
        `--upstream-pin=api.test:80=127.0.0.1:${origin.port}`,
        '--audit-rotate-every=1ms',
        '--audit-checkpoint-every=20ms',
      ],
      nobody === undefined ? {} : { uid: nobody, gid: nobody },
    );
    const audit = join(home, 'state/audit');
    const status = async (path: string): Promise<number> => (await gate.get(`http://api.test/${path}`)).status;
    const troubles = async (): Promise<number> => {
      const text = await (await fetch(`http://${gate.admin}/metrics`)).text();
      return Number(/^sallyport_audit_troubles_total (\d+)/m.exec(text)?.[1]);
    };
    await eventually(
      async () => (await status('before')) === 200 && readdirSync(audit).length > 2,
      'segments that follow each other',
    );
    chmodSync(audit, 0o500);
    await eventually(
      async () => (await status('locked')) === 200 && (await troubles()) > 0,
      'a segment that cannot be made',
    );
    const count = readdirSync(audit).length;
    // What it writes to is taken away as well, and cannot be written again.
    chmodSync(audit, 0o700);
    for (const name of readdirSync(audit)) rmSync(join(audit, name));
    chmodSync(audit, 0o500);
    const seen = origin.requests.length;
    expect([await status('refused'), origin.requests.length, count > 2]).toEqual([503, seen, true]);
    chmodSync(audit, 0o700);
    await eventually(async () => (await status('after')) === 200, 'it to go on');
    gate.signal('SIGTERM');
    await gate.ended();
    const text = gate
      .segments()
      .map((each) => each.text)
      .join('');
    for (const part of ['"path":"/refused"', '"path":"/after"', '{"action":"restored"']) expect(text).toContain(part);
    await origin.close();
  });
});

async function answersOf(ready: Ready, name: string, count: number): Promise<number[]> {
  const statuses: number[] = [];
  await asker(ready, name, (status) => statuses.push(status) < count).done;
  return statuses;
}

describe('the journal of limits', () => {
  it('of which a write failed half-way is read by the next start all the same', async () => {
    const origin = await startOrigin();
    const home = join(folder, 'journal');
    const rules = `version: 1
agents:
  local: { identity: { networks: [127.0.0.1] }, allow: ["GET http://api.test/**"], limits: { requests: 100000/hour } }
`;
    const pin = `--upstream-pin=api.test:80=127.0.0.1:${origin.port}`;
    const gate = await startProgram(home, rules, [pin]);
    execFileSync('prlimit', ['--pid', String(gate.child.pid), '--fsize=5000:unlimited']);
    const journal = (): string => readFileSync(join(home, 'state/limits.jsonl'), 'utf8');
    // Denied once the audit log is full, and counted and given back all the same.
    await until(() => {
      void gate.get('http://api.test/').catch(() => undefined);
      return gate.output().includes('counters cannot be written down');
    }, 'the journal to be full');
    gate.signal('SIGKILL');
    await gate.ended();
    for (const line of journal().trimEnd().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
    const again = await startProgram(home, rules, [pin]);
    expect((await again.get('http://api.test/')).status).toBe(200);
    again.signal('SIGKILL');
    await origin.close();
  });
});

describe('a gate that cannot start', () => {
  it('ends, with whatever it had opened: a store that is away keeps no process alive', () => {
    const home = join(folder, 'journal');
    const words = [
      'start',
      '--listen-proxy=192.0.2.1:1',
      '--listen-admin=127.0.0.1:0',
      '--store-url=redis://127.0.0.1:1',
    ];
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...words], { cwd: home, timeout: 30_000 });
    expect([status, stderr.toString()]).toEqual([
      2,
      'sallyport: listen.proxy: cannot listen on 192.0.2.1:1: EADDRNOTAVAIL\n',
    ]);
    // The same where it fails between what it has opened and what it has not, in one process and in several.
    writeFileSync(join(home, 'state/tools.json'), 'no');
    for (const workers of ['1', '2']) {
      const wrong = spawnSync(process.execPath, [PROGRAM, ...words, `--workers=${workers}`], {
        cwd: home,
        timeout: 30_000,
      });
      expect([wrong.status, wrong.stderr.toString()]).toEqual([
        2,
        expect.stringMatching(/^sallyport: state: .*tools\.json is not what the gate wrote there.*\n$/),
      ]);
    }
  });
});
