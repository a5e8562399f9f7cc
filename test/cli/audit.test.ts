import { spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOrigin, type Origin } from '../support/origin.ts';
import { PROGRAM, killPrograms, startProgram, type Program } from '../support/program.ts';
import { eventually, until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-'));
const RULES =
  'version: 1\nagents:\n  local: { identity: { networks: [127.0.0.1] }, allow: ["GET http://api.test/**"] }\n';
const PYTHON = join(import.meta.dirname, '../support/verify_audit.py');
let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(async () => {
  killPrograms();
  await origin.close();
  rmSync(folder, { recursive: true });
});

const start = (home: string, ...words: string[]): Promise<Program> =>
  startProgram(home, RULES, [`--upstream-pin=api.test:80=127.0.0.1:${origin.port}`, ...words]);

async function stop(gate: Program): Promise<void> {
  gate.signal('SIGTERM');
  await gate.ended();
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function audit(home: string, ...words: string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'audit', ...words], {
    cwd: home,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

function readlinkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

const namesIn = (home: string): string[] => readdirSync(join(home, 'state/audit')).sort();

/** The independent verifier, over the segments of one lane. */
function python(home: string, names = namesIn(home), key = 'gate.pub'): Ran {
  const files = names.map((name) => join('state/audit', name));
  const { status, stdout, stderr } = spawnSync('python3', [PYTHON, key, ...files], { cwd: home, encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

describe('sallyport audit', () => {
  const home = join(folder, 'one');
  let exchange = '';

  it('verifies a log of several segments, workers, keys and a crash; so does a verifier that is not ours', async () => {
    // A segment ends at its first checkpoint: every one is full.
    const words = ['--audit-rotate-size=1', '--audit-checkpoint-events=20', '--audit-checkpoint-every=1h'];
    const first = await start(home, ...words);
    expect(audit(home, 'keys').out).toMatch(/^sallyport-[0-9a-f]{8}\+[0-9a-f]{8}\+\S+\n$/);
    writeFileSync(join(home, 'gate.pub'), audit(home, 'keys').out);
    for (let n = 0; n < 30; n++) expect((await first.get(`http://api.test/${n}`)).status).toBe(200);
    await until(() => namesIn(home).length >= 3, 'three segments');
    // Crashes, and is cut in the middle of a write.
    first.signal('SIGKILL');
    await first.ended();
    appendFileSync(join(home, 'state/audit', namesIn(home).at(-1) ?? ''), '{"cut');
    const second = await start(home);
    expect((await second.get('http://api.test/after')).status).toBe(200);
    expect((await second.get('http://other.test/')).status).toBe(403);
    await stop(second);
    expect(audit(home, 'rotate-key').out).toMatch(/^sallyport-\S+\nhas signed\nsallyport-\S+\n$/);
    const third = await start(home);
    await stop(third);
    const { code, out } = audit(home, 'verify', '--key', 'gate.pub');
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/state\/audit is as it was written: \d+ segments, \d+ events, all of them signed\.\n$/),
    ]);
    expect(out).toMatch(/checkpoints?, cut off\n/);
    const oracle = python(home);
    expect([oracle.code, oracle.err]).toEqual([0, '']);
    expect(oracle.out.match(/: ok/g)).toHaveLength(namesIn(home).length);
    expect(oracle.out).toContain('ok, 5 bytes behind its last seal\n');
  });

  it('goes on in a new segment with a new key while it runs', async () => {
    const before = namesIn(home).length;
    const gate = await start(home, '--audit-checkpoint-every=50ms');
    expect(audit(home, 'rotate-key').code).toBe(0);
    await eventually(async () => {
      await gate.get('http://api.test/');
      return namesIn(home).length === before + 2;
    }, 'a segment with the new key');
    await stop(gate);
    expect(audit(home, 'verify', '--key', 'gate.pub').code).toBe(0);
    expect(python(home).code).toBe(0);
  });

  it('proves one exchange to somebody who has neither log nor gate', async () => {
    const gate = await start(home);
    exchange = /"exchange": "([^"]+)"/.exec((await gate.get('http://other.test/secret')).received)?.[1] ?? '';
    expect(exchange).not.toBe('');
    expect(audit(home, 'prove', exchange)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/not signed yet|has no event/) as string,
    });
    await stop(gate);
    expect(audit(home, 'prove', exchange, '--out', 'proof.json')).toEqual({ code: 0, out: '', err: '' });
    const elsewhere = mkdtempSync(join(folder, 'auditor-'));
    for (const file of ['proof.json', 'gate.pub']) cpSync(join(home, file), join(elsewhere, file));
    // The key has changed twice since: the proof has the key it needs, and whoever has an older one needs all between them.
    writeFileSync(join(elsewhere, 'now.pub'), audit(home, 'keys').out);
    const { code, out } = audit(elsewhere, 'check-proof', 'proof.json', '--key', 'now.pub');
    expect([code, out]).toEqual([0, expect.stringContaining(`"exchange":"${exchange}"`)]);
    expect(out).toMatch(/^event \d+ of sallyport-\S+, signed 20\S+ with \d+ events:\n\{.*"host":"other\.test".*\}\n$/);
    const proof = readFileSync(join(elsewhere, 'proof.json'), 'utf8');
    writeFileSync(join(elsewhere, 'other.json'), proof.replace('other.test', 'fine.test'));
    expect(audit(elsewhere, 'check-proof', 'other.json', '--key', 'now.pub')).toEqual({
      code: 1,
      out: '',
      err: expect.stringMatching(/^sallyport: event \d+ of \S+: the event is not the one that was signed\n$/) as string,
    });
    for (const wrong of ['gate.pub', 'nothing']) {
      const { code: status, err } = audit(elsewhere, 'check-proof', wrong, '--key', 'now.pub');
      expect([status, err.split('\n').length]).toEqual([2, 2]);
    }
  });

  it('finds a log that was cut off, by a checkpoint that was kept elsewhere', async () => {
    const kept = audit(home, 'checkpoint');
    expect(kept.code).toBe(0);
    writeFileSync(join(home, 'kept'), kept.out);
    expect(audit(home, 'verify', '--checkpoint', 'kept').code).toBe(0);
    const copy = join(folder, 'cut');
    cpSync(home, copy, { recursive: true });
    rmSync(join(copy, 'state/audit', namesIn(copy).at(-1) ?? ''));
    expect(audit(copy, 'verify').code).toBe(0);
    const { code, out } = audit(copy, 'verify', '--checkpoint', 'kept');
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/there is no segment sallyport-\S+\nstate\/audit is NOT as it was written: 1 problem\.\n$/),
    ]);
  });

  it('waits for a write that is under way, and not for long', async () => {
    const copy = mkdtempSync(join(folder, 'writing-'));
    cpSync(home, copy, { recursive: true });
    const file = join(copy, 'state/audit', namesIn(copy).at(-1) ?? '');
    const text = readFileSync(file);
    writeFileSync(file, text.subarray(0, -20));
    const verify = spawn(process.execPath, [PROGRAM, 'audit', 'verify'], { cwd: copy });
    const ended = new Promise((resolve) => verify.on('close', resolve));
    await eventually(async () => {
      // Once it has the file open.
      const open = readdirSync(`/proc/${verify.pid}/fd`).map((each) => readlinkOf(`/proc/${verify.pid}/fd/${each}`));
      return open.includes(file);
    }, 'the log to be read');
    appendFileSync(file, text.subarray(-20));
    expect(await ended).toBe(0);
    writeFileSync(file, text.subarray(0, -20));
    expect(audit(copy, 'verify').code).toBe(1);
  });

  it.each<[string, (text: string) => string]>([
    ['a change', (text) => text.replace('api.test', 'evil.test')],
    ['a deletion', (text) => text.replace(/\n\{"address"[^\n]*\n/, '\n')],
    ['a truncation', (text) => text.slice(0, Math.floor(text.length / 2))],
    ['a reordering', (text) => text.replace(/(\{"a[^\n]*\n)(\{"a[^\n]*\n)/, '$2$1')],
  ])('finds %s in a segment and says where; so does the other verifier', (_what, change) => {
    const copy = mkdtempSync(join(folder, 'changed-'));
    cpSync(home, copy, { recursive: true });
    const [name = ''] = namesIn(copy);
    const file = join(copy, 'state/audit', name);
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, change(before));
    expect(readFileSync(file, 'utf8')).not.toBe(before);
    const { code, out } = audit(copy, 'verify', '--key', 'gate.pub');
    expect([code, out]).toEqual([1, expect.stringMatching(/WRONG\n {2}\S+\.jsonl: \S/)]);
    expect(out).toMatch(/is NOT as it was written: [1-9]/);
    expect(python(copy).code).toBe(1);
    const told = JSON.parse(audit(copy, 'verify', '--key', 'gate.pub', '--json').out) as { ok: boolean };
    expect(told.ok).toBe(false);
  });

  it('looks at what was written since a time, and says in one line what it cannot do', () => {
    const last = namesIn(home).at(-1) ?? '';
    const since = last.replace(/^(....)(..)(..)T(..)(..)(......).*/, '$1-$2-$3T$4:$5:$6Z');
    const { code, out } = audit(home, 'verify', '--since', since);
    expect([code, out.split('\n').length, out]).toEqual([0, 3, expect.stringContaining(last)]);
    for (const [words, problem] of [
      [['verify', '--since', 'soon'], /--since: "soon" is no time/],
      [['verify', 'nowhere'], /nowhere cannot be read: ENOENT/],
      [['verify', 'rules'], /rules holds no audit log/],
      [['verify', '--key', 'rules/a.yaml'], /rules\/a\.yaml holds no key/],
    ] as const) {
      const { code: status, err } = audit(home, ...words);
      expect([status, err]).toEqual([2, expect.stringMatching(problem)]);
      expect(err.trimEnd()).not.toContain('\n');
    }
  });
});

