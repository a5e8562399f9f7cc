import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { adminCli } from '../support/admin-cli.ts';
import { TestCa } from '../support/certificates.ts';
import { ask, openTls, type RawClient } from '../support/client.ts';
import { TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startStreamingOrigin, type Origin } from '../support/origin.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { until } from '../support/until.ts';

const RULES = `version: 1
capabilities:
  mail: { endpoints: ["* https://api.test/mail/**"] }
  read: { endpoints: ["* https://api.test/read/**"] }
agents:
  bot: { tenant: acme, identity: { token: "${TOKEN_HASH}" }, capabilities: [mail, read] }
  other: { identity: { token: "sha256:${'0'.repeat(64)}" } }
`;

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

async function gateWith(flags: Record<string, string> = {}): Promise<TestGate> {
  const gate = await startGate({
    rules: { 'a.yaml': RULES },
    pins: [`api.test:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
    flags,
  });
  opened.push(gate);
  return gate;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`;

async function reasonOf(gate: TestGate, path = '/read/x'): Promise<string | null> {
  const client = await ask(gate, 'api.test:443', get(path));
  await client.close();
  return client.reason;
}

/** A stream that has begun and does not end. */
async function stream(gate: TestGate, path: string): Promise<RawClient> {
  const client = await openTls(gate, 'api.test:443');
  client.send(get(path));
  await client.see('first');
  return client;
}

describe('sallyport kill', () => {
  it.each([
    ['agent bot', ['agent', 'bot'], true],
    ['tenant acme', ['tenant', 'acme'], true],
    ['everything', ['all'], true],
    ['agent other', ['agent', 'other'], false],
    ['tenant other', ['tenant', 'other'], false],
  ])('stops %s: what is under way is cut, and nothing begins', async (scope, words, concerns) => {
    const gate = await gateWith();
    const client = await stream(gate, '/read/stream');
    const { code, out } = await adminCli(gate, 'kill', ...words, '--reason', 'a test');
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^halted ${scope}\n${scope} {2}since .* by \\S+: a test\n$`)),
    ]);
    if (concerns) {
      await client.gone();
      expect(await gate.outcome((event) => event.outcome === 'truncated')).toMatchObject({ reason: 'halted' });
      expect(await reasonOf(gate)).toBe('halted');
    } else expect(await reasonOf(gate)).toBeNull();
    await client.close();
    expect((await adminCli(gate, 'halts')).code).toBe(1);
    expect((await adminCli(gate, 'revive', ...words, '--reason', 'fixed')).out).toBe(`revived ${scope}\n`);
    expect(await reasonOf(gate)).toBeNull();
    expect(await adminCli(gate, 'halts')).toMatchObject({ code: 0, out: 'nothing is halted\n' });
    const lines = gate
      .auditText()
      .split('\n')
      .filter((line) => line.includes('"kind":"halt"'));
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      expect.objectContaining({ action: 'halted', scope, reason: 'a test' }),
      expect.objectContaining({ action: 'revived', scope, reason: 'fixed' }),
    ]);
  });

  it('stops a capability, and leaves the others alone', async () => {
    const gate = await gateWith();
    const mail = await stream(gate, '/mail/stream');
    const read = await stream(gate, '/read/stream');
    await adminCli(gate, 'kill', 'capability', 'mail', '--reason', 'a test');
    await mail.gone();
    expect(read.closed || read.ended).toBe(false);
    expect([await reasonOf(gate, '/mail/x'), await reasonOf(gate, '/read/x')]).toEqual(['halted', null]);
    await mail.close();
    await read.close();
  });

  it('stops observing agents too: it is part of the floor', async () => {
    const gate = await gateWith();
    gate.writeRules({ 'a.yaml': RULES.replace('bot: {', 'bot: { mode: observe,') });
    expect(gate.gate.reload()).toEqual([]);
    expect(await reasonOf(gate, '/elsewhere')).toBeNull();
    await adminCli(gate, 'kill', 'agent', 'bot', '--reason', 'a test');
    expect(await reasonOf(gate, '/elsewhere')).toBe('halted');
  });

  it('holds over a restart', async () => {
    const gate = await gateWith();
    await adminCli(gate, 'kill', 'agent', 'bot', '--reason', 'a test');
    const again = await gateWith({ state: join(gate.folder, 'state') });
    expect(await reasonOf(again)).toBe('halted');
  });

  it.each<[string[], RegExp]>([
    [
      ['kill', 'agnt', 'bot', '--reason', 'x'],
      /"agnt" cannot be stopped: write one of agent, session, capability, tenant, all/,
    ],
    [['kill', 'agent', '--reason', 'x'], /which agent\? write its name/],
    [['kill', 'all', 'bot', '--reason', 'x'], /all is everything: it takes no name/],
    [['kill', 'agent', 'bot'], /required option '--reason <text>'/],
    [['kill', 'agent', 'bot', '--reason', ' '], /"reason" must be a line/],
    [['kill', 'agent', 'a b', '--reason', 'x'], /"name" must name an agent/],
    [['revive', 'agent', 'bot', '--reason', 'x'], /that is not halted here/],
  ])('refuses %j with one line', async (words, message) => {
    const gate = await gateWith();
    const { code, err } = await adminCli(gate, ...words);
    expect([code, err.trim().split('\n').length, err]).toEqual([2, 1, expect.stringMatching(message)]);
    expect(await reasonOf(gate)).toBeNull();
  });
});

describe('the file HALT in the state folder', () => {
  it('stops everything while it lies there, and says why', async () => {
    const gate = await gateWith();
    const client = await stream(gate, '/read/stream');
    const file = join(gate.folder, 'state/HALT');
    writeFileSync(file, 'incident 42\nmore\n');
    await client.gone();
    await client.close();
    const refused = await ask(gate, 'api.test:443', get('/read/x'));
    expect(refused.received).toContain('everything is halted: incident 42');
    await refused.close();
    expect((await adminCli(gate, 'revive', 'all', '--reason', 'x')).code).toBe(2);
    expect(await reasonOf(gate)).toBe('halted');
    rmSync(file);
    await until(() => gate.auditText().includes('HALT was removed'), 'the gate to see it');
    expect(await reasonOf(gate)).toBeNull();
  });

  it('stops everything from the first moment where it lies there at the start', async () => {
    const first = await gateWith();
    writeFileSync(join(first.folder, 'state/HALT'), '');
    const gate = await gateWith({ state: join(first.folder, 'state') });
    expect(await reasonOf(gate)).toBe('halted');
  });
});

describe('gates that share a Redis', () => {
  const shared = (url = redis.url): Record<string, string> => ({ 'store.url': url });

  it('are stopped and revived together, in well under a second', async () => {
    const gates = await Promise.all([1, 2, 3].map(() => gateWith(shared())));
    const streams = await Promise.all(gates.map((gate) => stream(gate, '/read/stream')));
    await adminCli(gates[0] as TestGate, 'kill', 'agent', 'bot', '--reason', 'a test');
    for (const client of streams) await client.gone();
    for (const client of streams) await client.close();
    for (const gate of gates) expect(await reasonOf(gate)).toBe('halted');
    await adminCli(gates[2] as TestGate, 'revive', 'agent', 'bot', '--reason', 'fixed');
    for (const gate of gates)
      await until(() => gate.auditText().includes('"action":"revived"'), 'the gate to be revived');
    for (const gate of gates) expect(await reasonOf(gate)).toBeNull();
  });

  it('hear of it when they come later, and when a message got lost', async () => {
    const first = await gateWith(shared());
    await adminCli(first, 'kill', 'agent', 'bot', '--reason', 'a test');
    const second = await gateWith(shared());
    expect(await reasonOf(second)).toBe('halted');
    // Put there without a word: what is announced is not the only way to learn of it.
    const made = { kind: 'capability', name: 'mail', reason: 'quiet', by: 'test', time: new Date().toISOString() };
    await redis.command('HSET', 'sallyport:{halts}', 'capability mail', JSON.stringify(made));
    for (const gate of [first, second])
      await until(() => gate.auditText().includes('"reason":"quiet"'), 'the gate to look');
  });

  it('are stopped at once where they are told, though Redis is away; the others when it is back', async () => {
    const mortal = await startRedis();
    const [near, far] = [await gateWith(shared(mortal.url)), await gateWith(shared(mortal.url))];
    await mortal.kill();
    await adminCli(near, 'kill', 'agent', 'bot', '--reason', 'a test');
    expect([await reasonOf(near), await reasonOf(far)]).toEqual(['halted', null]);
    await mortal.restart();
    await until(() => far.auditText().includes('"action":"halted"'), 'the other gate to hear of it');
    expect(await reasonOf(far)).toBe('halted');
    await mortal.close();
  });

  it('revive nobody because Redis lost its memory, and tell it again', async () => {
    const mortal = await startRedis();
    const gate = await gateWith(shared(mortal.url));
    await adminCli(gate, 'kill', 'agent', 'bot', '--reason', 'a test');
    await mortal.restart();
    const later = await gateWith(shared(mortal.url));
    await until(() => later.auditText().includes('"action":"halted"'), 'a gate that came later to hear of it');
    expect([await reasonOf(gate), await reasonOf(later)]).toEqual(['halted', 'halted']);
    await mortal.close();
  });

  it('forget what says nothing to anybody any more: sessions that are over, quarantines, old revivals', async () => {
    const gate = await gateWith(shared());
    const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
    const made = { name: 'x', reason: 'old', by: 'test' };
    const notices = {
      'session x': { ...made, kind: 'session', time: ago(9) },
      'quarantine halt agent x': { ...made, kind: 'agent', time: ago(2), until: ago(1), quarantine: 'halt' },
      'agent x': { ...made, kind: 'agent', time: ago(20), revived: { reason: 'fixed', by: 'test', time: ago(9) } },
      'capability x': { ...made, kind: 'capability', time: ago(300) },
    };
    for (const [key, each] of Object.entries(notices))
      await redis.command('HSET', 'sallyport:{halts}', key, JSON.stringify(each));
    let left = 4;
    await until(() => {
      void redis.command('HLEN', 'sallyport:{halts}').then((text) => (left = Number(text.replace(':', ''))));
      return left === 1;
    }, 'the board to be cleared');
    expect(await redis.command('HGET', 'sallyport:{halts}', 'capability x')).toContain('"old"');
    const halted = (): string[] => gate.auditText().match(/"action":"halted"[^\n]*"scope":"[^"]*"/g) ?? [];
    await until(() => halted().length > 0, 'the one that holds');
    expect(halted()).toEqual([expect.stringContaining('capability x')]);
  });
});
