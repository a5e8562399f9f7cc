import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { Sheet, SheetBody } from '../../src/audit/transcripts/sheet.ts';
import { loadDetectors } from '../../src/policy/load.ts';
import { compileEngine } from '../../src/scan/engine.ts';
import type { AuditEvent, TranscriptEvent } from '../../src/model/audit-event.ts';
import { answered, dialGate, type RawClient } from '../support/client.ts';
import { BASIC, TOKEN, TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { ENCODINGS } from '../support/encodings.ts';
import { fillIn } from '../support/samples.ts';
import { findIn } from '../support/scan.ts';
import { until } from '../support/until.ts';

/** Made up anew in each run, from pieces. */
const GITHUB = fillIn('ghp_{{AN:36}}', 21);
const CARD = fillIn('{{card}}', 22);

const RULES = `version: 1
agents:
  bot: { identity: { token: "${TOKEN_HASH}" }, capabilities: [kept, read, other] }
capabilities:
  kept:
    audit: transcript
    endpoints: [ "* http://kept.test/**", { scheme: http, host: socket.test, websocket: {} } ]
  read:
    audit: transcript
    scan: { secrets-received: deny }
    endpoints: [ "* http://read.test/**" ]
  other: { endpoints: [ "* http://other.test/**" ] }
`;

const folder = mkdtempSync(join(tmpdir(), 'sallyport-transcripts-'));
const identity = join(folder, 'identity');
let origin: Origin;
let gate: TestGate;
let socketPort = 0;
const closers: Array<() => unknown> = [];
beforeAll(async () => {
  origin = await startOrigin({
    answer: (request, response) => {
      if (request.url.startsWith('/gzip')) {
        const body = gzipSync('plain words');
        response.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' }).end(body);
      } else if (request.url.startsWith('/secret')) response.writeHead(200).end(`before ${GITHUB} behind`);
      else {
        response.setHeader('Set-Cookie', 'session=abc');
        response.writeHead(200, { 'content-type': 'text/plain' }).end(`you said ${request.body.length} bytes`);
      }
    },
  });
  closers.push(() => origin.close());
  socketPort = await startSocketServer();
  // The keys of real age, and of nobody else.
  execFileSync('age-keygen', ['-o', identity], { stdio: 'ignore' });
  const recipient = execFileSync('age-keygen', ['-y', identity], { encoding: 'utf8' }).trim();
  gate = await start({ 'audit.transcript.recipients': recipient });
});
afterAll(async () => {
  await gate.close();
  for (const close of closers) await close();
  rmSync(folder, { recursive: true });
});

const start = (flags: Readonly<Record<string, string>>): Promise<TestGate> =>
  startGate({
    rules: { 'rules.yaml': RULES },
    pins: [
      ...['kept.test', 'read.test', 'other.test'].map((host) => `${host}:80=127.0.0.1:${origin.port}`),
      `socket.test:80=127.0.0.1:${socketPort}`,
    ],
    flags: { 'inspect.buffer': '64 KiB', 'audit.transcript.body': '8 KiB', ...flags },
  });

async function startSocketServer(): Promise<number> {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function send(
  url: string,
  body: string | Buffer = '',
  fields: Readonly<Record<string, string>> = {},
  to: TestGate = gate,
): Promise<RawClient> {
  const client = await dialGate(to);
  const lines = Object.entries({ 'Content-Length': String(Buffer.byteLength(body)), ...fields });
  const { host } = new URL(url);
  client.send(
    `POST ${url} HTTP/1.1\r\nHost: ${host}\r\nProxy-Authorization: ${BASIC}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
  );
  client.send(body);
  return answered(client);
}

function transcriptsOf(of: TestGate): TranscriptEvent[] {
  const events = of
    .auditText()
    .split('\n')
    .filter((line) => line.includes('"kind":"transcript"'));
  return events.map((line) => JSON.parse(line) as AuditEvent).filter((event) => event.kind === 'transcript');
}

/** The transcript of the exchange whose outcome fits, opened by age and zstd, as an auditor does. */
async function transcript(path: string): Promise<Sheet & { readonly objects: readonly string[] }> {
  const { exchange } = await gate.outcome((event) => event.path === path);
  const event = await until(() => transcriptsOf(gate).find((each) => each.exchange === exchange), 'a transcript');
  const { objects } = event;
  return { ...(JSON.parse(opened(objects[0] as string).toString('utf8')) as Sheet), objects };
}

function opened(object: string): Buffer {
  const file = join(gate.folder, 'state/transcripts', `${object}.age`);
  expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(object.slice(-64));
  const compressed = execFileSync('age', ['-d', '-i', identity, file], { maxBuffer: 1e8 });
  return execFileSync('zstd', ['-d', '-q'], { input: compressed, maxBuffer: 1e8 });
}

function bytesOf({ base64, object }: SheetBody): string {
  return (object === undefined ? Buffer.from(base64 ?? '', 'base64') : opened(object)).toString('latin1');
}

describe('a transcript', () => {
  it('has what both sides said, and none of their credentials', async () => {
    const authorization = `Bearer ${fillIn('{{AN:30}}', 23)}`;
    await send('http://kept.test/a?b=c', '{"hello":"world"}', { Authorization: authorization, 'X-Kind': 'test' });
    const { exchange, request, response, objects } = await transcript('/a');
    expect(exchange).toMatch(/^sallyport-/);
    expect(request.head).toBe(
      'POST /a?b=c http/1.1\r\nhost: kept.test\r\nAuthorization: [redacted credential]\r\nX-Kind: test',
    );
    expect(bytesOf(request.body)).toBe('{"hello":"world"}');
    expect(request.body).toMatchObject({ size: 17 });
    expect(response?.head).toMatch(/^200 OK\r\n/);
    expect(response?.head).toMatch(/\r\nset-cookie: \[redacted credential\]/i);
    expect(bytesOf(response?.body as SheetBody)).toBe('you said 17 bytes');
    expect(objects).toHaveLength(1);
    const sealed = readFileSync(join(gate.folder, 'state/transcripts', `${objects[0]}.age`));
    expect(sealed.includes('hello')).toBe(false);
    expect(sealed.subarray(0, 21).toString()).toBe('age-encryption.org/v1');
  });

  it('is of capabilities that ask for one', async () => {
    await send('http://other.test/none');
    await send('http://kept.test/some');
    await transcript('/some');
    const { exchange } = await gate.outcome((event) => event.path === '/none');
    expect(transcriptsOf(gate).map((each) => each.exchange)).not.toContain(exchange);
  });

  it.each<[string, string, string | Buffer, Record<string, string>, string, string]>([
    [
      'in JSON',
      '/json',
      `{"card":"${CARD}","n":1}`,
      { 'Content-Type': 'application/json' },
      '{"card":"[redacted personal-data]","n":1}',
      'without what was found in it',
    ],
    [
      'in a form',
      '/form',
      `a=1&card=${CARD}`,
      { 'Content-Type': 'application/x-www-form-urlencoded' },
      'a=1&card=[redacted personal-data]',
      'without what was found in it',
    ],
    [
      'under a content coding',
      '/coded',
      gzipSync(`card ${CARD}.`),
      { 'Content-Encoding': 'gzip' },
      'card [redacted personal-data].',
      'content coding undone, without what was found in it',
    ],
    [
      'in Base64',
      '/base64',
      `card ${Buffer.from(`card: ${CARD};`).toString('base64')} end`,
      {},
      'card [redacted personal-data]= end',
      'without what was found in it',
    ],
  ])('leaves out what was found %s, and says so', async (_where, path, body, fields, kept, note) => {
    expect((await send(`http://kept.test${path}`, body, fields)).status).toBe(200);
    const { request } = await transcript(path);
    expect(bytesOf(request.body)).toBe(kept);
    expect(request.body).toMatchObject({ size: Buffer.byteLength(body), note });
  });

  it('of a refused request has what the agent tried, without what it was refused for', async () => {
    expect((await send('http://kept.test/refused', `take ${GITHUB} with you`)).status).toBe(403);
    const { request, response } = await transcript('/refused');
    expect(bytesOf(request.body)).toBe('take [redacted secrets] with you');
    expect(response).toBeNull();
  });

  it('leaves out what was found in the path, the query and the fields', async () => {
    expect(
      (await send(`http://kept.test/query?card=${encodeURIComponent(CARD)}`, '', { 'X-Note': `my ${CARD}` })).status,
    ).toBe(200);
    const { request } = await transcript('/query');
    expect(request.head).toMatch(/^POST \/query\?card=\[redacted personal-data\] http/);
    expect(request.head).toContain('X-Note: my [redacted personal-data]');
    expect(request.head).not.toContain(CARD);
  });

  it('withholds what holds the parts of a secret that was cut up', async () => {
    const body = JSON.stringify({ a: GITHUB.slice(0, 12), b: GITHUB.slice(12, 25), c: GITHUB.slice(25) });
    expect((await send('http://kept.test/parts', body, { 'Content-Type': 'application/json' })).status).toBe(403);
    const { request } = await transcript('/parts');
    expect(bytesOf(request.body)).toBe('[withheld: something was found in parts of it]');
    expect(request.head).not.toContain('/parts');
  });

  it('keeps the beginning of what is long, and looks for what is to be left out in all of it', async () => {
    const line = 'words and more words\n';
    const body = `${line.repeat(380)}${CARD} ${line.repeat(8000)}`;
    expect((await send('http://kept.test/long', body)).status).toBe(200);
    const { request, objects } = await transcript('/long');
    expect(request.body).toMatchObject({
      size: body.length,
      note: 'the first 8192 bytes, without what was found in it',
    });
    const kept = bytesOf(request.body);
    expect(kept.startsWith(`${line.repeat(380)}[redacted personal-data] words`)).toBe(true);
    expect(objects).toHaveLength(2);
    // The same body again is kept once.
    await send('http://kept.test/again', body);
    const again = await transcript('/again');
    expect(again.objects[1]).toBe(objects[1]);
    expect(again.objects[0]).not.toBe(objects[0]);
  });

  it('has nothing in it that the scanner finds, whatever a secret is encoded in', { timeout: 120_000 }, async () => {
    const detectors = loadDetectors(join(import.meta.dirname, '../../rules/detectors'));
    const engine = compileEngine(detectors.filter(({ name }) => name === 'github-pat'));
    const there: string[] = [];
    for (const [index, [name, encode]] of ENCODINGS.entries()) {
      const body = Buffer.from(`before ${encode(GITHUB)} behind`, 'latin1');
      if (findIn(engine, body).length === 0) continue;
      expect([name, (await send(`http://kept.test/encoded-${index}`, body)).status]).toEqual([name, 403]);
      const { request } = await transcript(`/encoded-${index}`);
      const kept = bytesOf(request.body);
      if (findIn(engine, kept).length > 0 || !/^(?:before .*|\[withheld.*)$/s.test(kept))
        there.push(`${name}: ${kept}`);
    }
    expect(there).toEqual([]);
  });

  it('keeps an answer as it came, under its content coding', async () => {
    await send('http://kept.test/gzip');
    const { response } = await transcript('/gzip');
    expect(bytesOf(response?.body as SheetBody)).toBe(gzipSync('plain words').toString('latin1'));
  });

  it('of an answer that was stopped has what was stopped, without the secret', async () => {
    expect((await send('http://read.test/secret')).status).toBe(403);
    const { response } = await transcript('/secret');
    expect(bytesOf(response?.body as SheetBody)).toBe('before [redacted secrets] behind');
  });

  it('has the messages of a WebSocket, and not what was found in them', async () => {
    const agent = new HttpsProxyAgent(`http://bot:${TOKEN}@127.0.0.1:${gate.port}`);
    const socket = new WebSocket('ws://socket.test/chat', { agent });
    const heard: string[] = [];
    socket.on('message', (data: Buffer) => heard.push(data.toString()));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send('hello');
    socket.send(`pay with ${CARD} please`);
    await until(() => heard.length === 2, 'two answers');
    socket.close();
    const { request, response } = await transcript('/chat');
    const message = (bytes: number): string => `\n\\[text, ${bytes} bytes, [-0-9T:.Z]+\\]\n`;
    expect(bytesOf(request.body)).toMatch(
      new RegExp(`^${message(5)}hello${message(16 + CARD.length)}pay with \\[redacted personal-data\\] please$`),
    );
    expect(response?.head).toMatch(/^101 /);
    expect(bytesOf(response?.body as SheetBody)).toMatch(
      new RegExp(`^${message(10)}echo hello${message(21 + CARD.length)}echo pay`),
    );
  });
});

describe('without transcripts', () => {
  it('rules that ask for one do not load where nobody could read it', async () => {
    await expect(start({})).rejects.toThrow(
      /rules\.yaml:6:5: error: "audit: transcript" asks for what nobody could read[^]*audit identity/,
    );
  });

  it('a recipient that was mistyped is an error', async () => {
    const recipient = execFileSync('age-keygen', ['-y', identity], { encoding: 'utf8' }).trim();
    const wrong = recipient.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'));
    await expect(start({ 'audit.transcript.recipients': wrong })).rejects.toThrow(`"${wrong}" is no age recipient`);
  });

  it('what asks for one is denied while none can be written, and none is lost that was begun', async () => {
    const recipient = execFileSync('age-keygen', ['-y', identity], { encoding: 'utf8' }).trim();
    const other = await start({ 'audit.transcript.recipients': recipient });
    // Where its folder should be stands a file.
    const place = join(other.folder, 'state/transcripts');
    writeFileSync(place, '');
    expect((await send('http://kept.test/one', '', {}, other)).status).toBe(200);
    let client = await send('http://kept.test/two', '', {}, other);
    for (let tries = 0; client.status === 200 && tries < 200; tries++)
      client = await send('http://kept.test/two', '', {}, other);
    expect(client.status).toBe(503);
    expect(client.received).toContain('Sallyport-Reason: audit-unavailable');
    expect((await send('http://other.test/', '', {}, other)).status).toBe(200);
    rmSync(place);
    await until(() => transcriptsOf(other).length > 0, 'a transcript');
    const ends = other
      .events()
      .filter((event) => event.kind === 'outcome' && event.host === 'kept.test' && event.decision === 'allow');
    await until(() => transcriptsOf(other).length === ends.length, 'all transcripts');
    expect(readdirSync(place)).toHaveLength(1);
    await other.close();
  });
});
