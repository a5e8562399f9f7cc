import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { startGate as start, type Gate } from '../../src/main.ts';
import type { PolicyEvent } from '../../src/model/audit-event.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { isPicked } from '../../src/policy/rollout.ts';
import type { PolicyStatus } from '../../src/proxy/generation-status.ts';
import { RawClient, answered } from '../support/client.ts';
import { TOKEN } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { until } from '../support/until.ts';

const CLI = join(import.meta.dirname, '../../dist/cli/sallyport.js');
/** One session an agent: enough of them that some are picked and some are not. */
const AGENTS = Array.from({ length: 40 }, (_, index) => `bot-${index}`);

let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(() => origin.close());

/** Rules under which every agent may read below these paths. */
function rules(paths: readonly string[], agents: readonly string[] = AGENTS): string {
  const list = paths.map((path) => `"GET http://api.test${path}"`).join(', ');
  return `version: 1\ncapabilities:\n  read:\n    endpoints: [${list}]\nagents:\n${agents
    .map((name) => `  ${name}: { identity: { token: "${hashOf(name)}" }, capabilities: [read] }\n`)
    .join('')}`;
}

/** Agents must not share a token: each has the hash of its own. */
function hashOf(name: string): string {
  return `sha256:${createHash('sha256').update(`${TOKEN}-${name}`).digest('hex')}`;
}

