import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import type { Command } from 'commander';
import { COMMANDS } from '../../scripts/commands.js';
import { makeProgram } from '../../src/cli/program.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/cli/sallyport.js');
const RULES = join(import.meta.dirname, '../../rules');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the real program; `npm run build` comes first. */
async function sallyport(
  words: readonly string[],
  options: { cwd?: string; environment?: Record<string, string> } = {},
): Promise<Result> {
  const child = start(words, options);
  const code = await new Promise<number>((resolve) => child.on('close', (status) => resolve(status ?? -1)));
  return { code, out: child.out(), err: child.err() };
}

function start(
  words: readonly string[],
  options: { cwd?: string; environment?: Record<string, string> } = {},
): ChildProcess & { out(): string; err(): string } {
  const child = spawn(process.execPath, [PROGRAM, ...words], {
    cwd: options.cwd ?? folder,
    env: { PATH: process.env['PATH'], HOME: folder, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout?.on('data', (bytes: Buffer) => (out += bytes.toString()));
  child.stderr?.on('data', (bytes: Buffer) => (err += bytes.toString()));
  running.add(child);
  child.on('close', () => running.delete(child));
  return Object.assign(child, { out: () => out, err: () => err });
}

/** A gate of its own, ready to serve. */
async function startGate(
  name: string,
  more: readonly string[] = [],
): Promise<{
  child: ReturnType<typeof start>;
  ready: { proxy: string; admin: string; ca: string; pid: number };
  home: string;
}> {
  const home = join(folder, name);
  mkdirSync(join(home, 'rules'), { recursive: true });
  writeFileSync(
    join(home, 'rules/a.yaml'),
    'version: 1\nagents:\n  local: { identity: { networks: [127.0.0.1] }, allow: ["GET https://example.com/**"] }\n',
  );
  const child = start(
    ['start', '--listen.proxy', '127.0.0.1:0', '--listen-admin', '127.0.0.1:0', '--ready-file', 'ready.json', ...more],
    { cwd: home },
  );
  await until(() => existsSync(join(home, 'ready.json')) || child.exitCode !== null, `the ready file; ${child.err()}`);
  return {
    child,
    ready: JSON.parse(readFileSync(join(home, 'ready.json'), 'utf8')) as {
      proxy: string;
      admin: string;
      ca: string;
      pid: number;
    },
    home,
  };
}

const stopped = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => (child.exitCode === null ? child.on('close', resolve) : resolve(child.exitCode)));

describe('sallyport', () => {
  it('can be run by its name, as npx does it', () => {
    expect(
      spawnSync(join(import.meta.dirname, '../../dist/cli/sallyport.js'), ['version'], { encoding: 'utf8' }),
    ).toMatchObject({ status: 0, stdout: '0.1.0\n' });
  });

  it('has help with an example for every command, and exits 0', async () => {
    // Each says the same in this process as in one of its own.
    for (const words of COMMANDS) {
      let command: Command | undefined = await makeProgram();
      for (const word of words) command = command?.commands.find((each) => each.name() === word);
      let text = '';
      command?.configureOutput({ writeOut: (more) => void (text += more) }).outputHelp();
      expect([words, /Examples?:\n {2}sallyport /.test(text)]).toEqual([words, true]);
    }
    for (const words of [[], ['audit'], ['audit', 'verify']]) {
      const { code, out } = await sallyport([...words, '--help']);
      expect([words, code, out]).toEqual([words, 0, expect.stringMatching(/^Usage: sallyport /)]);
    }
  });

  it('documents every command there is', async () => {
    const leaves = (command: Command, words: readonly string[]): string[] =>
      command.commands.length === 0
        ? [words.join(' ')]
        : command.commands.flatMap((each) => leaves(each, [...words, each.name()]));
    const documented = COMMANDS.map((words) => words.join(' '));
    expect(
      leaves(await makeProgram(), []).filter((each) => each !== '' && !documented.some((name) => name === each)),
    ).toEqual([]);
  });

  it.each([
    [['strat'], /unknown command 'strat'[\s\S]*Did you mean start/],
    [['start', '--lisen-proxy', 'x'], /unknown option '--lisen-proxy'/],
    [
      ['start', '--drain', 'soon'],
      /^sallyport: --drain: "soon" is not right for drain: write a duration such as 10s\n$/,
    ],
    [['start', '--config', 'none.yaml'], /^sallyport: none\.yaml: cannot be read: ENOENT\n$/],
    [['explain', 'GET', 'https://a.test/'], /required option '--agent <name>'/],
    [['explain', '--agent', 'x', 'GET', 'a.test', '--rules', RULES], /"a\.test" is not an http, https, ws or wss URL/],
    [['agent', 'token', 'a b'], /not an agent name/],
    [['pack', 'npn', '--registry', 'npm.test', '--rules', RULES], /did you mean "npm"\?/],
    [['run', '--agent', 'nobody', '--rules', RULES, '--', 'true'], /no agent "nobody"/],
    [['ca', 'show', '--certs', 'none'], /none\/ca\.crt cannot be read: ENOENT/],
  ])('%j ends with exit code 2, one line and no stack trace', async (words, message) => {
    const { code, err } = await sallyport(words as string[]);
    expect([code, /\n\s+at /.test(err)]).toEqual([2, false]);
    expect(err).toMatch(message);
  });
});

describe('sallyport test', () => {
  it('runs the tests of the rules that ship, which exercise all of them', async () => {
    const { code, out } = await sallyport(['test', RULES, '--min-coverage', '100']);
    expect(out).toMatch(/\n\d+ passed, 0 failed; coverage 100 % \(\d+ of \d+\)\n$/);
    expect(code).toBe(0);
  });

  it('says what failed and what no test exercised, on the terminal and in reports', async () => {
    const home = join(folder, 'tested');
    mkdirSync(home, { recursive: true });
    writeFileSync(
      join(home, 'a.yaml'),
      `version: 1
agents:
  bot: { identity: { networks: [127.0.0.1] }, allow: ["GET https://a.test/ok", "GET https://b.test/**"] }
tests:
  - { name: reads & more, agent: bot, request: GET https://a.test/ok, expect: allow }
  - { name: writes, agent: bot, request: POST https://a.test/ok, expect: allow }
`,
    );
    const reports = ['--junit', join(home, 'r.xml'), '--json', join(home, 'r.json')];
    const { code, out } = await sallyport(['test', home, ...reports]);
    expect(code).toBe(1);
    expect(out).toBe(`ok    reads & more  tested/a.yaml:5:5
FAIL  writes        tested/a.yaml:6:5
      POST https://a.test/ok: expected allow, got deny method-not-allowed (POST is not allowed on a.test/ok)

not exercised:
  tested/a.yaml:3:80  GET https://b.test/**: never allows a request of a test

1 passed, 1 failed; coverage 50 % (1 of 2)
`);
    expect(readFileSync(join(home, 'r.xml'), 'utf8')).toContain(
      '<testcase classname="tested/a.yaml" name="reads &amp; more"',
    );
    expect(readFileSync(join(home, 'r.xml'), 'utf8')).toMatch(
      /<testsuite name="tested\/a\.yaml" tests="2" failures="1">/,
    );
    expect(JSON.parse(readFileSync(join(home, 'r.json'), 'utf8'))).toMatchObject({
      coverage: { percent: 50 },
      tests: [{ passed: true }, { passed: false }],
      uncovered: [{ line: 3, what: 'allow' }],
    });
  });

  it('needs enough exercised, rules that load and a percentage', async () => {
    const home = join(folder, 'untested');
    mkdirSync(home, { recursive: true });
    const rules =
      'version: 1\nagents:\n  bot: { identity: { networks: [127.0.0.1] }, allow: ["GET https://a.test/ok"] }\n';
    writeFileSync(join(home, 'a.yaml'), rules);
    const little = await sallyport(['test', home, '--min-coverage', '80']);
    expect([little.code, little.out]).toEqual([
      1,
      expect.stringContaining('less than the 80 % that --min-coverage asks'),
    ]);
    expect((await sallyport(['test', home])).code).toBe(0);
    expect((await sallyport(['test', home, '--min-coverage', '101'])).code).toBe(2);
    writeFileSync(
      join(home, 'a.yaml'),
      `${rules}tests:\n  - { name: x, agent: bto, request: GET https://a.test/, expect: deny }\n`,
    );
    const broken = await sallyport(['test', home]);
    expect([broken.code, broken.out]).toEqual([1, expect.stringContaining('no agent "bto" is defined')]);
  });
});

describe('sallyport check and explain', () => {
  it('check says ok, or what is wrong and where', async () => {
    expect(await sallyport(['check', RULES])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ok: 1 agent, 12 capabilities, \d+ rules; generation [0-9a-f]{16}\n$/) as string,
    });
    mkdirSync(join(folder, 'bad'));
    writeFileSync(join(folder, 'bad/x.yaml'), 'version: 1\nagentz: {}\n');
    expect(await sallyport(['check', 'bad'])).toMatchObject({
      code: 1,
      out: 'bad/x.yaml:2:1: error: unknown key "agentz"\n    2 | agentz: {}\n      | ^^^^^^\n  hint: did you mean "agents"?\n\n1 error\n',
    });
    writeFileSync(
      join(folder, 'bad/x.yaml'),
      'version: 1\nagents:\n  a: { identity: { networks: [10.0.0.1] }, allow: ["* https://**"] }\n',
    );
    expect((await sallyport(['check', 'bad'])).code).toBe(0);
    expect((await sallyport(['check', 'bad', '--strict'])).code).toBe(1);
  });

  it('explain exits 0 for allowed and 1 for denied', async () => {
    const allowed = await sallyport([
      'explain',
      '--rules',
      RULES,
      '--agent',
      'example',
      'GET',
      'https://example.com/x',
    ]);
    expect([allowed.code, allowed.out]).toEqual([
      0,
      expect.stringMatching(/^ALLOW {2}GET https:\/\/example\.com\/x\n/),
    ]);
    const denied = await sallyport([
      'explain',
      '--rules',
      RULES,
      '--agent',
      'example',
      'POST',
      'https://example.com/x',
      '--json',
      '{"a":1}',
      '--header',
      'X: y',
    ]);
    expect([denied.code, denied.out]).toEqual([1, expect.stringContaining('method-not-allowed')]);
  });
});

