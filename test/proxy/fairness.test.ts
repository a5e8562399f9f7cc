import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Http1Agent } from '../../src/proxy/adapters/http1-agent.ts';
import { connectionsFor, descriptorLimit } from '../../src/proxy/descriptors.ts';
import { COST, Turns } from '../../src/proxy/turns.ts';
import { TestCa } from '../support/certificates.ts';
import { ask, dialGate, openTunnel, type RawClient } from '../support/client.ts';
import { TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { until } from '../support/until.ts';

const OTHER = ['token', 'of', 'other'].join('-');
const LOGIN = `Proxy-Authorization: Basic ${Buffer.from(`other:${OTHER}`).toString('base64')}\r\n`;

let ca: TestCa;
let origin: Origin;
beforeAll(async () => {
  ca = await TestCa.create();
  origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
});
afterAll(() => origin.close());

const opened: TestGate[] = [];
const clients: RawClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const gate of opened.splice(0)) await gate.close();
});

async function gateFor(max: number): Promise<TestGate> {
  const { createHash } = await import('node:crypto');
  const other = createHash('sha256').update(OTHER).digest('hex');
  const gate = await startGate({
    rules: {
      'a.yaml': `version: 1
agents:
  bot: { identity: { token: "${TOKEN_HASH}" }, allow: ["GET https://api.test/**"] }
  other: { identity: { token: "sha256:${other}" }, allow: ["GET https://api.test/**"] }
`,
    },
    pins: [`api.test:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
    flags: { 'connections.max': String(max) },
  });
  opened.push(gate);
  return gate;
}

async function tunnel(gate: TestGate, fields?: string): Promise<RawClient> {
  const client = await openTunnel(gate, 'api.test:443', fields);
  clients.push(client);
  return client;
}

const turnedAway = async (gate: TestGate, cause: string): Promise<number> => {
  const text = await (await fetch(`${gate.adminUrl}/metrics`)).text();
  return Number(new RegExp(`turned_away_total\\{cause="${cause}"\\} (\\d+)`).exec(text)?.[1]);
};

describe('room for connections', () => {
  it('is never all taken by one agent: it gets half, and others find some', async () => {
    const gate = await gateFor(20);
    for (let i = 0; i < 10; i++) expect((await tunnel(gate)).status).toBe(200);
    for (let i = 0; i < 3; i++) {
      const client = await tunnel(gate);
      expect([client.status, client.reason]).toEqual([429, 'rate-exceeded']);
      expect(client.received).toContain('Retry-After: 1');
      expect(client.received).toContain('bot has 10 connections open');
    }
    for (let i = 0; i < 5; i++) expect((await tunnel(gate, LOGIN)).status).toBe(200);
    const served = await ask(gate, 'api.test:443', 'GET / HTTP/1.1\r\nHost: api.test\r\n\r\n', { fields: LOGIN }).catch(
      () => null,
    );
    // The sixth of the other has no room either: five are left for whoever comes next.
    expect(served?.status).not.toBe(200);
    expect(await turnedAway(gate, 'crowded')).toBe(4);
    const outcome = await gate.outcome((event) => event.reason === 'rate-exceeded');
    expect(outcome).toMatchObject({ agent: 'bot', status: 429 });
  });

  it('is free again when a connection ends', async () => {
    const gate = await gateFor(10);
    const first = await Promise.all(Array.from({ length: 5 }, () => tunnel(gate)));
    expect((await tunnel(gate)).status).toBe(429);
    await first[0]?.close();
    await until(() => gate.gate.snapshot() !== null, 'a turn');
    let status = 0;
    for (let tries = 0; tries < 50 && status !== 200; tries++) status = (await tunnel(gate)).status;
    expect(status).toBe(200);
  });

  it('is not taken by connections that say nothing: the oldest of them makes way', async () => {
    const gate = await gateFor(20);
    const silent: RawClient[] = [];
    for (let i = 0; i < 8; i++) {
      silent.push(await dialGate(gate));
      clients.push(silent[i] as RawClient);
    }
    await until(() => silent.filter((client) => client.closed || client.ended).length === 3, 'three to make way');
    expect(silent.map((client) => client.closed || client.ended)).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect((await tunnel(gate)).status).toBe(200);
    expect(await turnedAway(gate, 'silent')).toBe(4);
  });

  it('is no more than the system lets the gate open', () => {
    expect(connectionsFor(10_000, 1024)).toBe(274);
    expect(connectionsFor(10_000, null)).toBe(10_000);
    expect(connectionsFor(100, 1_000_000)).toBe(100);
    expect(connectionsFor(100, 10)).toBe(1);
    expect(descriptorLimit()).toBeGreaterThan(100);
  });
});

describe('Turns', () => {
  /** Turns of a loop that a test turns by hand. */
  function byHand(): { turns: Turns; turn: () => Promise<boolean> } {
    let due: Array<() => void> = [];
    const turn = async (): Promise<boolean> => {
      const now = due;
      due = [];
      for (const run of now) {
        run();
        for (let i = 0; i < 10; i++) await Promise.resolve();
      }
      return now.length > 0;
    };
    return { turns: new Turns((run) => due.push(run)), turn };
  }

  it('lets all that has room go on together when the turn is over, and runs what comes after that behind it', async () => {
    const { turns, turn } = byHand();
    const order: string[] = [];
    for (let i = 0; i < 24; i++) void turns.take('a', COST.request).then(() => order.push(`request ${i}`));
    void turns.over().then(() => {
      order.push('answer');
      turns.after(() => order.push('after'));
    });
    expect(turns.waiting).toBe(0);
    await Promise.resolve();
    expect(order).toEqual([]);
    await turn();
    expect(order).toHaveLength(26);
    expect(order.slice(-2)).toEqual(['answer', 'after']);
    expect(await turn()).toBe(false);
  });

  it('what goes on while a turn ends belongs to the next', async () => {
    const { turns, turn } = byHand();
    const order: string[] = [];
    void turns.over().then(() => {
      order.push('first');
      void turns.over().then(() => order.push('second'));
    });
    await turn();
    expect(order).toEqual(['first']);
    await turn();
    expect(order).toEqual(['first', 'second']);
    expect(await turn()).toBe(false);
  });

  it('serves one agent after the other, however many requests one of them brings', async () => {
    const { turns, turn } = byHand();
    const order: string[] = [];
    const take = (whose: string): void => void turns.take(whose, COST.handshake).then(() => order.push(whose));
    for (let i = 0; i < 8; i++) take('noisy');
    take('quiet');
    expect(turns.waiting).toBe(7);
    await turn();
    // Two had room, and two begin the next turn: one of each.
    expect(order).toEqual(['noisy', 'noisy', 'noisy', 'quiet']);
    while (await turn());
    expect(order).toHaveLength(9);
    expect(turns.waiting).toBe(0);
  });
});

it('a connection that asks for nothing is closed, one that has asked is kept', async () => {
  const agents: Http1Agent[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const agent = new Http1Agent(socket, { first: 1000, idle: 60_000, endIsAbort: false });
    agents.push(agent);
    void agent.next().then((request) => (request === null ? undefined : void agent.next()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const [silent, talking] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  const ended = new Set<string>();
  for (const [name, socket] of Object.entries({ silent, talking })) {
    socket.on('error', () => undefined);
    socket.on('data', () => ended.add(name)).on('close', () => ended.add(name));
  }
  talking.write('GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n');
  await until(() => ended.has('silent'), 'the silent one to end');
  expect(ended.has('talking')).toBe(false);
  for (const socket of [silent, talking]) socket.destroy();
  for (const agent of agents) agent.destroy();
  server.close();
});
