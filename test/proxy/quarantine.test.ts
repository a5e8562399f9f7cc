import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { adminCli } from '../support/admin-cli.ts';
import { TestCa } from '../support/certificates.ts';
import { ask, openTls, type RawClient } from '../support/client.ts';
import { TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startStreamingOrigin, type Origin } from '../support/origin.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

let ca: TestCa;
let origin: Origin;
let redis: TestRedis;
beforeAll(async () => {
  ca = await TestCa.create();
  origin = await startStreamingOrigin(await ca.leaf(['api.test']));
  redis = await startRedis();
});
afterAll(async () => {
  await origin.close();
  await redis.close();
});

const opened: TestGate[] = [];
afterEach(async () => {
  for (const gate of opened.splice(0)) await gate.close();
  await redis.command('FLUSHALL');
});

interface Asked {
  readonly quarantine: string;
  readonly mode?: string;
  readonly more?: string;
  readonly flags?: Record<string, string>;
}

async function gateWith({ quarantine, mode = 'enforce', more = '', flags = {} }: Asked): Promise<TestGate> {
  const rules = `version: 1
agents:
  bot:
    identity: { token: "${TOKEN_HASH}" }
    mode: ${mode}
    allow: ["GET https://api.test/read/**", "GET https://gone.test/**"]
    quarantine: ${quarantine}
${more}`;
  const gate = await startGate({
    rules: { 'a.yaml': rules },
    pins: [`api.test:443=127.0.0.1:${origin.port}`, 'gone.test:443=127.0.0.1:1'],
    upstreamCa: ca.certificate,
    flags,
  });
  opened.push(gate);
  return gate;
}

const get = (path: string, host = 'api.test'): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

interface Asking {
  readonly host?: string;
  readonly fields?: string;
}

async function reasonOf(
  gate: TestGate,
  path = '/read/x',
  { host = 'api.test', ...rest }: Asking = {},
): Promise<string | null> {
  const client = await ask(gate, `${host}:443`, get(path, host), rest);
  await client.close();
  return client.reason;
}

async function stream(gate: TestGate, rest: { fields?: string } = {}): Promise<RawClient> {
  const client = await openTls(gate, 'api.test:443', rest);
  client.send(get('/read/stream'));
  await client.see('first');
  return client;
}

/** Lines of the record that tell of halts. */
function haltEvents(gate: TestGate): Array<Record<string, string>> {
  return gate
    .auditText()
    .split('\n')
    .filter((line) => line.includes('"kind":"halt"'))
    .map((line) => JSON.parse(line) as Record<string, string>);
}

const contained = (gate: TestGate): Promise<Record<string, string>> =>
  until(() => haltEvents(gate).find(({ action }) => action !== 'revived'), 'the gate to contain the agent');

