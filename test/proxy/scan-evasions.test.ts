import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { answered, openTls, type RawClient } from '../support/client.ts';
import { TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { fillIn } from '../support/samples.ts';
import { until } from '../support/until.ts';

/** Made up anew in each run, from pieces. */
const GITHUB = fillIn('ghp_{{AN:36}}', 21);
const OTHER_GITHUB = fillIn('ghp_{{AN:36}}', 22);
/** Of software that runs anywhere. */
const OCTOPUS = `API-${fillIn('{{AN:30}}', 23).toUpperCase()}`;
const CARD = fillIn('{{card}}', 24);
const DATABASE = fillIn('postgres://app:{{AN:16}}@db.internal:5432/app', 25);

const RULES = `version: 1
defaults:
  scan: { personal-data: redact }
agents:
  bot:
    identity: { token: "TOKEN_HASH" }
    capabilities: [all]
capabilities:
  all:
    endpoints: [ "* https://api.test/**", "* https://api.github.com/**", "* https://echo.test/**" ]
`;
const HOSTS = ['api.test', 'api.github.com'];

let ca: TestCa;
let origin: Origin;
let gate: TestGate;
let observing: TestGate;
let echo: { readonly port: number; readonly close: () => void };
beforeAll(async () => {
  ca = await TestCa.create();
  origin = await startOrigin({ tls: await ca.leaf(HOSTS) });
  echo = await startEcho();
  const options = {
    pins: [...HOSTS.map((host) => `${host}:443=127.0.0.1:${origin.port}`), `echo.test:443=127.0.0.1:${echo.port}`],
    upstreamCa: ca.certificate,
    flags: { 'inspect.buffer': '64 KiB' },
  };
  const rules = RULES.replace('TOKEN_HASH', TOKEN_HASH);
  gate = await startGate({ ...options, rules: { 'rules.yaml': rules } });
  observing = await startGate({
    ...options,
    rules: { 'rules.yaml': rules.replace('bot:\n', 'bot:\n    mode: observe\n') },
  });
});
afterAll(async () => {
  await gate.close();
  await observing.close();
  await origin.close();
  echo.close();
});

/** An origin that says back at once what it hears. */
async function startEcho(): Promise<{ readonly port: number; readonly close: () => void }> {
  const { certificate, key } = await ca.leaf(['echo.test']);
  const server = createHttps({ cert: certificate, key }, (request, response) => {
    request.on('error', () => undefined);
    response.flushHeaders();
    request.on('data', (bytes: Buffer) => response.write(bytes));
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function post(
  through: TestGate,
  host: string,
  target: string,
  body: string | Buffer,
  fields: Record<string, string> = {},
): Promise<RawClient> {
  const bytes = Buffer.from(body);
  const all = { 'Content-Type': 'application/json', 'Content-Length': String(bytes.length), ...fields };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const client = await openTls(through, `${host}:443`);
  client.send(`POST ${target} HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}\r\n`);
  client.send(bytes);
  await answered(client);
  await client.close();
  return client;
}

function reasonOf(client: RawClient): string | undefined {
  return /^sallyport-reason: (\S+)/im.exec(client.received)?.[1];
}

const cutUp = (secret: string): Record<string, string> => ({
  a: secret.slice(0, 12),
  b: secret.slice(12, 25),
  c: secret.slice(25),
});

describe('where somebody authenticates', () => {
  it('a token of software that runs anywhere passes, to any host', async () => {
    const client = await post(gate, 'api.test', '/octopus', '{}', { 'X-Octopus-ApiKey': OCTOPUS });
    expect(client.status).toBe(200);
  });

  it.each([
    ['a connection string', { Cookie: `session=${DATABASE}` }],
    ['a token of a provider', { Authorization: `Bearer ${GITHUB}` }],
    ['a token of software that runs anywhere beside a secret', { Authorization: OCTOPUS, Cookie: `a=${DATABASE}` }],
  ])('%s is refused', async (_name, fields) => {
    expect(reasonOf(await post(gate, 'api.test', '/x', '{}', fields as Record<string, string>))).toBe('secret-found');
  });
});

describe('a secret cut up over a body', () => {
  it.each([
    ['is refused on its way home, where it has no more business than whole', {}],
    ['is not hidden by another that is where it belongs', { Authorization: `token ${OTHER_GITHUB}` }],
  ])('%s', async (_name, fields: Record<string, string>) => {
    const client = await post(gate, 'api.github.com', '/gists', JSON.stringify(cutUp(GITHUB)), fields);
    expect(client.received).toContain('secrets in parts of the body (github-pat)');
  });

  it('is not hidden by one that is told of, and whole', async () => {
    const body = JSON.stringify({ ...cutUp(GITHUB), card: CARD });
    expect(reasonOf(await post(gate, 'api.test', '/both', body))).toBe('secret-found');
  });

  it('is not made up of what was taken out', async () => {
    const client = await post(gate, 'api.test', '/card', JSON.stringify({ card: CARD, a: 'one', b: 'two' }));
    expect(client.status).toBe(200);
    expect(origin.requests.find(({ url }) => url === '/card')?.body.toString()).not.toContain(CARD);
  });
});

describe('a body that cannot be looked at', () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const cases: ReadonlyArray<readonly [string, Buffer, string, string]> = [
    ['under a coding nobody knows', Buffer.from('hello'), 'lzma', 'scan-budget'],
    ['under a known coding over one nobody knows', gzipSync('hello'), 'lzma, gzip', 'scan-budget'],
    ['that is damaged', Buffer.from('not gzip at all'), 'gzip', 'request-malformed'],
    ['that decodes to very much more', bomb, 'gzip', 'scan-budget'],
  ];

  it.each(cases)('%s is refused', async (_name, body, coding, reason) => {
    expect(reasonOf(await post(gate, 'api.test', '/unseen', body, { 'Content-Encoding': coding }))).toBe(reason);
  });

  it.each(cases)('%s passes in observe, and what would have been is on record', async (name, body, coding, reason) => {
    const path = `/observed-${name.replaceAll(' ', '-')}`;
    const client = await post(observing, 'api.test', path, body, { 'Content-Encoding': coding });
    expect(client.status).toBe(200);
    expect(origin.requests.find(({ url }) => url === path)?.body).toEqual(body);
    expect(await observing.outcome((event) => event.path === path)).toMatchObject({ decision: 'would-deny', reason });
  });

  it('is told from one whose coding only frames it', async () => {
    const coded = brotliCompressSync(JSON.stringify({ note: GITHUB }));
    for (const [body, coding, status] of [
      ['plain', 'aws-chunked', 200],
      [GITHUB, 'aws-chunked', 403],
      [coded, 'br,aws-chunked', 403],
    ] as const) {
      expect((await post(gate, 'api.test', '/framed', body, { 'Content-Encoding': coding })).status).toBe(status);
    }
  });
});

describe('a conversation over a body that streams', () => {
  it('goes on where each side waits for the other, whatever what was said looks like', async () => {
    const client = await openTls(gate, 'echo.test:443');
    client.send('POST /talk HTTP/1.1\r\nHost: echo.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    const said = ['hello ', 'the key is ghp_', 'abc', ' and that was all '];
    for (const each of said) {
      client.send(`${each.length.toString(16)}\r\n${each}\r\n`);
      await until(() => client.received.replaceAll(/\r\n[0-9a-f]+\r\n/g, '').includes(each), `the echo of ${each}`);
    }
    client.send('0\r\n\r\n');
    await until(() => client.received.endsWith('0\r\n\r\n'), 'the end of the answer');
    await client.close();
  });

  it('is cut off all the same before the rest of a secret of which a beginning was let go', async () => {
    const client = await openTls(gate, 'echo.test:443');
    client.send('POST /talk HTTP/1.1\r\nHost: echo.test\r\nTransfer-Encoding: chunked\r\n\r\n');
    const begun = GITHUB.slice(0, 12);
    client.send(`c\r\n${begun}\r\n`);
    await client.see(begun);
    const rest = `${GITHUB.slice(12)} `;
    client.send(`${rest.length.toString(16)}\r\n${rest}\r\n0\r\n\r\n`);
    const event = await gate.outcome(({ path, reason }) => path === '/talk' && reason === 'secret-found');
    expect(event.findings).toMatchObject([{ action: 'deny', detector: 'github-pat' }]);
    expect(client.received).not.toContain(rest.slice(0, 10));
    await client.close();
  });
});