class Stage {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'sallyport-rollout-'));
  readonly #flags: Readonly<Record<string, string>>;
  #gate: Gate | null = null;

  constructor(flags: Readonly<Record<string, string>>) {
    this.#flags = flags;
  }

  get gate(): Gate {
    if (this.#gate === null) throw new Error('no gate');
    return this.#gate;
  }

  async start(text?: string): Promise<this> {
    if (text !== undefined) this.write(text);
    const flags = new Map<string, readonly string[]>(
      Object.entries({
        'listen.proxy': '127.0.0.1:0',
        'listen.admin': '127.0.0.1:0',
        rules: 'rules.yaml',
        'upstream.pins': `api.test:80=127.0.0.1:${origin.port}`,
        ...this.#flags,
      }).map(([key, value]) => [key, [value]]),
    );
    const config = loadConfig({ file: null, environment: {}, flags, workingFolder: this.folder });
    this.#gate = await start(config, pino({ level: 'silent' }));
    return this;
  }

  write(text: string): string {
    writeFileSync(join(this.folder, 'rules.yaml'), text);
    return loadPolicy(join(this.folder, 'rules.yaml')).policy?.generation ?? '';
  }

  /** Writes rules and has the gate read them; their generation. */
  change(text: string): string {
    const generation = this.write(text);
    expect(this.gate.reload()).toEqual([]);
    return generation;
  }

  /** Reason of the refusal; null where there was none. */
  async ask(agent: string, path: string): Promise<string | null> {
    const client = new RawClient(connect({ port: Number(this.gate.proxy.split(':').at(-1)), host: '127.0.0.1' }));
    const login = Buffer.from(`${agent}:${TOKEN}-${agent}`).toString('base64');
    client.send(`GET http://api.test${path} HTTP/1.1\r\nHost: api.test\r\nProxy-Authorization: Basic ${login}\r\n\r\n`);
    await answered(client);
    await client.close();
    return client.reason;
  }

  /** Agents that are not refused. */
  async allowed(path: string): Promise<string[]> {
    const reasons = await Promise.all(AGENTS.map(async (agent) => [agent, await this.ask(agent, path)] as const));
    return reasons.filter(([, reason]) => reason === null).map(([agent]) => agent);
  }

  async status(): Promise<PolicyStatus> {
    const { code, stdout } = await this.cli('status', '--json');
    expect(code).toBe(0);
    return JSON.parse(stdout) as PolicyStatus;
  }

  /** `sallyport policy …`, as another process: the gate in this one must be free to answer. */
  cli(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const flags = ['--listen-admin', this.gate.admin, '--state', join(this.folder, 'state')];
    return new Promise((resolve) => {
      execFile(process.execPath, [CLI, 'policy', ...words, ...flags], (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  }

  policyEvents(): PolicyEvent[] {
    const folder = join(this.folder, 'state/audit');
    return readdirSync(folder)
      .sort()
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
      .filter((line) => line.includes('"kind":"policy"'))
      .map((line) => JSON.parse(line) as PolicyEvent);
  }

  stop(): void {
    this.#gate?.close();
    this.#gate = null;
  }

  close(): void {
    this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const opened: Stage[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

function stage(flags: Readonly<Record<string, string>> = {}): Stage {
  const made = new Stage(flags);
  opened.push(made);
  return made;
}

const OLD = rules(['/old']);
const NEW = rules(['/old', '/new']);
/** Refuses what the old rules allow. */
const BAD = rules(['/new']);
const SLOW = { 'rollout.canary': '30%', 'rollout.for': '1h' };

describe('without a rollout', () => {
  it('changed rules hold for all at once, on record, and one can go back to those before', async () => {
    const it = await stage().start(OLD);
    const old = it.gate.snapshot().policy.generation;
    const changed = it.change(NEW);
    expect(await it.allowed('/new')).toEqual(AGENTS);
    expect(it.gate.reload()).toEqual([]);
    const { stdout } = await it.cli('rollback');
    expect(stdout).toMatch(new RegExp(`^in force {4}${old} .*\\nrolled back ${changed} .* by \\S+: asked for\\n`));
    expect(await it.allowed('/new')).toEqual([]);
    const events = it.policyEvents();
    expect(events.map(({ action, generation, previous }) => [action, generation, previous])).toEqual([
      ['loaded', old, null],
      ['loaded', changed, old],
      ['rolled-back', old, changed],
    ]);
    expect(events.map(({ by }) => by === 'gate')).toEqual([true, true, false]);
  });

  it('what was rolled back stays so over reloads and restarts, until it is changed or promoted', async () => {
    const it = await stage().start(OLD);
    const old = it.gate.snapshot().policy.generation;
    const changed = it.change(NEW);
    await it.cli('rollback');
    expect(it.gate.reload()).toEqual([]);
    expect(it.gate.snapshot().policy.generation).toBe(old);
    it.stop();
    await it.start();
    expect(it.gate.snapshot().policy.generation).toBe(old);
    expect(await it.ask('bot-0', '/new')).toBe('path-not-allowed');
    expect((await it.cli('promote')).stdout).toContain(`in force    ${changed}`);
    expect((await it.status()).rejected).toEqual([]);
    expect(await it.ask('bot-0', '/new')).toBeNull();
  });

  it('there is nothing to promote or go back to at first, and the command says so', async () => {
    const it = await stage().start(OLD);
    const { generation } = it.gate.snapshot().policy;
    expect(await it.cli('promote')).toMatchObject({
      code: 2,
      stderr: `sallyport: generation ${generation} is in force already\n`,
    });
    expect(await it.cli('rollback')).toMatchObject({
      code: 2,
      stderr: 'sallyport: there is no earlier generation to go back to\n',
    });
  });
});

describe('a rollout', () => {
  it('gives changed rules to a stable share of sessions, and to all when it is promoted', async () => {
    const it = await stage(SLOW).start(OLD);
    const old = it.gate.snapshot().policy.generation;
    const changed = it.change(NEW);
    const picked = AGENTS.filter((agent) => isPicked(`${agent} 127.0.0.1`, changed, 0.3));
    expect(picked.length).toBeGreaterThan(2);
    expect(picked.length).toBeLessThan(25);
    expect(await it.allowed('/new')).toEqual(picked);
    expect(await it.allowed('/new')).toEqual(picked);
    expect(await it.allowed('/old')).toEqual(AGENTS);
    const status = await it.status();
    expect(status.inForce).toMatchObject({ generation: old });
    expect(status.canary).toMatchObject({ generation: changed, share: 0.3, requests: picked.length * 3, denied: 0 });
    expect(status.canary?.others).toEqual({
      requests: (AGENTS.length - picked.length) * 3,
      denied: (AGENTS.length - picked.length) * 2,
    });
    const metrics = await (await fetch(`http://${it.gate.admin}/metrics`)).text();
    expect(metrics).toMatch(new RegExp(`sallyport_policy_generation\\{generation="${old}"}`));
    expect((await it.cli('promote')).code).toBe(0);
    expect(await it.allowed('/new')).toEqual(AGENTS);
    expect(it.policyEvents().map(({ action, generation }) => [action, generation])).toEqual([
      ['loaded', old],
      ['canary', changed],
      ['promoted', changed],
    ]);
    expect(it.policyEvents().at(-1)?.reason).toMatch(/^asked for; refused 0\.0 % of \d+ requests, the rules in force /);
  });

  it('is taken back by the gate itself when it refuses too much, and stays so', async () => {
    const it = await stage({ ...SLOW, 'rollout.canary': '100%' }).start(OLD);
    const old = it.gate.snapshot().policy.generation;
    expect(await it.allowed('/old')).toEqual(AGENTS);
    const bad = it.change(BAD);
    await it.allowed('/old');
    expect((await it.status()).canary).toBeNull();
    expect(await it.allowed('/old')).toEqual(AGENTS);
    const last = it.policyEvents().at(-1);
    expect(last).toMatchObject({ action: 'rolled-back', generation: bad, previous: old, by: 'gate' });
    expect(last?.reason).toMatch(
      /^it refuses too much: refused 100\.0 % of 20 requests, the rules in force 0\.0 % of 0$/,
    );
    expect(it.gate.reload()).toEqual([]);
    expect((await it.status()).canary).toBeNull();
    const text = (await it.cli('status')).stdout;
    expect(text).toMatch(
      new RegExp(`rolled back ${bad}  at \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\dZ  by gate: it refuses too much`),
    );
  });

  it('promotes itself when its time is over', async () => {
    const it = await stage({ 'rollout.canary': '30%', 'rollout.for': '300ms' }).start(OLD);
    const changed = it.change(NEW);
    await until(() => it.gate.snapshot().policy.generation === changed, 'the promotion');
    await until(() => it.policyEvents().at(-1)?.action === 'promoted', 'its record');
    expect(it.policyEvents().at(-1)).toMatchObject({ generation: changed, by: 'gate' });
    expect(await it.allowed('/new')).toEqual(AGENTS);
  });

  it('goes on over a restart, with the same share and the same end', async () => {
    const it = await stage(SLOW).start(OLD);
    const old = it.gate.snapshot().policy.generation;
    it.change(NEW);
    const picked = await it.allowed('/new');
    const { until: end } = (await it.status()).canary ?? {};
    it.stop();
    await it.start();
    expect(await it.allowed('/new')).toEqual(picked);
    expect((await it.status()).canary?.until).toBe(end);
    expect(it.gate.snapshot().policy.generation).toBe(old);
  });

  it('begins at the start where rules were changed while no gate ran', async () => {
    const it = await stage(SLOW).start(OLD);
    const old = it.gate.snapshot().policy.generation;
    it.stop();
    await it.start(NEW);
    expect(it.gate.snapshot().policy.generation).toBe(old);
    const allowed = await it.allowed('/new');
    expect(allowed.length).toBeGreaterThan(2);
    expect(allowed.length).toBeLessThan(AGENTS.length);
  });

  it('ends when the folder goes back, and starts anew when it changes again', async () => {
    const it = await stage(SLOW).start(OLD);
    const first = it.change(NEW);
    it.change(OLD);
    expect((await it.status()).canary).toBeNull();
    expect(await it.allowed('/new')).toEqual([]);
    const second = it.change(`${NEW}# again\n`);
    expect((await it.status()).canary?.generation).toBe(second);
    const third = it.change(`${NEW}# and again\n`);
    expect((await it.status()).canary?.generation).toBe(third);
    const { stdout } = await it.cli('rollback');
    expect(stdout).not.toContain('canary');
    expect((await it.status()).rejected.map((each) => each.generation)).toEqual([first, third]);
  });

  it('lets agents in that only one of the generations knows, each under the rules of its session', async () => {
    const it = await stage(SLOW).start(rules(['/old'], AGENTS.slice(0, 20)));
    const changed = it.change(rules(['/old'], AGENTS.slice(10)));
    const picked = (agent: string): boolean => isPicked(`${agent} 127.0.0.1`, changed, 0.3);
    const known = AGENTS.filter((agent, index) => (picked(agent) ? index >= 10 : index < 20));
    expect(await it.allowed('/old')).toEqual(known);
    await it.cli('promote');
    expect(await it.allowed('/old')).toEqual(AGENTS.slice(10));
  });

  it('keeps the old rules when the new ones do not load', async () => {
    const it = await stage(SLOW).start(OLD);
    writeFileSync(join(it.folder, 'rules.yaml'), 'version: 2\n');
    expect(it.gate.reload()).not.toEqual([]);
    expect((await it.status()).canary).toBeNull();
    expect((await it.cli('promote')).stderr).toBe(
      'sallyport: the rules in the folder do not load: see `sallyport check`\n',
    );
    expect(await it.allowed('/old')).toEqual(AGENTS);
  });
});

describe('the state of generations', () => {
  it('that was not written by a gate ends the start with one line', async () => {
    const it = await stage().start(OLD);
    it.stop();
    writeFileSync(join(it.folder, 'state/policy/generations.json'), '{"version":1}');
    await expect(it.start()).rejects.toThrow(
      /generations\.json is not what the gate wrote there: restore it, or remove/,
    );
  });

  it('keeps ten generations at most', async () => {
    const it = await stage().start(OLD);
    for (let i = 0; i < 14; i++) it.change(`${OLD}# ${i}\n`);
    const copies = readdirSync(join(it.folder, 'state/policy')).filter((name) => /^[0-9a-f]{16}$/.test(name));
    expect(copies.length).toBe(10);
    expect((await it.status()).earlier.length).toBe(9);
  });

  it('that was damaged is not trusted: a copy must be what its name says', async () => {
    const it = await stage().start(OLD);
    const old = it.gate.snapshot().policy.generation;
    it.change(NEW);
    writeFileSync(join(it.folder, 'state/policy', old, 'rules.yaml'), BAD);
    expect((await it.cli('rollback')).stderr).toBe('sallyport: there is no earlier generation to go back to\n');
  });
});

describe('the admin listener', () => {
  const ask = (it: Stage, method: string, path: string, token?: string, body?: string): Promise<Response> =>
    fetch(`http://${it.gate.admin}${path}`, {
      method,
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
    });

  it('asks for the token in the state folder, which only its owner can read', async () => {
    const it = await stage().start(OLD);
    const file = join(it.folder, 'state/admin.token');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const token = readFileSync(file, 'utf8').trim();
    for (const wrong of [undefined, '', `${token}x`, token.slice(1)]) {
      expect((await ask(it, 'GET', '/policy', wrong)).status).toBe(401);
      expect((await ask(it, 'POST', '/policy/rollback', wrong, '{"by":"me"}')).status).toBe(401);
    }
    expect((await ask(it, 'GET', '/policy', token)).status).toBe(200);
    it.stop();
    await it.start();
    expect((await ask(it, 'GET', '/policy', token)).status).toBe(200);
  });

  it.each<[string, string, string | undefined, number, RegExp]>([
    ['GET', '/policy/promote', undefined, 405, /only POST is answered here/],
    ['POST', '/policy/promote', 'no json', 400, /not a JSON object/],
    ['POST', '/policy/promote', '["me"]', 400, /not a JSON object/],
    ['POST', '/policy/promote', '{}', 400, /"by" must say who asks/],
    ['POST', '/policy/promote', '{"by":"a\\nb"}', 400, /"by" must say who asks/],
    ['POST', '/policy/promote', `{"by":"${'x'.repeat(70_000)}"}`, 413, /65536 bytes at most/],
    ['POST', '/policy/promote', '{"by":"me"}', 409, /is in force already/],
    ['GET', '/policies', undefined, 404, /not found; here are/],
  ])('answers %s %s with %s', async (method, path, body, status, words) => {
    const it = await stage().start(OLD);
    const token = readFileSync(join(it.folder, 'state/admin.token'), 'utf8').trim();
    const answer = await ask(it, method, path, token, body);
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringMatching(words)]);
  });

  it('is not reached: the command says where it looked', async () => {
    const it = await stage().start(OLD);
    const gone = it.gate.admin;
    it.stop();
    const run = await new Promise<string>((resolve) => {
      const words = [CLI, 'policy', 'status', '--listen-admin', gone, '--state', join(it.folder, 'state')];
      execFile(process.execPath, words, (_error, _stdout, stderr) => resolve(stderr));
    });
    expect(run).toBe(`sallyport: no gate answers on ${gone}: ECONNREFUSED\n`);
  });
});