describe('sallyport audit, for people', () => {
  it('shows what happened, what fits, and what comes', async () => {
    const home = join(folder, 'people');
    const gate = await start(home);
    await gate.get('http://api.test/fine');
    const denied = await gate.get('http://evil.test/door');
    const exchange = /"exchange": "([^"]+)"/.exec(denied.received)?.[1] ?? '';
    const tail = spawn(process.execPath, [PROGRAM, 'audit', 'tail', '--denied', '--last', '1'], { cwd: home });
    let seen = '';
    tail.stdout.on('data', (bytes: Buffer) => (seen += bytes.toString()));
    await until(() => seen.includes('/door'), 'what was last');
    await gate.get('http://evil.test/next');
    await gate.get('http://api.test/allowed');
    await until(() => seen.includes('/next'), 'what comes');
    tail.kill('SIGINT');
    expect(await new Promise((resolve) => tail.on('close', resolve))).toBe(0);
    expect(seen).toMatch(
      /^20\S+ {2}local {2}deny {2}host-not-allowed {2}GET http:\/\/evil\.test\/door {2}403 {2}[\d.]+ ms {2}\S+\n[^\n]+\/next[^\n]+\n$/,
    );
    await stop(gate);

    const found = audit(home, 'search', '--agent', 'local', '--since', '1h');
    expect([found.code, found.out.trimEnd().split('\n').length]).toEqual([0, 4]);
    expect(audit(home, 'search', '--host', 'evil.test', '--limit', '1').out).toContain('/next');
    expect(audit(home, 'search', '--reason', 'secret-found')).toEqual({ code: 1, out: '', err: '' });
    expect(audit(home, 'search', '--until', '2020-01-01').code).toBe(1);
    const [line = ''] = audit(home, 'search', '--decision', 'allow', '--json').out.split('\n');
    expect(JSON.parse(line)).toMatchObject({ kind: 'outcome', path: '/fine' });
    // Halts, policies and the like are events as well.
    expect(audit(home, 'search').out).toMatch(/^20\S+ {2}policy {2}action=loaded by=gate /);

    const shown = audit(home, 'show', exchange);
    expect([shown.code, shown.out]).toEqual([0, expect.stringMatching(/^outcome\n(?: {2}\S.*\n)+$/)]);
    expect(shown.out).toMatch(/^ {2}reason +host-not-allowed$/m);
    const replayed = audit(home, 'replay', exchange);
    expect([replayed.code, replayed.out.replace(/\d+(?:\.\d+)? (?:µs|ms)/g, 'T')]).toEqual([
      0,
      expect.stringMatching(
        /^asked {5}GET http:\/\/evil\.test:80\/door over http\/1\.1, ended 20\S+\nby {8}local, from 127\.0\.0\.1\ndecided {3}deny: host-not-allowed, .*, rules [0-9a-f]{16}\nnow {7}the same rules: deny, host-not-allowed\ntiming {4}decided in T · over after T\nended {5}refused, status 403, 0 body bytes to the upstream, 0 from it\n$/,
      ),
    ]);
    const allowed = JSON.parse(line) as { exchange: string };
    writeFileSync(
      join(home, 'rules/a.yaml'),
      RULES.replace('"GET http://api.test/**"', '"POST http://api.test/**", "GET http://api.test/other"'),
    );
    const begins = String.raw`decided {3}allow by rules/a\.yaml:3: GET http://api\.test/\*\*, mode enforce.*\nnow {7}rules [0-9a-f]{16}: deny, method-not-allowed\n`;
    const rest = String.raw`recorded {2}intent at 20\S+\ndialled {3}pinned \S+\ntiming {4}decided in .* · left after .* · answered after .* · over after .*\nended {5}delivered, status 200`;
    const nearly = String.raw`nearly {4}rules/a\.yaml:3: POST http://api\.test/\*\*: another method \(by the rules as they are now\)\nnearly {4}rules/a\.yaml:3: GET http://api\.test/other: another path \(by the rules as they are now\)\n`;
    // No other rule of then came near; where the gate has not kept those, the ones of now are told of.
    expect(audit(home, 'replay', allowed.exchange).out).toMatch(new RegExp(begins + rest));
    rmSync(join(home, 'state/policy'), { recursive: true });
    expect(audit(home, 'replay', allowed.exchange).out).toMatch(new RegExp(begins + nearly + rest));
    const exported = (format: string): string => audit(home, 'export', '--agent', 'local', '--format', format).out;
    expect(
      exported('ocsf')
        .trimEnd()
        .split('\n')
        .map((each) => (JSON.parse(each) as { action: string }).action),
    ).toEqual(['Allowed', 'Denied', 'Denied', 'Allowed']);
    expect(exported('csv').trimEnd().split('\r\n')).toHaveLength(5);
    expect((JSON.parse(exported('har')) as { log: { entries: unknown[] } }).log.entries).toHaveLength(4);
    expect(audit(home, 'export', '--agent', 'nobody', '--format', 'har')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/"entries":\[\]\}\}\n$/) as string,
    });
    // Whoever has seen enough may say so.
    const head = spawnSync('sh', ['-c', `"${process.execPath}" "${PROGRAM}" audit search --json | true`], {
      cwd: home,
      encoding: 'utf8',
    });
    expect([head.status, head.stdout, head.stderr]).toEqual([0, '', '']);
    expect(audit(home, 'show', 'nothing')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/has no event of an exchange nothing\n$/) as string,
    });
    for (const words of [
      ['search', '--since', 'soon'],
      ['search', '--limit', 'x'],
      ['search', '--decision', 'maybe'],
      ['tail', '--log', 'none'],
    ])
      expect(audit(home, ...words).code).toBe(2);
  });
});

