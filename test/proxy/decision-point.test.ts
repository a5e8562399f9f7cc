import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { answered, ask, openTls, openTunnel, type RawClient } from '../support/client.ts';
import { startGate, type GateOptions, type TestGate } from '../support/gate.ts';
import { OPA, OPA_NAME, REGO, compileWasm, startOpa, type Opa } from '../support/opa.ts';
import { startOrigin, type Origin } from '../support/origin.ts';

const CLI = join(import.meta.dirname, '../../dist/cli/sallyport.js');
const ROOT = join(import.meta.dirname, '../..');

let ca: TestCa;
let origin: Origin;
let opa: Opa;
let folder: string;
beforeAll(async () => {
  process.stdout.write(`policy.opa is tested against ${OPA_NAME}\n`);
  if (OPA === null) process.stdout.write('policy.wasm is not tested: there is no opa here to compile a policy\n');
  ca = await TestCa.create();
  origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
  opa = await startOpa();
  folder = mkdtempSync(join(tmpdir(), 'sallyport-points-'));
});
afterAll(async () => {
  await origin.close();
  await opa.kill();
  rmSync(folder, { recursive: true, force: true });
});

const opened: Array<{ close(): Promise<void> }> = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

async function gateWith(flags: Record<string, string | string[]>, more: GateOptions = {}): Promise<TestGate> {
  const gate = await startGate({
    allow: ['GET,POST https://api.test/**'],
    pins: [`api.test:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
    ...more,
    flags,
  });
  opened.push(gate);
  return gate;
}

const get = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: api.test\r\nX-Team: red\r\n\r\n`;

async function post(gate: TestGate, body: string): Promise<RawClient> {
  const client = await openTls(gate, 'api.test:443');
  client.send(
    `POST /pay HTTP/1.1\r\nHost: api.test\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await answered(client);
  await client.close();
  return client;
}

/** A stand-in for servers that misbehave, which no real one does when asked. */
async function startMisbehaving(listener: RequestListener, port = 0): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer(listener);
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  opened.push({
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe(`policy.opa, against ${OPA_NAME}`, () => {
  it('asks about what the rules allow; its no is a denial with a reason, and nothing leaves', async () => {
    const gate = await gateWith({ 'policy.opa.url': opa.url });
    const before = origin.requests.length;
    expect((await ask(gate, 'api.test:443', get())).status).toBe(200);
    const denied = await post(gate, '{"amount":1}');
    expect([denied.status, denied.reason]).toEqual([403, 'decision-point-denied']);
    expect(denied.received).toContain('opa denies POST on api.test');
    expect(origin.requests.length).toBe(before + 1);
    const outcome = await gate.outcome((event) => event.method === 'POST');
    expect(outcome).toMatchObject({ decision: 'deny', reason: 'decision-point-denied' });
    expect(outcome.rule).toMatch(/GET,POST https:\/\/api\.test\/\*\*$/);
  });

  it('is told bodies where it is said so, and passes on its own words', async () => {
    const gate = await gateWith({
      'policy.opa.url': opa.url,
      'policy.opa.path': 'sallyport/verdict',
      'policy.input.body': 'yes',
    });
    expect((await post(gate, '{"amount":99.5}')).status).toBe(200);
    const denied = await post(gate, '{"amount":100}');
    expect([denied.status, denied.reason]).toEqual([403, 'decision-point-denied']);
    expect(denied.received).toContain('opa denies POST on api.test: writing is for people');
  });

  it('is never asked about what the rules deny', async () => {
    let asked = 0;
    const url = await startMisbehaving((_request, response) => {
      asked++;
      response.end('{"result":true}');
    });
    const gate = await gateWith(
      { 'policy.opa.url': url, 'policy.input.body': 'yes' },
      { allow: ['GET https://api.test/a'] },
    );
    expect((await ask(gate, 'api.test:443', get('/b'))).reason).toBe('path-not-allowed');
    expect(asked).toBe(0);
    expect((await ask(gate, 'api.test:443', get('/a'))).status).toBe(200);
    expect(asked).toBe(1);
  });

  it.each([
    ['no answer for this request', 'sallyport/nothing', 'decision-point-denied', 'its policy has no answer'],
    [
      'an answer that is neither yes nor no',
      'sallyport/words',
      'decision-point-unavailable',
      'gave no answer that is true',
    ],
  ])('denies on %s', async (_what, path, reason, words) => {
    const gate = await gateWith({ 'policy.opa.url': opa.url, 'policy.opa.path': path });
    const denied = await ask(gate, 'api.test:443', get());
    expect(denied.reason).toBe(reason);
    expect(denied.received).toContain(words);
  });

  it('shows a bearer token that it keeps in a file', async () => {
    const token = ['opa', 'token', '1'].join('-');
    const guarded = await startOpa(token);
    opened.push({ close: () => guarded.kill() });
    writeFileSync(join(folder, 'token'), `${token}\n`);
    const file = join(folder, 'token');
    const right = await gateWith({ 'policy.opa.url': guarded.url, 'policy.opa.token-file': file });
    expect((await ask(right, 'api.test:443', get())).status).toBe(200);
    const none = await gateWith({ 'policy.opa.url': guarded.url });
    const denied = await ask(none, 'api.test:443', get());
    expect([denied.status, denied.reason]).toEqual([503, 'decision-point-unavailable']);
    expect(denied.received).toMatch(/answered with status 40[13]/);
  });

  it('denies while the server is gone, and goes on when it is back', async () => {
    const mortal = await startOpa();
    const gate = await gateWith({ 'policy.opa.url': mortal.url });
    expect((await ask(gate, 'api.test:443', get())).status).toBe(200);
    await mortal.kill();
    const denied = await ask(gate, 'api.test:443', get());
    expect([denied.status, denied.reason]).toEqual([503, 'decision-point-unavailable']);
    // Where it listens is nobody's business but the operator's.
    expect(denied.received).toMatch(/opa cannot be asked: ECONN(?:REFUSED|RESET)/);
    const { port } = new URL(mortal.url);
    expect(denied.received).not.toContain(port);
    await startMisbehaving((_request, response) => response.end('{"result":true}'), Number(port));
    expect((await ask(gate, 'api.test:443', get())).status).toBe(200);
  });

  it('counts the time it took, and lets observing agents through on record', async () => {
    const gate = await gateWith(
      { 'policy.opa.url': opa.url },
      { mode: 'observe', allow: ['GET,POST https://api.test/**'] },
    );
    expect((await post(gate, '{}')).status).toBe(200);
    expect(await gate.outcome()).toMatchObject({ decision: 'would-deny', reason: 'decision-point-denied' });
    const metrics = await (await fetch(`${gate.adminUrl}/metrics`)).text();
    expect(metrics).toContain('sallyport_decision_point_seconds_count 1');
  });
});

describe('a server that misbehaves', () => {
  it.each<[string, RequestListener, RegExp]>([
    ['never answers', () => undefined, /no answer within 200 ms/],
    ['answers with an error', (_request, response) => response.writeHead(500).end('{"result":true}'), /status 500/],
    ['answers with text', (_request, response) => response.end('true'), /not an object/],
    ['answers with half a document', (_request, response) => response.end('{"result":tr'), /not JSON/],
    ['hangs up', (request) => request.socket.destroy(), /ECONNRESET/],
    [
      'breaks off its answer',
      (request, response) => {
        response.writeHead(200, { 'Content-Length': '100' });
        response.write('{"result":true', () => request.socket.destroy());
      },
      /broke off|ECONNRESET/,
    ],
    ['answers without end', (_request, response) => void endless(response), /longer than|no answer within/],
    [
      'sends us elsewhere',
      (_request, response) => response.writeHead(307, { Location: 'http://127.0.0.1:1/' }).end(),
      /status 307/,
    ],
  ])('is a denial when it %s', async (_what, listener, words) => {
    const url = await startMisbehaving(listener);
    const gate = await gateWith({ 'policy.opa.url': url, 'policy.opa.timeout': '200ms' });
    const denied = await ask(gate, 'api.test:443', get());
    expect([denied.status, denied.reason]).toEqual([503, 'decision-point-unavailable']);
    expect(denied.received).toMatch(words);
  });

  it('is asked once more where a kept connection was closed meanwhile', async () => {
    const seen = new Map<Socket, number>();
    const url = await startMisbehaving((request, response) => {
      const count = (seen.get(request.socket) ?? 0) + 1;
      seen.set(request.socket, count);
      if (count > 1) request.socket.destroy();
      else response.end('{"result":true}');
    });
    const gate = await gateWith({ 'policy.opa.url': url });
    for (let i = 0; i < 3; i++) expect((await ask(gate, 'api.test:443', get())).status).toBe(200);
    expect(seen.size).toBe(3);
  });

  it('cannot put words of more than a line into a refusal', async () => {
    const reason = `a\r\nb\u0000c${'x'.repeat(300)}`;
    const url = await startMisbehaving((_request, response) =>
      response.end(JSON.stringify({ result: { allow: false, reason } })),
    );
    const gate = await gateWith({ 'policy.opa.url': url });
    const outcomeText = (await ask(gate, 'api.test:443', get())).received;
    expect(outcomeText).toContain('denies GET on api.test: a b cxxx');
    expect(outcomeText).not.toContain('x'.repeat(200));
  });
});

function endless(response: Parameters<RequestListener>[1]): void {
  const piece = Buffer.alloc(64 * 1024, ' ');
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  response.on('error', () => undefined);
  more();
}

describe('the input', () => {
  it('is what its JSON Schema says, for requests and for tunnels that pass unread', async () => {
    const told: unknown[] = [];
    const url = await startMisbehaving((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        told.push((JSON.parse(Buffer.concat(pieces).toString()) as { input: unknown }).input);
        response.end(told.length < 4 ? '{"result":true}' : '{"result":false}');
      });
    });
    const gate = await gateWith(
      { 'policy.opa.url': url, 'policy.input.headers': ['X-Team'], 'policy.input.body': 'yes' },
      {
        allow: ['GET,POST https://api.test/**', '* tcp://db.test:5432'],
        pins: [`api.test:443=127.0.0.1:${origin.port}`, `db.test:5432=127.0.0.1:${origin.port}`],
      },
    );
    await ask(gate, 'api.test:443', get('/a%7Eb/c?x=1&x=2&__proto__=3'));
    await post(gate, '{"amount":12345678901234567890}');
    await post(gate, '{"a":1,"a":2}');
    const tunnel = await openTunnel(gate, 'db.test:5432');
    await tunnel.gone();
    expect((await gate.outcome((event) => event.host === 'db.test')).reason).toBe('decision-point-denied');
    const validate = new Ajv2020({ strict: false }).compile(
      JSON.parse(readFileSync(join(ROOT, 'docs/reference/decision-input.schema.json'), 'utf8')) as object,
    );
    for (const each of told) expect([validate(each), validate.errors]).toEqual([true, null]);
    expect(told[0]).toEqual({
      version: 1,
      agent: 'bot',
      source: '127.0.0.1',
      scheme: 'https',
      host: 'api.test',
      port: 443,
      method: 'GET',
      websocket: false,
      path: '/a~b/c',
      segments: ['a~b', 'c'],
      query: 'x=1&x=2&__proto__=3',
      parameters: JSON.parse('{"x":["1","2"],"__proto__":["3"]}') as unknown,
      headers: { 'x-team': ['red'] },
      body: { kind: 'none' },
      mode: 'enforce',
      rule: { text: 'GET,POST https://api.test/**', file: 'rules/agents.yaml', line: 6, capability: null },
    });
    expect(told[1]).toMatchObject({ body: { kind: 'whole', content_type: ['application/json'], size: 31 } });
    // Two readers may read repeated names differently: such a body is text to the policy, not JSON.
    expect(told[2]).toMatchObject({ body: { kind: 'whole', text: '{"a":1,"a":2}' } });
    expect(told[3]).toMatchObject({ method: 'CONNECT', scheme: 'tcp', host: 'db.test', port: 5432 });
  });
});

describe.skipIf(OPA === null)('policy.wasm, compiled by opa', () => {
  const compile = (rego: string = REGO): string => compileWasm(OPA as string, folder, rego);

  it('is asked in this process, with the same input', async () => {
    const gate = await gateWith({ 'policy.wasm.file': compile(), 'policy.input.body': 'yes' });
    expect((await ask(gate, 'api.test:443', get())).status).toBe(200);
    expect((await post(gate, '{"amount":99}')).status).toBe(200);
    const denied = await post(gate, '{"amount":100}');
    expect([denied.status, denied.reason]).toEqual([403, 'decision-point-denied']);
    expect(denied.received).toContain('wasm denies POST on api.test');
  });

  it('reads data of its own, and takes up new files when rules are loaded again', async () => {
    const file = compile('package sallyport\n\ndefault allow := false\n\nallow if input.path in data.paths\n');
    const data = join(folder, 'data.json');
    writeFileSync(data, '{"paths":["/a"]}');
    const gate = await gateWith({ 'policy.wasm.file': file, 'policy.wasm.data': data });
    expect((await ask(gate, 'api.test:443', get('/a'))).status).toBe(200);
    expect((await ask(gate, 'api.test:443', get('/b'))).reason).toBe('decision-point-denied');
    writeFileSync(data, '{"paths":["/b"]}');
    expect(gate.gate.reload()).toEqual([]);
    expect((await ask(gate, 'api.test:443', get('/a'))).reason).toBe('decision-point-denied');
    expect((await ask(gate, 'api.test:443', get('/b'))).status).toBe(200);
    writeFileSync(data, '["/a"]');
    expect(gate.gate.reload().map((problem) => problem.message)).toEqual([
      'it is not a JSON object (policy.wasm.data)',
    ]);
    expect((await ask(gate, 'api.test:443', get('/b'))).status).toBe(200);
  });

  it('is asked before the server, and both must agree', async () => {
    const file = compile('package sallyport\n\ndefault allow := false\n\nallow if input.path == "/a"\n');
    const gate = await gateWith({ 'policy.wasm.file': file, 'policy.opa.url': opa.url });
    expect((await ask(gate, 'api.test:443', get('/a'))).status).toBe(200);
    expect((await ask(gate, 'api.test:443', get('/b'))).received).toContain('wasm denies');
    expect((await openAndPost(gate, '/a')).received).toContain('opa denies');
  });

  it('answers with a verdict that has words, or denies', async () => {
    const file = compile();
    const flags = { 'policy.wasm.file': file, 'policy.wasm.entrypoint': 'sallyport/verdict' };
    const denied = await post(await gateWith(flags), '{}');
    expect(denied.received).toContain('wasm denies POST on api.test: writing is for people');
    const words = await ask(
      await gateWith({ ...flags, 'policy.wasm.entrypoint': 'sallyport/words' }),
      'api.test:443',
      get(),
    );
    expect(words.reason).toBe('decision-point-unavailable');
  });

  it('is a denial when it fails, and is asked again after that', async () => {
    // Two rules that disagree are a conflict, which ends an evaluation.
    const file = compile(
      'package sallyport\n\nallow := true if input.method == "GET"\n\nallow := false if input.path == "/conflict"\n',
    );
    const gate = await gateWith({ 'policy.wasm.file': file });
    expect((await ask(gate, 'api.test:443', get('/a'))).status).toBe(200);
    const failed = await ask(gate, 'api.test:443', get('/conflict'));
    expect([failed.status, failed.reason]).toEqual([503, 'decision-point-unavailable']);
    expect((await ask(gate, 'api.test:443', get('/a'))).status).toBe(200);
  });

  it.each([
    ['a file that is no policy', (file: string) => writeFileSync(file, 'not wasm'), /not a policy that OPA compiled/],
    ['a file that is not there', (file: string) => rmSync(file), /cannot be read: ENOENT/],
  ])('does not start with %s', async (_what, spoil, words) => {
    const file = compile();
    spoil(file);
    await expect(gateWith({ 'policy.wasm.file': file })).rejects.toThrow(words);
  });

  it('does not start with an entrypoint the policy does not have, and names those it has', async () => {
    const flags = { 'policy.wasm.file': compile(), 'policy.wasm.entrypoint': 'sallyport/alow' };
    await expect(gateWith(flags)).rejects.toThrow(/no entrypoint "sallyport\/alow", but .*sallyport\/allow/);
  });

  it('has its say in `sallyport explain`', () => {
    const rules = join(folder, 'rules');
    execFileSync('mkdir', ['-p', rules]);
    const hash = 'a'.repeat(64);
    writeFileSync(
      join(rules, 'a.yaml'),
      `version: 1\nagents:\n  bot:\n    identity: { token: "sha256:${hash}" }\n    allow: ["* https://api.test/**"]\n`,
    );
    const run = (method: string): string => {
      const words = [CLI, 'explain', '--rules', rules, '--policy-wasm-file', compile(), '--agent', 'bot', method];
      try {
        return execFileSync(process.execPath, [...words, 'https://api.test/'], { encoding: 'utf8' });
      } catch (error) {
        return (error as { stdout: string }).stdout;
      }
    };
    expect(run('GET')).toMatch(/^ALLOW/);
    expect(run('DELETE')).toMatch(/^DENY .*\n.*\nreason {4}decision-point-denied: wasm denies DELETE on api\.test/);
  });
});

async function openAndPost(gate: TestGate, path: string): Promise<RawClient> {
  return ask(gate, 'api.test:443', `POST ${path} HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\n\r\n`);
}

describe('the token file of policy.opa', () => {
  it('that holds no token ends the start with one line', async () => {
    const file = join(folder, 'empty');
    writeFileSync(file, '\n');
    chmodSync(file, 0o600);
    await expect(gateWith({ 'policy.opa.url': opa.url, 'policy.opa.token-file': file })).rejects.toThrow(
      /empty: it does not hold a token on one line \(policy\.opa\.token-file\)$/,
    );
  });
});