describe('sallyport agent, ca and pack', () => {
  it('a token fits the hash that is printed for the rules', async () => {
    const { out } = await sallyport(['agent', 'token', 'bot', '--json']);
    const made = JSON.parse(out) as { agent: string; token: string; hash: string };
    const hash = execFileSync('bash', ['-c', 'printf %s "$1" | sha256sum | cut -d" " -f1', '-', made.token], {
      encoding: 'utf8',
    }).trim();
    expect(made).toMatchObject({ agent: 'bot', hash: `sha256:${hash}` });
  });

  it('export makes the CA, show describes it, rotate replaces it, import takes a pair', async () => {
    const certs = ['--certs', 'certs'];
    const first = (await sallyport(['ca', 'export', ...certs])).out;
    expect(first).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect((await sallyport(['ca', 'show', ...certs])).out).toMatch(
      /^file {9}certs\/ca\.crt\nsubject {6}O=Sallyport, CN=Sallyport CA [0-9a-f]{8}\n/,
    );
    expect((await sallyport(['ca', 'rotate', ...certs])).code).toBe(0);
    expect((await sallyport(['ca', 'export', ...certs])).out).not.toBe(first);
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '9',
        '-subj',
        '/CN=Own',
        '-keyout',
        join(folder, 'k.pem'),
        '-out',
        join(folder, 'c.pem'),
      ],
      { stdio: 'ignore' },
    );
    expect((await sallyport(['ca', 'import', 'c.pem', 'k.pem', ...certs])).out).toContain('CN=Own');
    expect(await sallyport(['ca', 'import', 'c.pem', ...certs])).toMatchObject({ code: 2 });
  });

  it('pack prints a line that loads', async () => {
    const { out } = await sallyport(['pack', 'npm', '--registry', 'npm.mirror.example', '--rules', RULES]);
    expect(out).toBe('capabilities: [{ use: packages.npm, with: { registry: https://npm.mirror.example } }]\n');
  });
});