describe('quarantine', () => {
  it('halts an agent at the last denial there may be, cuts what it has under way, and says why', async () => {
    const gate = await gateWith({ quarantine: '{ denials: 3/minute, for: 1h }' });
    const client = await stream(gate);
    for (const path of ['/a', '/b']) expect(await reasonOf(gate, path)).toBe('path-not-allowed');
    expect(await reasonOf(gate)).toBeNull();
    expect(haltEvents(gate)).toEqual([]);
    expect(await reasonOf(gate, '/c')).toBe('path-not-allowed');
    await client.gone();
    await client.close();
    const reason = 'denials reached 3/minute; the last one: path-not-allowed, api.test';
    expect(await contained(gate)).toMatchObject({ action: 'quarantined', by: 'gate', scope: 'agent bot', reason });
    const refused = await ask(gate, 'api.test:443', get('/read/x'));
    await refused.close();
    expect(refused.reason).toBe('quarantined');
    expect(refused.received).toMatch(/^HTTP\/1\.1 403 .*\r\n[^]*Retry-After: 3[56]\d\d\r\n/);
    expect(refused.received).toMatch(/agent bot is quarantined until \d{4}-.*: denials reached 3\/minute/);
    const { out } = await adminCli(gate, 'halts');
    expect(out).toMatch(/^agent bot {2}quarantined until \S+ since \S+ by gate: denials reached 3\/minute/);
  });

  it('counts different unknown hosts, not how often one is asked for', async () => {
    const gate = await gateWith({ quarantine: '{ unknown-hosts: 3/minute, for: 1h }' });
    for (const host of ['a.test', 'a.test', 'b.test', 'a.test', 'b.test'])
      expect(await reasonOf(gate, '/', { host })).toBe('host-not-allowed');
    expect(await reasonOf(gate)).toBeNull();
    expect(await reasonOf(gate, '/', { host: 'c.test' })).toBe('host-not-allowed');
    expect((await contained(gate))['reason']).toBe(
      'unknown-hosts reached 3/minute; the last one: host-not-allowed, c.test',
    );
  });

  it('contains at the very first where one is too many', async () => {
    const gate = await gateWith({ quarantine: '{ denials: 1/minute, for: 1h }' });
    expect(await reasonOf(gate, '/a')).toBe('path-not-allowed');
    await contained(gate);
    expect(await reasonOf(gate)).toBe('quarantined');
  });

  it('takes no notice of upstreams that fail, limits that are reached, and of its own refusals', async () => {
    const more = '    limits: { requests: 6/hour }\n';
    const gate = await gateWith({ quarantine: '{ denials: 2/minute, for: 1h }', more });
    for (let i = 0; i < 4; i++) expect(await reasonOf(gate, '/', { host: 'gone.test' })).toBe('upstream-unreachable');
    for (let i = 0; i < 6; i++) expect(await reasonOf(gate)).toBeNull();
    for (let i = 0; i < 4; i++) expect(await reasonOf(gate)).toBe('rate-exceeded');
    await adminCli(gate, 'kill', 'agent', 'bot', '--reason', 'x');
    for (let i = 0; i < 4; i++) expect(await reasonOf(gate)).toBe('halted');
    await adminCli(gate, 'revive', 'agent', 'bot', '--reason', 'x');
    expect(await reasonOf(gate)).toBe('rate-exceeded');
    expect(haltEvents(gate).map(({ action }) => action)).toEqual(['halted', 'revived']);
  });

  it('takes no notice of what rules refuse that are only tried out', async () => {
    const flags = { 'rollout.canary': '100%', 'rollout.for': '1h', 'rollout.abort-when.deny-rate': 'never' };
    const gate = await gateWith({ quarantine: '{ denials: 2/minute, for: 1h }', flags });
    const rules = readFileSync(join(gate.folder, 'rules/a.yaml'), 'utf8');
    gate.writeRules({ 'a.yaml': rules.replace('/read/**', '/else/**') });
    expect(gate.gate.reload()).toEqual([]);
    for (let i = 0; i < 4; i++) expect(await reasonOf(gate)).toBe('path-not-allowed');
    await adminCli(gate, 'policy', 'promote');
    for (let i = 0; i < 2; i++) expect(await reasonOf(gate)).toBe('path-not-allowed');
    await contained(gate);
    expect(haltEvents(gate)).toHaveLength(1);
    expect(await reasonOf(gate)).toBe('quarantined');
  });

  it('ends by itself when its time is over, and by the hand of a person', async () => {
    const gate = await gateWith({ quarantine: '{ denials: 1/minute, for: 1s }' });
    await reasonOf(gate, '/a');
    await until(() => haltEvents(gate).find(({ reason }) => reason === 'its time is over'), 'the end');
    expect(await reasonOf(gate)).toBeNull();
    gate.writeRules({ 'a.yaml': readFileSync(join(gate.folder, 'rules/a.yaml'), 'utf8').replace('1s', '1h') });
    expect(gate.gate.reload()).toEqual([]);
    await reasonOf(gate, '/a');
    await until(() => haltEvents(gate).filter(({ action }) => action === 'quarantined')[1], 'the second');
    expect(await reasonOf(gate)).toBe('quarantined');
    expect((await adminCli(gate, 'revive', 'agent', 'bot', '--reason', 'looked at')).out).toBe('revived agent bot\n');
    expect(await reasonOf(gate)).toBeNull();
  });

  it('holds over a restart', async () => {
    const gate = await gateWith({ quarantine: '{ denials: 1/minute, for: 1h }' });
    await reasonOf(gate, '/a');
    await contained(gate);
    const again = await gateWith({
      quarantine: '{ denials: 1/minute, for: 1h }',
      flags: { state: join(gate.folder, 'state') },
    });
    expect(await reasonOf(again)).toBe('quarantined');
  });

  it('leaves what a person has stopped in place when it ends itself', async () => {
    const gate = await gateWith({ quarantine: '{ denials: 1/minute, for: 1s }' });
    await reasonOf(gate, '/a');
    await contained(gate);
    await adminCli(gate, 'kill', 'agent', 'bot', '--reason', 'a person');
    await until(() => haltEvents(gate).find(({ reason }) => reason === 'its time is over'), 'the end');
    expect(await reasonOf(gate)).toBe('halted');
  });
});

