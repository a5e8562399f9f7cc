import { describe, expect, it } from 'vitest';
import { answered, openTls } from '../support/client.ts';
import { useStage } from './stage.ts';

const stage = useStage();

/** Requests whose end two parsers could see in different places (WIRE.md §3, "Framing"). */
const CASES: Record<string, string> = {
  'Content-Length and Transfer-Encoding': 'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding and Content-Length': 'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n',
  'two different lengths': 'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
  'two equal lengths': 'Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd',
  'a list of lengths': 'Content-Length: 4, 4\r\n\r\nabcd',
  'a length that is no number': 'Content-Length: four\r\n\r\nabcd',
  'a signed length': 'Content-Length: +4\r\n\r\nabcd',
  'a length with leading zeros': 'Content-Length: 004\r\n\r\nabcd',
  'a hexadecimal length': 'Content-Length: 0x4\r\n\r\nabcd',
  'a huge length': 'Content-Length: 99999999999999999999\r\n\r\n',
  'an empty length': 'Content-Length: \r\n\r\n',
  'chunked, gzip': 'Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
  'gzip, chunked': 'Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'chunked, chunked': 'Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n',
  chunkedx: 'Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n',
  'two Transfer-Encoding fields': 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  identity: 'Transfer-Encoding: identity\r\n\r\n',
  'a bare line feed after a field': 'X: y\nContent-Length: 4\r\n\r\nabcd',
  'bare line feeds at the end': 'X: y\n\n',
  'a folded line': 'X: y\r\n z\r\n\r\n',
  'a space before the colon': 'Content-Length : 4\r\n\r\nabcd',
  'a tab before the colon': 'Content-Length\t: 4\r\n\r\nabcd',
  'no colon': 'Content-Length 4\r\n\r\nabcd',
  'no name': ': x\r\n\r\n',
  'a name with a byte outside ASCII': 'X\xffY: z\r\n\r\n',
  'a name with a brace': 'X{: z\r\n\r\n',
  'NUL in a value': 'X: a\0b\r\n\r\n',
  'carriage return in a value': 'X: a\rb\r\n\r\n',
  'a chunk size that is no number': 'Transfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n',
  'a chunk size with a sign': 'Transfer-Encoding: chunked\r\n\r\n-1\r\na\r\n0\r\n\r\n',
  'a chunk size with 0x': 'Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n',
  'a huge chunk size': 'Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nabc\r\n0\r\n\r\n',
  'a chunk longer than its size': 'Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n',
  'a chunk ended by a bare line feed': 'Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n',
  'a chunk extension of 300 bytes': `Transfer-Encoding: chunked\r\n\r\n3;${'x'.repeat(300)}\r\nabc\r\n0\r\n\r\n`,
  'a malformed trailer': 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nbad trailer\r\n\r\n',
};

describe('ambiguous framing is 400 request-malformed, closes the connection, and reaches no upstream', () => {
  for (const [name, rest] of Object.entries(CASES)) {
    it(name, async () => {
      const before = stage.seen();
      const client = await openTls(stage.gate, 'api.test:443');
      client.send(`POST /x HTTP/1.1\r\nHost: api.test\r\n${rest}`);
      await answered(client);
      expect(client.reason).toBe('request-malformed');
      expect(client.status).toBe(400);
      await client.gone();
      expect(stage.seen()).toBe(before);
      await client.close();
    });
  }
});

const LINES: Record<string, [line: string, status: number]> = {
  'no target': ['GET HTTP/1.1', 400],
  'no version': ['GET /', 400],
  'HTTP/2.0': ['GET / HTTP/2.0', 505],
  'HTTP/1.2': ['GET / HTTP/1.2', 505],
  'http/1.1 in lower case': ['GET / http/1.1', 400],
  'two spaces': ['GET  / HTTP/1.1', 400],
  'a space in the target': ['GET /a b HTTP/1.1', 400],
  'a tab for a space': ['GET\t/\tHTTP/1.1', 400],
  'a fragment': ['GET /a#b HTTP/1.1', 400],
  'a method that is no token': ['G(T / HTTP/1.1', 400],
  'h2c by prior knowledge': ['PRI * HTTP/2.0', 400],
  'a method in lower case': ['get / HTTP/1.1', 400],
  'a method nobody knows': ['FOO / HTTP/1.1', 400],
  'a leading empty line': ['\r\nGET / HTTP/1.1', 400],
};

describe('a malformed request line is refused', () => {
  for (const [name, [line, status]] of Object.entries(LINES)) {
    it(name, async () => {
      const before = stage.seen();
      const client = await openTls(stage.gate, 'api.test:443');
      client.send(`${line}\r\nHost: api.test\r\n\r\n`);
      await answered(client);
      expect([client.status, client.reason]).toEqual([status, 'request-malformed']);
      expect(stage.seen()).toBe(before);
      await client.close();
    });
  }
});

it('a head larger than 64 KiB is 431', async () => {
  const client = await openTls(stage.gate, 'api.test:443');
  client.send(`GET / HTTP/1.1\r\nHost: api.test\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`);
  await answered(client);
  expect([client.status, client.reason]).toEqual([431, 'request-malformed']);
  await client.close();
});

it('more than 200 fields are 431', async () => {
  const client = await openTls(stage.gate, 'api.test:443');
  client.send(`GET / HTTP/1.1\r\nHost: api.test\r\n${'X: y\r\n'.repeat(250)}\r\n`);
  await answered(client);
  expect(client.status).toBe(431);
  await client.close();
});

it('a smuggled second request in a body is a body', async () => {
  const smuggled = 'GET /admin HTTP/1.1\r\nHost: api.test\r\n\r\n';
  const client = await openTls(stage.gate, 'api.test:443');
  client.send(`POST /outer HTTP/1.1\r\nHost: api.test\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`);
  await answered(client);
  expect(client.status).toBe(200);
  expect(stage.secure.requests.at(-1)).toMatchObject({ url: '/outer' });
  expect(stage.secure.requests.at(-1)?.body.toString()).toBe(smuggled);
  await client.close();
});

it('GET with a body keeps it, framed anew', async () => {
  const client = await openTls(stage.gate, 'api.test:443');
  client.send(
    'GET /with-body HTTP/1.1\r\nHost: api.test\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n0\r\n\r\n',
  );
  await answered(client);
  expect(stage.secure.requests.at(-1)?.body.toString()).toBe('hello');
  expect(stage.secure.requests.at(-1)?.headers['content-length']).toBe('5');
  await client.close();
});