describe('sallyport start', () => {
  it('prints what a newcomer needs, serves, and stops on SIGTERM with 0', async () => {
    const { child, ready } = await startGate('plain');
    expect(ready).toMatchObject({ pid: child.pid, ca: expect.stringMatching(/certs\/ca\.crt$/) as string });
    await until(() => child.err().includes('refused, and why'), 'the welcome');
    expect(child.err()).toContain(`export HTTPS_PROXY=http://${ready.proxy}`);
    expect(child.err()).toContain('curl https://example.com/');
    expect(JSON.parse(child.out().split('\n')[0] ?? '')).toMatchObject({ msg: 'the gate serves', proxy: ready.proxy });
    expect((await fetch(`http://${ready.admin}/healthz`)).status).toBe(200);
    expect((await fetch(`http://${ready.admin}/other`)).status).toBe(404);
    child.kill('SIGTERM');
    expect(await stopped(child)).toBe(0);
    expect(existsSync(join(folder, 'plain/ready.json'))).toBe(false);
  });

  it('takes up a changed rule file, and keeps the old policy over a broken one', async () => {
    const { child, ready, home } = await startGate('watch');
    writeFileSync(join(home, 'rules/a.yaml'), 'version: 1\nagentz: {}\n');
    await until(() => child.out().includes('the old policy stays in force'), 'the complaint');
    expect(child.out()).toContain('rules/a.yaml:2:1: error: unknown key');
    writeFileSync(join(home, 'rules/a.yaml'), 'version: 1\n');
    await until(() => child.out().includes('rules loaded'), 'the new rules');
    child.kill('SIGHUP');
    await until(() => child.out().split('rules loaded').length === 3, 'the reload by signal');
    const metrics = await (await fetch(`http://${ready.admin}/metrics`)).text();
    expect(metrics).toContain('sallyport_policy_loads_total{result="failed"} 1');
    child.kill('SIGINT');
    expect(await stopped(child)).toBe(0);
  });

  it('ends at once on a second signal, though an exchange hangs', async () => {
    const hanging = createServer((socket) => void socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const port = (hanging.address() as AddressInfo).port;
    const { child, ready } = await startGate('hang', ['--upstream-pin', `hang.test:80=127.0.0.1:${port}`]);
    writeFileSync(
      join(folder, 'hang/rules/a.yaml'),
      'version: 1\nagents:\n  local: { identity: { networks: [127.0.0.1] }, allow: ["GET http://hang.test/**"] }\n',
    );
    child.kill('SIGHUP');
    await until(() => child.out().includes('rules loaded'), 'the rules');
    const asked = fetch(`http://${ready.admin}/healthz`);
    const curl = spawn('curl', ['-s', '-x', `http://${ready.proxy}`, 'http://hang.test/'], { stdio: 'ignore' });
    await asked;
    await until(
      () =>
        readFileSync(
          join(
            folder,
            'hang/state/audit',
            execFileSync('ls', [join(folder, 'hang/state/audit')], { encoding: 'utf8' }).trim(),
          ),
          'utf8',
        ).includes('"intent"'),
      'the request to hang',
    );
    child.kill('SIGTERM');
    await until(() => child.out().includes('draining'), 'the drain');
    child.kill('SIGTERM');
    expect(await stopped(child)).toBe(143);
    await stopped(curl);
    await new Promise((resolve) => hanging.close(resolve));
  });

  it('says in one line what it cannot use', async () => {
    const busy = createServer();
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
    const taken = `127.0.0.1:${(busy.address() as AddressInfo).port}`;
    const base = [
      'start',
      '--rules',
      RULES,
      '--listen-proxy',
      '127.0.0.1:0',
      '--listen-admin',
      '127.0.0.1:0',
      '--certs',
      'certs2',
    ];
    expect(await sallyport([...base, '--listen-proxy', taken])).toMatchObject({
      code: 2,
      err: `sallyport: listen.proxy: cannot listen on ${taken}: the port is in use\n`,
    });
    expect(await sallyport([...base, '--listen-admin', taken])).toMatchObject({
      code: 2,
      err: `sallyport: listen.admin: cannot listen on ${taken}: the port is in use\n`,
    });
    writeFileSync(join(folder, 'file'), '');
    expect(await sallyport([...base, '--state', 'file/state'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^sallyport: state: .* cannot be read: ENOTDIR\n$/) as string,
    });
    expect(await sallyport([...base, '--upstream-ca', 'file'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /^sallyport: upstream\.ca: .*file cannot be used: not a PEM file of certificates\n$/,
      ) as string,
    });
    mkdirSync(join(folder, 'certs3'));
    writeFileSync(join(folder, 'certs3/ca.crt'), 'x');
    expect(await sallyport([...base, '--certs', 'certs3'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^sallyport: .*ca\.key is missing/) as string,
    });
    await new Promise((resolve) => busy.close(resolve));
  });
});

describe('sallyport run', () => {
  it('gives a command the variables, its exit code back, and says that it does not isolate', async () => {
    const { child, ready, home } = await startGate('run');
    const result = await sallyport(
      [
        'run',
        '--agent',
        'local',
        '--proxy',
        ready.proxy,
        '--',
        'sh',
        '-c',
        'echo $HTTPS_PROXY $NODE_EXTRA_CA_CERTS; curl -sS https://other.test/; exit 7',
      ],
      { cwd: home },
    );
    expect(result.code).toBe(7);
    expect(result.err).toContain('NOT isolated');
    expect(result.out).toContain(`http://${ready.proxy} ${ready.ca}`);
    expect(result.out).toContain('"reason": "host-not-allowed"');
    expect(await sallyport(['run', '--agent', 'local', '--', 'no-such-program'], { cwd: home })).toMatchObject({
      code: 127,
    });
    child.kill('SIGTERM');
    await stopped(child);
  });
});