describe('what has to be kept no longer', () => {
  it('is removed once it is verified and nobody holds it, and a signed tombstone stays', async () => {
    const home = join(folder, 'old');
    for (let run = 0; run < 3; run++) await stop(await start(home));
    writeFileSync(join(home, 'gate.pub'), audit(home, 'keys').out);
    const names = namesIn(home);
    const [first = ''] = names;
    expect(audit(home, 'prune')).toMatchObject({ code: 2, err: expect.stringMatching(/everything is kept/) as string });
    expect(audit(home, 'prune', '--older-than', '1ms', '--dry-run').out).toMatch(
      /^would remove \S+, \d+ events\nwould remove \S+, \d+ events\n$/,
    );
    expect(namesIn(home)).toEqual(names);
    // Held.
    expect(audit(home, 'hold', 'add', 'case-1', '--reason', 'a court').out).toContain('the log is held by case-1');
    expect(audit(home, 'hold', 'add', 'case-1', '--reason', 'again').code).toBe(2);
    expect(audit(home, 'hold', 'list').out).toMatch(/^case-1 {2}since 20\S+ by \S+: a court\n$/);
    expect(audit(home, 'prune', '--older-than', '1ms')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/held by case-1: nothing is removed/) as string,
    });
    expect(audit(home, 'hold', 'release', 'case-2').code).toBe(2);
    expect(audit(home, 'hold', 'release', 'case-1').code).toBe(0);
    // Not as it was written: it stays.
    const file = join(home, 'state/audit', first);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('"version":"', '"version":"9'));
    expect(audit(home, 'prune', '--older-than', '1ms')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/seal does not fit.*nothing is removed/) as string,
    });
    writeFileSync(file, text);
    expect(namesIn(home).filter((name) => name.endsWith('.jsonl'))).toEqual(names);
    // By the gate itself.
    const gate = await start(home, '--audit-retention=1ms');
    await until(() => gate.output().includes('old segments of the audit log were removed'), 'the gate to remove them');
    await stop(gate);
    const left = namesIn(home);
    expect(left.filter((name) => names.includes(name))).toEqual([]);
    expect(left.filter((name) => name.endsWith('.tombstone'))).toHaveLength(1);
    const verified = audit(home, 'verify', '--key', 'gate.pub');
    expect([verified.code, verified.out]).toEqual([
      0,
      expect.stringMatching(/signed\. \d+ events before them were removed, as signed tombstones say\.\n$/),
    ]);
    // Without it, what is missing is missing.
    rmSync(join(home, 'state/audit', left.find((name) => name.endsWith('.tombstone')) ?? ''));
    expect(audit(home, 'verify').out).toContain('is missing, and no tombstone stands for it');
  });
});
