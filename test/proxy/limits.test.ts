import { connect, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { RawClient, answered } from '../support/client.ts';
import { BASIC, TOKEN_HASH, startGate, type GateOptions, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { eventually, until } from '../support/until.ts';

let origin: Origin;
let redis: TestRedis;
/** Answers that are not ended until the test says so. */
const held: Array<() => void> = [];
beforeAll(async () => {
  origin = await startOrigin({
    answer: ({ url }, response) => {
      const size = Number(/^\/bytes\/(\d+)/.exec(url)?.[1] ?? 2);
      if (url.startsWith('/held')) {
        response.write('x');
        held.push(() => response.end());
      } else if (url.startsWith('/model')) {
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ usage: { total_tokens: Number(url.split('/')[2]) } }));
      } else response.end('x'.repeat(size));
    },
  });
  redis = await startRedis();
});
afterAll(async () => {
  await origin.close();
  await redis.close();
});

const opened: TestGate[] = [];
afterEach(async () => {
  for (const end of held.splice(0)) end();
  for (const gate of opened.splice(0)) await gate.close();
  await redis.command('FLUSHALL');
});

async function gateWith(limits: string, options: GateOptions = {}): Promise<TestGate> {
  const gate = await startGate({
    allow: ['* http://api.test/**', '* http://other.test/**', '* http://gone.test/**'],
    more: `    limits: ${limits}\n`,
    pins: [
      `api.test:80=127.0.0.1:${origin.port}`,
      `other.test:80=127.0.0.1:${origin.port}`,
      'gone.test:80=127.0.0.1:1',
    ],
    ...options,
  });
  opened.push(gate);
  return gate;
}

async function begin(gate: TestGate, path = '/', host = 'api.test', more = '', body = ''): Promise<RawClient> {
  const client = new RawClient(connect({ port: gate.port, host: '127.0.0.1' }));
  const method = body === '' ? 'GET' : 'POST';
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`;
  client.send(
    `${method} http://${host}${path} HTTP/1.1\r\nHost: ${host}\r\nProxy-Authorization: ${BASIC}\r\n${length}${more}\r\n${body}`,
  );
  await client.see('\r\n\r\n');
  return client;
}

async function ask(gate: TestGate, path = '/', host = 'api.test', body = ''): Promise<RawClient> {
  const client = await begin(gate, path, host, '', body);
  await answered(client);
  await client.close();
  return client;
}

const field = (client: RawClient, name: string): string | undefined =>
  new RegExp(`^${name}: (.*)\r$`, 'im').exec(client.received)?.[1];

/** Both stores do the same for whoever asks. */
const STORES: Array<[string, () => Record<string, string>]> = [
  ['in memory', () => ({})],
  ['in Redis', () => ({ 'store.url': redis.url })],
];

