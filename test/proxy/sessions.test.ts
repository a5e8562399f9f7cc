import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { adminCli } from '../support/admin-cli.ts';
import { TestCa } from '../support/certificates.ts';
import { answered, openTls, openTunnel, type RawClient } from '../support/client.ts';
import { BASIC, TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startStreamingOrigin, type Origin } from '../support/origin.ts';
import { startRedis } from '../support/redis.ts';
import { eventually, until } from '../support/until.ts';

const RULES = `version: 1
capabilities:
  mail: { endpoints: ["* https://api.test/mail/**"] }
  read: { endpoints: ["* https://api.test/read/**"] }
  raw: { endpoints: ["* tcp://raw.test:4000"] }
  other: { endpoints: ["* https://other.test/**"] }
agents:
  bot:
    identity: { token: "${TOKEN_HASH}" }
    capabilities: [mail, read, raw]
    allow: ["* https://api.test/own/**"]
`;

let ca: TestCa;
let origin: Origin;
beforeAll(async () => {
  ca = await TestCa.create();
  origin = await startStreamingOrigin(await ca.leaf(['api.test']));
});
afterAll(() => origin.close());

const opened: TestGate[] = [];
afterEach(async () => {
  for (const gate of opened.splice(0)) await gate.close();
});

async function gateWith(rules = RULES, flags: Record<string, string> = {}): Promise<TestGate> {
  const gate = await startGate({
    rules: { 'a.yaml': rules },
    pins: [`api.test:443=127.0.0.1:${origin.port}`, `raw.test:4000=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
    flags,
  });
  opened.push(gate);
  return gate;
}

const cli = (gate: TestGate, ...words: string[]): ReturnType<typeof adminCli> => adminCli(gate, 'session', ...words);

interface Made {
  readonly session: { readonly id: string; readonly expires: number };
  readonly token: string;
}

/** Straight to the admin listener: quicker than a process. */
async function make(gate: TestGate, body: object = {}): Promise<Made> {
  const token = readFileSync(join(gate.folder, 'state/admin.token'), 'utf8').trim();
  const answer = await fetch(`${gate.adminUrl}/sessions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}` },
    body: JSON.stringify({ agent: 'bot', by: 'test', ...body }),
  });
  if (answer.status !== 200) throw new Error(await answer.text());
  return (await answer.json()) as Made;
}

const login = (token: string, agent = 'bot'): string =>
  `Proxy-Authorization: Basic ${Buffer.from(`${agent}:${token}`).toString('base64')}\r\n`;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`;

/** Opens TLS to api.test in a session. */
async function enter(gate: TestGate, token: string): Promise<RawClient> {
  return openTls(gate, 'api.test:443', { fields: login(token) });
}

async function reasonOf(gate: TestGate, token: string, path: string): Promise<string | null> {
  const client = await enter(gate, token);
  client.send(get(path));
  await answered(client);
  await client.close();
  return client.reason;
}

describe('a session', () => {
  it('may do what its agent may, and is on record with its labels', async () => {
    const gate = await gateWith();
    const { session, token } = await make(gate, { labels: { task: '123' } });
    for (const path of ['/mail/x', '/read/x', '/own/x']) expect(await reasonOf(gate, token, path)).toBeNull();
    expect(await reasonOf(gate, token, '/elsewhere')).toBe('path-not-allowed');
    expect(await gate.outcome()).toMatchObject({ agent: 'bot', session: session.id });
    const line =
      gate
        .auditText()
        .split('\n')
        .find((each) => each.includes('"kind":"session"')) ?? '';
    expect(JSON.parse(line)).toMatchObject({
      action: 'created',
      agent: 'bot',
      by: 'test',
      labels: { task: '123' },
      session: session.id,
    });
    expect(line).not.toContain(token.slice(10, 40));
  });

  it('holds a part of its agent’s capabilities, and of nothing else', async () => {
    const gate = await gateWith();
    const { token } = await make(gate, { capabilities: ['read'] });
    expect(await reasonOf(gate, token, '/read/x')).toBeNull();
    for (const path of ['/mail/x', '/own/x']) expect(await reasonOf(gate, token, path)).toBe('path-not-allowed');
    // What it does not hold is not even reached: no name is looked up, no tunnel opened.
    const raw = await openTunnel(gate, 'raw.test:4000', login(token));
    raw.received = '';
    raw.send('GET / HTTP/1.1\r\nHost: raw.test:4000\r\n\r\n');
    await answered(raw);
    expect(raw.reason).toBe('host-not-allowed');
    await raw.close();
    expect(await gate.outcome((event) => event.host === 'raw.test')).toMatchObject({
      reason: 'host-not-allowed',
      address: null,
    });
  });

  it('loses what its agent loses', async () => {
    const gate = await gateWith();
    const { token } = await make(gate, { capabilities: ['read', 'mail'] });
    gate.writeRules({ 'a.yaml': RULES.replace('[mail, read, raw]', '[mail]') });
    expect(gate.gate.reload()).toEqual([]);
    expect([await reasonOf(gate, token, '/read/x'), await reasonOf(gate, token, '/mail/x')]).toEqual([
      'path-not-allowed',
      null,
    ]);
    gate.writeRules({ 'a.yaml': RULES.replace('  bot:', '  bob:') });
    gate.gate.reload();
    expect(await reasonOf(gate, token, '/mail/x')).toBe('agent-unknown');
  });

  it('ends when its time is over: what is under way is cut, tunnels too', async () => {
    const gate = await gateWith();
    const { session, token } = await make(gate, { ttl: '1s' });
    const client = await enter(gate, token);
    client.send(get('/read/stream'));
    await client.see('first');
    const raw = await openTunnel(gate, 'raw.test:4000', login(token));
    await client.gone();
    await raw.gone();
    expect(Date.now()).toBeGreaterThanOrEqual(session.expires - 5);
    await client.close();
    await raw.close();
    expect(await gate.outcome((event) => event.outcome === 'truncated')).toMatchObject({ reason: 'session-expired' });
    expect(await reasonOf(gate, token, '/read/x')).toBe('session-expired');
    await until(() => gate.auditText().includes('"action":"expired"'), 'the record');
  });

  it('has limits of its own beside those of its agent, and says what it has used', async () => {
    const gate = await gateWith(
      RULES.replace('    capabilities: [mail', '    limits: { requests: 5/hour }\n    capabilities: [mail'),
    );
    const [one, two] = [await make(gate, { limits: { requests: '2/session' } }), await make(gate)];
    for (const reason of [null, null, 'rate-exceeded', 'rate-exceeded'])
      expect(await reasonOf(gate, one.token, '/read/x')).toBe(reason);
    expect((await gate.outcome((event) => event.reason === 'rate-exceeded')).detail).toBe(
      `the limit of session ${one.session.id} is reached (requests: 2/session)`,
    );
    for (const reason of [null, null, null, 'rate-exceeded'])
      expect(await reasonOf(gate, two.token, '/read/x')).toBe(reason);
    expect(await reasonOf(gate, two.token, '/elsewhere')).toBe('path-not-allowed');
    const { out } = await cli(gate, 'list');
    expect(out).toMatch(
      new RegExp(
        `^${one.session.id} .* requests:2/session  4 requests \\(2 denied\\), 0 bytes sent, 10 received$`,
        'm',
      ),
    );
    expect(out).toMatch(
      new RegExp(`^${two.session.id} .*  5 requests \\(2 denied\\), 0 bytes sent, 15 received$`, 'm'),
    );
  });

  it('is listed after a restart, unless it has ended', async () => {
    const gate = await gateWith();
    const made = await Promise.all(['1h', '1s', '1h'].map((ttl) => make(gate, { ttl })));
    await cli(gate, 'revoke', made[2]?.session.id ?? '', '--reason', 'x');
    await until(() => gate.auditText().includes('"action":"expired"'), 'the second to end');
    const again = await gateWith(RULES, { state: join(gate.folder, 'state') });
    const listed = JSON.parse(
      await (
        await fetch(`${again.adminUrl}/sessions`, {
          headers: { Authorization: `Bearer ${readFileSync(join(gate.folder, 'state/admin.token'), 'utf8').trim()}` },
        })
      ).text(),
    ) as Array<{ id: string }>;
    expect(listed.map(({ id }) => id)).toEqual([made[0]?.session.id]);
    expect(readFileSync(join(gate.folder, 'state/sessions.jsonl'), 'utf8')).not.toContain(made[0]?.token.slice(10, 40));
  });

  it('is not another agent’s, and not what somebody made up', async () => {
    const gate = await gateWith(`${RULES}  eve: { identity: { token: "sha256:${'0'.repeat(64)}" } }\n`);
    const { token } = await make(gate);
    const made = [login(token, 'eve'), login(`${token}x`), login(`x${token}`), login('sps1.e30.AAAA')];
    for (const fields of made) {
      const client = await openTunnel(gate, 'api.test:443', fields);
      expect([client.status, client.reason]).toEqual([407, 'agent-unknown']);
      await client.close();
    }
  });

  it('can be demanded of an agent', async () => {
    const gate = await gateWith(
      RULES.replace('    capabilities: [mail', '    sessions: required\n    capabilities: [mail'),
    );
    const client = await openTunnel(gate, 'api.test:443', `Proxy-Authorization: ${BASIC}\r\n`);
    expect([client.status, client.reason]).toEqual([407, 'agent-unknown']);
    await client.close();
    const { token } = await make(gate);
    expect(await reasonOf(gate, token, '/read/x')).toBeNull();
  });

  it('is taken by another gate that shares the keys, after a restart too', async () => {
    const gate = await gateWith();
    const { token } = await make(gate);
    const other = await gateWith(RULES, { 'sessions.keys': join(gate.folder, 'state/session-keys.json') });
    expect(await reasonOf(other, token, '/read/x')).toBeNull();
    const stranger = await gateWith();
    const client = await openTunnel(stranger, 'api.test:443', login(token));
    expect(client.status).toBe(407);
    await client.close();
  });
});

describe('sallyport session', () => {
  it('makes, lists and revokes sessions; a revoked one is cut at once', async () => {
    const gate = await gateWith();
    const { code, out, err } = await cli(
      gate,
      'create',
      '--agent',
      'bot',
      '--ttl',
      '5m',
      '--capabilities',
      'read,mail',
      '--label',
      'task=7',
    );
    expect([code, out]).toEqual([0, expect.stringMatching(/^sps1\.[\w-]+\.[\w-]+\n$/)]);
    const id = /^session ([0-9a-f]{16}) {2}bot {2}until \S+ {2}read,mail task=7\n$/.exec(err)?.[1] ?? '';
    expect(id).not.toBe('');
    const client = await enter(gate, out.trim());
    client.send(get('/read/stream'));
    await client.see('first');
    expect((await cli(gate, 'list')).out).toContain(id);
    expect((await cli(gate, 'revoke', id, '--reason', 'cancelled')).out).toBe(`revoked session ${id}\n`);
    await client.gone();
    await client.close();
    expect(await reasonOf(gate, out.trim(), '/read/x')).toBe('halted');
    expect((await cli(gate, 'list')).out).toBe('no session\n');
  });

  it('changes keys: sessions of old ones stay, until all are revoked', async () => {
    const gate = await gateWith();
    const { token } = await make(gate);
    await cli(gate, 'keys', 'rotate');
    const { token: later } = await make(gate);
    for (const each of [token, later]) expect(await reasonOf(gate, each, '/read/x')).toBeNull();
    const client = await enter(gate, later);
    client.send(get('/read/stream'));
    await client.see('first');
    await cli(gate, 'keys', 'revoke-all');
    await client.gone();
    await client.close();
    for (const each of [token, later]) {
      const refused = await openTunnel(gate, 'api.test:443', login(each));
      expect(refused.status).toBe(407);
      await refused.close();
    }
    expect(statSync(join(gate.folder, 'state/session-keys.json')).mode & 0o777).toBe(0o600);
    const actions = [...gate.auditText().matchAll(/"action":"(keys-\w+)"/g)].map((match) => match[1]);
    expect(actions).toEqual(['keys-rotated', 'keys-revoked']);
  });

  it('signs with a new key by itself when the last has signed long enough', async () => {
    const gate = await gateWith(RULES, { 'sessions.rotate': '100ms' });
    const file = join(gate.folder, 'state/session-keys.json');
    const count = (): number => (JSON.parse(readFileSync(file, 'utf8')) as { keys: unknown[] }).keys.length;
    const { token } = await make(gate);
    await eventually(async () => {
      await make(gate);
      return count() >= 2;
    }, 'a new key');
    expect(await reasonOf(gate, token, '/read/x')).toBeNull();
  });

  it.each<[string[], RegExp]>([
    [['create', '--agent', 'nobody'], /the rules know no agent "nobody"/],
    [
      ['create', '--agent', 'bot', '--capabilities', 'other'],
      /bot is not granted other: a session can hold less, not more/,
    ],
    [['create', '--agent', 'bot', '--ttl', '30d'], /a session of bot lasts one second to 604800 seconds/],
    [['create', '--agent', 'bot', '--ttl', 'long'], /"ttl" must be a duration such as 5m/],
    [
      ['create', '--agent', 'bot', '--limit', 'requests=many'],
      /"many" is not a limit of requests: write a rate such as/,
    ],
    [['create', '--agent', 'bot', '--limit', 'mails=3/hour'], /"mails" cannot be limited: write requests, upload/],
    [['create', '--agent', 'bot', '--limit', 'x'], /--limit "x" is not kind=limit/],
    [['create', '--agent', 'bot', '--label', 'x'], /--label "x" is not name=text/],
    [['create'], /required option '--agent <name>'/],
  ])('refuses %j with one line', async (words, message) => {
    const gate = await gateWith();
    const { code, err } = await cli(gate, ...words);
    expect([code, err.trim().split('\n').length, err]).toEqual([2, 1, expect.stringMatching(message)]);
  });

  it('makes none that lasts longer than the rules let it', async () => {
    const gate = await gateWith(
      RULES.replace('    capabilities: [mail', '    limits: { session: 5m }\n    capabilities: [mail'),
    );
    const { session } = await make(gate);
    expect(session.expires - Date.now()).toBeLessThanOrEqual(300_000);
    await expect(make(gate, { ttl: '6m' })).rejects.toThrow('lasts one second to 300 seconds');
  });
});

describe('sessions of gates that share a Redis', () => {
  it('are revoked on all of them', async () => {
    const redis = await startRedis();
    const first = await gateWith(RULES, { 'store.url': redis.url });
    const second = await gateWith(RULES, {
      'store.url': redis.url,
      'sessions.keys': join(first.folder, 'state/session-keys.json'),
    });
    const { session, token } = await make(first);
    const client = await enter(second, token);
    client.send(get('/read/stream'));
    await client.see('first');
    await cli(first, 'revoke', session.id, '--reason', 'cancelled');
    await client.gone();
    await client.close();
    expect(await reasonOf(second, token, '/read/x')).toBe('halted');
    await redis.close();
  });
});