describe('quarantine of a session', () => {
  it('stops that session, and neither its agent nor another', async () => {
    const gate = await gateWith({ quarantine: '{ denials: 2/minute, for: 1h, do: kill-session }' });
    const tokens = await Promise.all([1, 2].map(() => sessionOf(gate)));
    const [first, second] = tokens.map((token) => ({
      fields: `Proxy-Authorization: Basic ${Buffer.from(`bot:${token}`).toString('base64')}\r\n`,
    })) as [Asking, Asking];
    for (const each of [first, second, first]) expect(await reasonOf(gate, '/a', each)).toBe('path-not-allowed');
    expect((await contained(gate))['scope']).toMatch(/^session [0-9a-f]{16}$/);
    expect(await reasonOf(gate, '/read/x', first)).toBe('quarantined');
    expect(await reasonOf(gate, '/read/x', second)).toBeNull();
    expect(await reasonOf(gate)).toBeNull();
  });
});

async function sessionOf(gate: TestGate): Promise<string> {
  const admin = readFileSync(join(gate.folder, 'state/admin.token'), 'utf8').trim();
  const response = await fetch(`${gate.adminUrl}/sessions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${admin}` },
    body: JSON.stringify({ agent: 'bot', ttl: '5m', by: 'test' }),
  });
  return ((await response.json()) as { token: string }).token;
}

describe('quarantine of an agent that is observed', () => {
  it('holds it to its rules for a while where that is asked for', async () => {
    const gate = await gateWith({ quarantine: '{ denials: 3/minute, for: 1s, do: observe→enforce }', mode: 'observe' });
    for (const path of ['/a', '/b', '/c']) expect(await reasonOf(gate, path)).toBeNull();
    expect(await contained(gate)).toMatchObject({ action: 'enforced', scope: 'agent bot' });
    expect([await reasonOf(gate, '/d'), await reasonOf(gate)]).toEqual(['path-not-allowed', null]);
    await until(() => haltEvents(gate).find(({ action }) => action === 'revived'), 'the end');
    expect(await reasonOf(gate, '/e')).toBeNull();
  });

  it('never halts it for what it was promised to be let do', async () => {
    const gate = await gateWith({ quarantine: '{ denials: 2/minute, for: 1h, do: halt-agent }', mode: 'observe' });
    for (let i = 0; i < 4; i++) expect(await reasonOf(gate, '/a')).toBeNull();
    expect(haltEvents(gate)).toEqual([]);
    for (let i = 0; i < 2; i++) expect(await reasonOf(gate, '/a/../b')).toBe('path-malformed');
    await contained(gate);
    expect(await reasonOf(gate)).toBe('quarantined');
  });
});

describe('gates that share a Redis', () => {
  it('count together and contain together', async () => {
    const flags = { 'store.url': redis.url };
    const gates = await Promise.all(
      [1, 2, 3].map(() => gateWith({ quarantine: '{ denials: 4/minute, for: 1h }', flags })),
    );
    const streams = await Promise.all(gates.map((gate) => stream(gate)));
    for (const gate of [...gates, gates[0] as TestGate]) expect(await reasonOf(gate, '/a')).toBe('path-not-allowed');
    for (const client of streams) await client.gone();
    for (const client of streams) await client.close();
    for (const gate of gates) expect(await reasonOf(gate)).toBe('quarantined');
    const metrics = await Promise.all(gates.map((gate) => fetch(`${gate.adminUrl}/metrics`).then((r) => r.text())));
    const total = metrics.map((text) =>
      Number(/^sallyport_quarantines_total\{cause="denials"\} (\d+)$/m.exec(text)?.[1]),
    );
    expect(total.reduce((sum, each) => sum + each)).toBe(1);
    for (const text of metrics) expect(text).toMatch(/^sallyport_halts\{kind="quarantine"\} 1$/m);
  });

  it('count for themselves while it is away', async () => {
    const gate = await gateWith({ quarantine: '{ denials: 2/minute, for: 1h }', flags: { 'store.url': redis.url } });
    await redis.kill();
    for (let i = 0; i < 2; i++) expect(await reasonOf(gate, '/a')).toBe('path-not-allowed');
    await contained(gate);
    expect(await reasonOf(gate)).toBe('quarantined');
    expect(await fetch(`${gate.adminUrl}/metrics`).then((r) => r.text())).toMatch(/^sallyport_store_available 0$/m);
    await redis.restart();
  });
});
