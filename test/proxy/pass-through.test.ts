import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { RawClient, answered, ask, openTunnel } from '../support/client.ts';
import { botRules, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';

let ca: TestCa;
let origin: Origin;
let gate: TestGate;
beforeAll(async () => {
  ca = await TestCa.create();
  origin = await startOrigin({ tls: await ca.leaf(['pinned.test', 'mixed.test', 'denied.test']) });
  gate = await startGate({
    allow: [
      '{ host: pinned.test, intercept: false }',
      '{ host: mixed.test, intercept: false }',
      'GET https://mixed.test/only',
      '{ host: denied.test, intercept: false }',
    ],
    deny: ['* https://denied.test/secret/**'],
    pins: [`**:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
  });
});
afterAll(async () => {
  await gate.close();
  await origin.close();
});

/** TLS through the tunnel, as a client that trusts the origin's CA and no other. */
async function pinned(connect: string, servername: string | undefined): Promise<RawClient | Error> {
  const tunnel = await openTunnel(gate, connect);
  tunnel.socket.removeAllListeners('data');
  const tls = connectTls({
    socket: tunnel.socket,
    ca: ca.certificate,
    ...(servername === undefined ? { checkServerIdentity: () => undefined } : { servername }),
  });
  return new Promise((resolve) => {
    tls.once('secureConnect', () => resolve(new RawClient(tls)));
    tls.once('error', resolve);
  });
}

describe('TLS that is not intercepted', () => {
  it('reaches the origin with its own certificate, and is on record as uninspected', async () => {
    const client = await pinned('pinned.test:443', 'pinned.test');
    if (client instanceof Error) throw client;
    client.send('GET /any HTTP/1.1\r\nHost: pinned.test\r\nConnection: close\r\n\r\n');
    await answered(client);
    expect(client.status).toBe(200);
    await client.close();
    expect(await gate.outcome((event) => event.host === 'pinned.test')).toMatchObject({
      decision: 'allow',
      inspected: false,
      outcome: 'delivered',
      method: 'CONNECT',
      scheme: 'https',
    });
  });

  it('for another name than the tunnel is refused, and reaches nobody', async () => {
    const before = origin.connections();
    expect(await pinned('pinned.test:443', 'mixed.test')).toBeInstanceOf(Error);
    expect(await pinned('pinned.test:443', undefined)).toBeInstanceOf(Error);
    expect(origin.connections()).toBe(before);
    expect(await gate.outcome((event) => event.reason === 'authority-mismatch')).toMatchObject({ host: 'pinned.test' });
  });

  it('that is no TLS is refused, and reaches nobody', async () => {
    const before = origin.connections();
    const tunnel = await openTunnel(gate, 'pinned.test:443');
    tunnel.send('GET / HTTP/1.1\r\nHost: pinned.test\r\n\r\n');
    await tunnel.gone();
    expect(origin.connections()).toBe(before);
    expect(await gate.outcome((event) => event.detail === 'it is not a TLS handshake record')).toMatchObject({
      reason: 'request-malformed',
    });
  });

  it('is intercepted all the same where another rule or a deny has to be judged', async () => {
    const mixed = await ask(gate, 'mixed.test:443', 'GET /only HTTP/1.1\r\nHost: mixed.test\r\n\r\n');
    expect(mixed.status).toBe(200);
    const denied = await ask(gate, 'denied.test:443', 'GET /secret/x HTTP/1.1\r\nHost: denied.test\r\n\r\n');
    expect([denied.status, denied.reason]).toEqual([403, 'path-not-allowed']);
    await Promise.all([mixed.close(), denied.close()]);
  });

  it('survives a ClientHello that comes byte by byte', async () => {
    const tunnel = await openTunnel(gate, 'pinned.test:443');
    tunnel.socket.setNoDelay(true);
    // The record header and a beginning, piece by piece, then nonsense: the gate waits for the whole of it, then refuses.
    for (const byte of [0x16, 3, 1, 0, 4, 9]) tunnel.send(Buffer.from([byte]));
    tunnel.send(Buffer.from([0, 0, 0]));
    await tunnel.gone();
    expect(await gate.outcome((event) => /not a ClientHello/.test(event.detail ?? ''))).toMatchObject({
      reason: 'request-malformed',
    });
  });

  it('is not let pass by rules that ended while its agent took its time', async () => {
    const own = await startGate({
      allow: ['{ host: pinned.test, intercept: false }'],
      pins: [`**:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    const before = origin.connections();
    const tunnel = await openTunnel(own, 'pinned.test:443');
    own.writeRules({ 'agents.yaml': botRules({ allow: ['* https://pinned.test/**'] }) });
    expect(own.gate.reload()).toEqual([]);
    tunnel.socket.removeAllListeners('data');
    const tls = connectTls({ socket: tunnel.socket, ca: ca.certificate, servername: 'pinned.test' });
    await new Promise((resolve) => tls.once('error', resolve).once('close', resolve));
    expect(origin.connections()).toBe(before);
    expect(await own.outcome()).toMatchObject({ decision: 'deny', reason: 'host-not-allowed', inspected: false });
    await own.close();
  });
});
