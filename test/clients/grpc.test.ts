import {
  Client,
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  status,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { TOKEN, startGate, type TestGate } from '../support/gate.ts';

/** A service of all four kinds of method; messages are text. */
const text = (value: string): Buffer => Buffer.from(value);
const parse = (bytes: Buffer): string => bytes.toString();
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: text,
  requestDeserialize: parse,
  responseSerialize: text,
  responseDeserialize: parse,
});
const SERVICE = {
  unary: method('/echo.Echo/Unary', false, false),
  collect: method('/echo.Echo/Collect', true, false),
  expand: method('/echo.Echo/Expand', false, true),
  talk: method('/echo.Echo/Talk', true, true),
  denied: method('/echo.Admin/Wipe', false, false),
};

let server: Server;
let gate: TestGate;
let client: Client;
let wiped = 0;
const variables = ['grpc_proxy', 'https_proxy', 'http_proxy', 'no_proxy', 'no_grpc_proxy'];
const before = Object.fromEntries(variables.map((name) => [name, process.env[name]]));

beforeAll(async () => {
  const ca = await TestCa.create();
  const leaf = await ca.leaf(['grpc.test']);
  server = new Server();
  server.addService(SERVICE, {
    unary: (call: ServerUnaryCall<string, string>, done: sendUnaryData<string>) => {
      const trailers = new Metadata();
      trailers.set('x-trailer', 'kept');
      if (call.request === 'fail') done({ code: status.FAILED_PRECONDITION, details: 'asked to' });
      else done(null, `${call.request}:${String(call.metadata.get('x-meta')[0])}`, trailers);
    },
    collect: (call: ServerReadableStream<string, string>, done: sendUnaryData<string>) => {
      const seen: string[] = [];
      call.on('data', (each: string) => seen.push(each));
      call.on('end', () => done(null, seen.join(',')));
    },
    expand: (call: ServerWritableStream<string, string>) => {
      for (const each of call.request.split(',')) call.write(each);
      call.end();
    },
    talk: (call: ServerDuplexStream<string, string>) => {
      call.on('data', (each: string) => call.write(`re:${each}`));
      call.on('end', () => call.end());
    },
    denied: (_call: ServerUnaryCall<string, string>, done: sendUnaryData<string>) => {
      wiped++;
      done(null, '');
    },
  });
  const pair = { private_key: Buffer.from(leaf.key), cert_chain: Buffer.from(leaf.certificate) };
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  gate = await startGate({
    allow: ['POST https://grpc.test/echo.Echo/*'],
    pins: [`grpc.test:443=127.0.0.1:${port}`],
    upstreamCa: ca.certificate,
  });
  // grpc-js reads its proxy from here alone.
  for (const name of variables) delete process.env[name];
  process.env['grpc_proxy'] = `http://bot:${TOKEN}@127.0.0.1:${gate.port}`;
  client = new Client('grpc.test:443', credentials.createSsl(Buffer.from(gate.ca)));
});
afterAll(async () => {
  client.close();
  for (const name of variables) {
    if (before[name] === undefined) delete process.env[name];
    else process.env[name] = before[name];
  }
  server.forceShutdown();
  await gate.close();
});

