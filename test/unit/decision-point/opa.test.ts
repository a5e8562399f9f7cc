import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OpaServer } from '../../../src/decision-point/opa.ts';

// A real OPA answers in test/proxy/decision-point.test.ts; here is what is sent to it.
const seen: string[] = [];
const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    seen.push(`${request.method} ${request.url} ${request.socket.remotePort}`);
    response.end('{"result":{"allow":true}}');
  });
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

it('OpaServer asks below the path of its URL, over one connection as long as one is enough', async () => {
  const { port } = server.address() as AddressInfo;
  const url = new URL(`http://127.0.0.1:${port}/opa/`);
  const opa = new OpaServer({ url, path: 'a/b', timeout: 5_000, trust: createSecureContext() });
  for (let i = 0; i < 3; i++) expect(await opa.ask('{}')).toEqual({ allow: true });
  expect(new Set(seen).size).toBe(1);
  expect(seen[0]).toMatch(/^POST \/opa\/v1\/data\/a\/b /);
  await Promise.all(Array.from({ length: 200 }, () => opa.ask('{}')));
  expect(new Set(seen).size).toBeLessThanOrEqual(64);
  opa.close();
});