describe.each(STORES)('limits counted %s', (_name, flags) => {
  it('so many requests and not one more, and when to come back', async () => {
    const gate = await gateWith('{ requests: 3/minute }', { flags: flags() });
    for (let i = 0; i < 3; i++) expect((await ask(gate)).status).toBe(200);
    const seen = origin.requests.length;
    const refused = await ask(gate);
    expect([refused.status, refused.reason]).toEqual([429, 'rate-exceeded']);
    expect(origin.requests.length).toBe(seen);
    const seconds = Number(field(refused, 'Retry-After'));
    expect(seconds).toBeGreaterThan(55);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'].map((name) => field(refused, name))).toEqual([
      '3',
      '0',
      String(seconds),
    ]);
    expect(refused.received).toContain('the limit of bot is reached (requests: 3/minute)');
    expect(await gate.outcome((event) => event.reason === 'rate-exceeded')).toMatchObject({ decision: 'deny' });
  });

  it('gives back what did not leave: refused by another limit, or never sent', async () => {
    const gate = await gateWith('{ requests: 2/minute, hosts: 1/minute }', { flags: flags() });
    for (let i = 0; i < 3; i++) expect((await ask(gate, '/', 'gone.test')).reason).toBe('upstream-unreachable');
    expect((await ask(gate)).status).toBe(200);
    for (let i = 0; i < 3; i++) {
      const refused = await ask(gate, '/', 'other.test');
      expect(refused.received).toContain('(hosts: 1/minute)');
    }
    expect((await ask(gate)).status).toBe(200);
    expect((await ask(gate)).received).toContain('(requests: 2/minute)');
  });

  it('so much at once, and room again as soon as one has ended, however it ends', async () => {
    const gate = await gateWith('{ concurrency: 2 }', { flags: flags() });
    const first = await begin(gate, '/held');
    const second = await begin(gate, '/held');
    const refused = await ask(gate);
    expect([refused.status, refused.reason]).toEqual([429, 'rate-exceeded']);
    expect(refused.received).toContain('(2 exchanges at once)');
    second.socket.resetAndDestroy();
    await until(
      () => gate.events().some((event) => event.kind === 'outcome' && event.outcome === 'aborted'),
      'the end',
    );
    expect((await ask(gate)).status).toBe(200);
    for (const end of held.splice(0)) end();
    await first.close();
  });

  it('cuts a download off where its budget ends, and says so on record', async () => {
    const gate = await gateWith('{ download: 100 KB/minute }', { flags: flags() });
    expect((await ask(gate, '/bytes/30000')).received.length).toBeGreaterThan(30_000);
    const cut = await begin(gate, '/bytes/400000');
    await cut.gone();
    expect(cut.received.split('\r\n\r\n')[1]?.length ?? 0).toBeLessThanOrEqual(70_000);
    expect(await gate.outcome((event) => event.outcome === 'truncated')).toMatchObject({ reason: 'budget-exhausted' });
    await cut.close();
    // What is left is left for others: a transfer that was cut took no more than it passed on.
    const { received } = (await gate.outcome((event) => event.outcome === 'truncated')).bytes;
    const last = await ask(gate, `/bytes/${70_000 - received}`);
    expect(last.status).toBe(200);
    const refused = await ask(gate);
    expect([refused.status, refused.reason]).toEqual([429, 'budget-exhausted']);
  });

  it('lets no more bytes leave than may, and gives back those that were not used', async () => {
    const gate = await gateWith('{ upload: 10 KB/minute }', { flags: flags() });
    expect((await ask(gate, '/', 'api.test', 'x'.repeat(6000))).status).toBe(200);
    const seen = origin.requests.length;
    const refused = await ask(gate, '/', 'api.test', 'x'.repeat(4001));
    expect([refused.status, refused.reason]).toEqual([429, 'budget-exhausted']);
    expect(origin.requests.length).toBe(seen);
    expect((await ask(gate, '/', 'api.test', 'x'.repeat(4000))).status).toBe(200);
    // What sends nothing is not held up.
    expect((await ask(gate)).status).toBe(200);
    expect((await ask(gate, '/', 'api.test', 'x')).status).toBe(429);
  });

  it('counts for each capability and for all of a tenant, each on its own', async () => {
    const agents = `version: 1
tenants: { acme: { limits: { requests: 5/minute } } }
capabilities:
  mail: { endpoints: ["GET http://api.test/mail"], limits: { requests: 2/hour } }
  read: { endpoints: ["GET http://api.test/read"] }
agents:
  bot: { tenant: acme, identity: { token: "TOKEN" }, capabilities: [mail, read] }
`;
    const gate = await gateWith('', { rules: { 'a.yaml': agents.replace('TOKEN', TOKEN_HASH) }, flags: flags() });
    expect([(await ask(gate, '/mail')).status, (await ask(gate, '/mail')).status]).toEqual([200, 200]);
    expect((await ask(gate, '/mail')).received).toContain('the limit of mail is reached (requests: 2/hour)');
    for (let i = 0; i < 3; i++) expect((await ask(gate, '/read')).status).toBe(200);
    expect((await ask(gate, '/read')).received).toContain('the limit of tenant acme is reached');
  });

  it('so many tokens, as model APIs count them, and none of what they refuse', async () => {
    const gate = await gateWith('{ tokens: 1k/hour }', { flags: flags() });
    expect((await ask(gate, '/bytes/5000')).status).toBe(200);
    for (const used of [600, 300]) expect((await ask(gate, `/model/${used}`)).status).toBe(200);
    // What is left is not known to be too little until the answer is there.
    expect((await ask(gate, '/model/500')).status).toBe(200);
    let refused = await ask(gate, '/model/1');
    await eventually(async () => {
      if (refused.status !== 429) refused = await ask(gate, '/model/0');
      return refused.status === 429;
    }, 'the tokens to be counted');
    expect(refused.reason).toBe('budget-exhausted');
    expect(refused.received).toContain('(tokens: 1k/hour)');
    expect(Number(field(refused, 'Retry-After'))).toBeGreaterThan(3500);
  });

  it('only notes what observing agents would have been refused', async () => {
    const gate = await gateWith('{ requests: 1/minute }', { mode: 'observe', flags: flags() });
    expect([(await ask(gate)).status, (await ask(gate)).status]).toEqual([200, 200]);
    expect(await gate.outcome((event) => event.decision === 'would-deny')).toMatchObject({ reason: 'rate-exceeded' });
    const tight = await gateWith('{ download: 1 KB/minute }', { mode: 'observe', flags: flags() });
    expect((await ask(tight, '/bytes/300000')).received.length).toBeGreaterThan(300_000);
    expect(await tight.outcome()).toMatchObject({
      decision: 'would-deny',
      reason: 'budget-exhausted',
      outcome: 'delivered',
    });
  });

  it('counts the messages of a WebSocket, and ends it where its budget ends', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) =>
      socket.on('message', (bytes: Buffer) => socket.send(`echo ${bytes.toString()}`)),
    );
    await new Promise((resolve) => server.once('listening', resolve));
    const gate = await gateWith('{ upload: 30 B/minute }', {
      allow: [`{ scheme: http, host: ws.test, websocket: {} }`],
      pins: [`ws.test:80=127.0.0.1:${(server.address() as AddressInfo).port}`],
      flags: flags(),
    });
    const key = Buffer.alloc(16, 1).toString('base64');
    const client = await begin(
      gate,
      '/',
      'ws.test',
      `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`,
    );
    const frame = (text: string): Buffer =>
      Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
    for (const text of ['one.......', 'two.......', 'three.....']) client.send(frame(text));
    await client.see('echo three');
    client.send(frame('four......'));
    await client.gone();
    expect(client.received).not.toContain('echo four');
    expect(client.received).toContain('budget-exhausted');
    expect((await gate.outcome()).bytes.sent).toBeLessThanOrEqual(40);
    await client.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe.each(STORES)('tokens counted %s', (_name, flags) => {
  it('as a model says them over a WebSocket: the conversation ends where none are left', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) =>
      socket.on('message', () => {
        socket.send(JSON.stringify({ type: 'response.created', response: { usage: null } }));
        socket.send(JSON.stringify({ type: 'response.done', response: { usage: { total_tokens: 40 } } }));
      }),
    );
    await new Promise((resolve) => server.once('listening', resolve));
    const options = {
      allow: [`{ scheme: http, host: ws.test, websocket: {} }`],
      pins: [`ws.test:80=127.0.0.1:${(server.address() as AddressInfo).port}`],
      flags: flags(),
    };
    const gate = await gateWith('{ tokens: 100/minute }', options);
    const key = Buffer.alloc(16, 1).toString('base64');
    const upgrade = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`;
    const client = await begin(gate, '/', 'ws.test', upgrade);
    const frame = Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]);
    const answers = (): number => client.received.split('response.done').length - 1;
    for (const count of [1, 2]) {
      client.send(frame);
      await until(() => answers() === count, 'an answer');
    }
    expect(client.closed || client.ended).toBe(false);
    client.send(frame);
    await client.gone();
    expect(answers()).toBe(3);
    expect(client.received).toContain('budget-exhausted');
    await client.close();
    const later = await begin(gate, '/', 'ws.test', upgrade);
    expect(later.reason).toBe('budget-exhausted');
    await later.close();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('limits counted in memory', () => {
  it('hold over a restart: a crash is no way to a new budget', async () => {
    const gate = await gateWith('{ requests: 2/hour, upload: 10 KB/hour }');
    await ask(gate, '/', 'api.test', 'x'.repeat(9000));
    await ask(gate);
    const state = gate.folder;
    // A second gate on the state of the first, which has not been closed: as after kill -9.
    const again = await startGate({
      allow: ['* http://api.test/**'],
      more: '    limits: { requests: 2/hour, upload: 10 KB/hour }\n',
      pins: [`api.test:80=127.0.0.1:${origin.port}`],
      flags: { state: `${state}/state` },
    });
    opened.push(again);
    expect((await ask(again)).reason).toBe('rate-exceeded');
  });
});

describe('limits counted in Redis', () => {
  it('hold for all gates together', async () => {
    const flags = { 'store.url': redis.url };
    const gates = await Promise.all([1, 2, 3].map(() => gateWith('{ requests: 10/minute }', { flags })));
    const answers = await Promise.all(Array.from({ length: 45 }, (_, index) => ask(gates[index % 3] as TestGate)));
    expect(answers.filter(({ status }) => status === 200).length).toBe(10);
  });

  it('deny while Redis is away, and go on by themselves when it is back', async () => {
    const mortal = await startRedis();
    const gate = await gateWith('{ requests: 100/minute }', { flags: { 'store.url': mortal.url } });
    expect((await ask(gate)).status).toBe(200);
    await mortal.kill();
    const refused = await ask(gate);
    expect([refused.status, refused.reason]).toEqual([503, 'store-unavailable']);
    await mortal.restart();
    await eventually(async () => (await ask(gate)).status === 200, 'the gate to go on');
    await mortal.close();
  });

  it('are counted by the gate alone for a while, where it is told so', async () => {
    const mortal = await startRedis();
    const flags = { 'store.url': mortal.url, 'store.on-outage': 'local', 'store.grace': '1h' };
    const gate = await gateWith('{ requests: 2/minute }', { flags });
    await mortal.kill();
    expect([(await ask(gate)).status, (await ask(gate)).status, (await ask(gate)).status]).toEqual([200, 200, 429]);
    await mortal.close();
  });

  it('do not hold up what nothing limits', async () => {
    const gate = await startGate({
      allow: ['* http://api.test/**'],
      pins: [`api.test:80=127.0.0.1:${origin.port}`],
      flags: { 'store.url': 'redis://127.0.0.1:1', 'store.timeout': '100ms' },
    });
    opened.push(gate);
    expect((await ask(gate)).status).toBe(200);
  });
});