describe('gRPC (@grpc/grpc-js)', () => {
  const unary = (which: { path: string }, request: string, metadata = new Metadata()) =>
    new Promise<{ error: ServiceError | null; answer: string | undefined; trailers: Metadata | null }>((resolve) => {
      let answer: { error: ServiceError | null; answer: string | undefined } | null = null;
      const call = client.makeUnaryRequest(which.path, text, parse, request, metadata, (error, got) => {
        answer = { error, answer: got };
      });
      call.on('status', (ended) =>
        setImmediate(() => resolve({ error: null, answer: undefined, ...answer, trailers: ended.metadata })),
      );
    });

  it('unary: message, metadata and trailers', async () => {
    const metadata = new Metadata();
    metadata.set('x-meta', 'm');
    const { answer, trailers } = await unary(SERVICE.unary, 'hello', metadata);
    expect([answer, trailers?.get('x-trailer')]).toEqual(['hello:m', ['kept']]);
    expect(await gate.outcome((event) => event.path === '/echo.Echo/Unary')).toMatchObject({
      decision: 'allow',
      protocol: 'h2',
      status: 200,
    });
  });

  it("unary: the server's own error arrives as it is", async () => {
    const { error } = await unary(SERVICE.unary, 'fail');
    expect([error?.code, error?.details]).toEqual([status.FAILED_PRECONDITION, 'asked to']);
  });

  it('client streaming', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      const call = client.makeClientStreamRequest(SERVICE.collect.path, text, parse, (error, got) =>
        error === null ? resolve(got ?? '') : reject(error),
      );
      for (const each of ['a', 'b', 'c']) call.write(each);
      call.end();
    });
    expect(answer).toBe('a,b,c');
  });

  it('server streaming', async () => {
    const call = client.makeServerStreamRequest(SERVICE.expand.path, text, parse, 'a,b,c');
    const seen: string[] = [];
    for await (const each of call) seen.push(each as string);
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('bidirectional streaming: each message is answered before the next is sent', async () => {
    const call = client.makeBidiStreamRequest(SERVICE.talk.path, text, parse);
    const seen: string[] = [];
    for (const each of ['one', 'two', 'three']) {
      call.write(each);
      seen.push(await new Promise<string>((resolve) => call.once('data', resolve)));
    }
    call.end();
    call.resume();
    await new Promise((resolve) => call.once('status', resolve));
    expect(seen).toEqual(['re:one', 're:two', 're:three']);
  });

  it('a method that is not listed is refused, with the code gRPC has for it, and never called', async () => {
    const { error } = await unary(SERVICE.denied, 'now');
    expect(error?.code).toBe(status.PERMISSION_DENIED);
    expect(wiped).toBe(0);
    expect(await gate.outcome((event) => event.path === '/echo.Admin/Wipe')).toMatchObject({
      decision: 'deny',
      reason: 'path-not-allowed',
    });
  });
});

const VENV = join(import.meta.dirname, '../../node_modules/.cache/python/bin/python');
const SCRIPT = `
import grpc, os
trust = grpc.ssl_channel_credentials(open(os.environ['GATE_CA'], 'rb').read())
with grpc.secure_channel('grpc.test:443', trust) as channel:
    print(channel.unary_unary('/echo.Echo/Unary')(b'python', metadata=[('x-meta', 'p')], timeout=10).decode())
    print(b','.join(channel.unary_stream('/echo.Echo/Expand')(b'a,b,c', timeout=10)).decode())
    print(channel.stream_unary('/echo.Echo/Collect')(iter([b'x', b'y']), timeout=10).decode())
    print(b','.join(channel.stream_stream('/echo.Echo/Talk')(iter([b'1', b'2']), timeout=10)).decode())
    try:
        channel.unary_unary('/echo.Admin/Wipe')(b'', timeout=10)
    except grpc.RpcError as error:
        print(error.code().name)
`;

describe('gRPC (Python grpcio)', () => {
  it('all four kinds, and a method that is refused', async (context) => {
    const python = promisify(execFile);
    if (!existsSync(VENV) || (await python(VENV, ['-c', 'import grpc']).catch(() => null)) === null) {
      context.skip('grpcio could not be installed: pip cannot reach its index');
      return;
    }
    const { stdout } = await python(VENV, ['-c', SCRIPT], {
      env: {
        PATH: process.env['PATH'] ?? '',
        GATE_CA: gate.gate.caFile,
        grpc_proxy: `http://bot:${TOKEN}@127.0.0.1:${gate.port}`,
      },
    });
    expect(stdout).toBe('python:p\na,b,c\nx,y\nre:1,re:2\nPERMISSION_DENIED\n');
    expect(wiped).toBe(0);
  });
});
