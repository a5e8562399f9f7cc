import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { ask, answered, dialGate, openTls, openTunnel } from '../support/client.ts';
import { BASIC, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';

let ca: TestCa;
let secure: Origin;
let plain: Origin;
let gate: TestGate;

beforeAll(async () => {
  ca = await TestCa.create();
  secure = await startOrigin({ tls: await ca.leaf(['api.test', '127.0.0.1']) });
  plain = await startOrigin();
  gate = await startGate({
    allow: ['GET,POST,HEAD https://api.test/v1/**', 'GET http://plain.test/**'],
    deny: ['* https://api.test/v1/secret/**'],
    pins: [`api.test:443=127.0.0.1:${secure.port}`, `plain.test:80=127.0.0.1:${plain.port}`],
    upstreamCa: ca.certificate,
  });
});

afterAll(async () => {
  await gate.close();
  await Promise.all([secure.close(), plain.close()]);
});

describe('a permitted request', () => {
  it('passes through an intercepted tunnel', async () => {
    const client = await ask(gate, 'api.test:443', 'GET /v1/items?a=1 HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect(client.status).toBe(200);
    expect(client.received).toContain('"url":"/v1/items?a=1"');
    await client.close();
  });

  it('passes in the clear', async () => {
    const client = await dialGate(gate);
    client.send(`GET http://plain.test/x HTTP/1.1\r\nHost: plain.test\r\nProxy-Authorization: ${BASIC}\r\n\r\n`);
    await answered(client);
    expect(client.status).toBe(200);
    expect(plain.requests.at(-1)?.headers['proxy-authorization']).toBeUndefined();
    await client.close();
  });

  it('carries its body, whole and byte for byte', async () => {
    const body = 'x'.repeat(100_000);
    const client = await ask(
      gate,
      'api.test:443',
      `POST /v1/items HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(client.received).toContain('"size":100000');
    await client.close();
  });

  it('shares its connection with the next one', async () => {
    const client = await openTls(gate, 'api.test:443');
    for (let i = 0; i < 3; i++) {
      client.received = '';
      client.send(`GET /v1/${i} HTTP/1.1\r\nHost: api.test\r\n\r\n`);
      await answered(client);
      expect(client.received).toContain(`"url":"/v1/${i}"`);
    }
    await client.close();
  });
});

describe('a refused request', () => {
  it('is told why inside the TLS session', async () => {
    const client = await ask(gate, 'api.test:443', 'DELETE /v1/items HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect(client.status).toBe(403);
    expect(client.reason).toBe('method-not-allowed');
    expect(client.received).toContain('application/problem+json');
    expect(client.received).toContain('DELETE https://api.test/v1/items');
    await client.close();
  });

  it('for an unlisted host is told why inside the TLS session, and nothing is dialled', async () => {
    const client = await ask(gate, 'other.test:443', 'GET /a/b HTTP/1.1\r\nHost: other.test\r\n\r\n');
    expect(client.status).toBe(403);
    expect(client.reason).toBe('host-not-allowed');
    expect(client.received).toContain('- GET https://other.test/a/b\\n');
    await client.close();
  });

  it('without an agent gets 407', async () => {
    const client = await openTunnel(gate, 'api.test:443', '');
    await answered(client);
    expect(client.status).toBe(407);
    expect(client.reason).toBe('agent-unknown');
    await client.close();
  });

  it('meets a deny rule whatever allows it', async () => {
    const client = await ask(gate, 'api.test:443', 'GET /v1/secret/x HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect(client.reason).toBe('path-not-allowed');
    await client.close();
  });
});
