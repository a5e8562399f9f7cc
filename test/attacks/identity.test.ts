import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answered, dialGate, openTunnel } from '../support/client.ts';
import { BASIC, TOKEN, startGate, type TestGate } from '../support/gate.ts';

let gate: TestGate;
beforeAll(async () => {
  gate = await startGate({ allow: ['GET https://api.test/**'] });
});
afterAll(() => gate.close());

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const hash = createHash('sha256').update(TOKEN).digest('hex');

/** Everything but the right token is answered alike, so that nobody learns which agents exist. */
const WRONG: Record<string, string> = {
  'no credentials': '',
  'an unknown agent': `Proxy-Authorization: ${basic(`nobody:${TOKEN}`)}\r\n`,
  'a wrong token': `Proxy-Authorization: ${basic('bot:wrong')}\r\n`,
  'an empty token': `Proxy-Authorization: ${basic('bot:')}\r\n`,
  'the hash for the token': `Proxy-Authorization: ${basic(`bot:sha256:${hash}`)}\r\n`,
  'a name in another case': `Proxy-Authorization: ${basic(`BOT:${TOKEN}`)}\r\n`,
  'no colon': `Proxy-Authorization: ${basic('bot')}\r\n`,
  'another scheme': `Proxy-Authorization: Bearer ${TOKEN}\r\n`,
  'bytes that are not base64': 'Proxy-Authorization: Basic ###\r\n',
  'two fields, one of them right': `Proxy-Authorization: ${BASIC}\r\nProxy-Authorization: ${basic('bot:wrong')}\r\n`,
  'credentials for the origin': `Authorization: ${BASIC}\r\n`,
};

describe('CONNECT without a proved identity is 407', () => {
  for (const [name, field] of Object.entries(WRONG)) {
    it(name, async () => {
      const client = await openTunnel(gate, 'api.test:443', field);
      await answered(client);
      expect([client.status, client.reason]).toEqual([407, 'agent-unknown']);
      expect(client.received).toMatch(/Proxy-Authenticate: Basic realm="sallyport"/);
      expect(client.received).not.toContain('nobody');
      await client.close();
    });
  }
  it('and the connection can be used for a second try', async () => {
    const client = await openTunnel(gate, 'api.test:443', '');
    await answered(client);
    client.received = '';
    client.send(`CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nProxy-Authorization: ${BASIC}\r\n\r\n`);
    await client.see('\r\n\r\n');
    expect(client.status).toBe(200);
    await client.close();
  });
});

it('a wrong token is not saved by a source network that would prove an agent', async () => {
  const local = await startGate({
    rules: {
      'a.yaml':
        'version: 1\nagents:\n  local:\n    identity: { networks: [127.0.0.1] }\n    allow: ["* https://api.test/**"]\n',
    },
  });
  const wrong = await openTunnel(local, 'api.test:443', `Proxy-Authorization: ${basic('local:x')}\r\n`);
  await answered(wrong);
  expect(wrong.status).toBe(407);
  const right = await openTunnel(local, 'api.test:443', '');
  expect(right.status).toBe(200);
  await Promise.all([wrong.close(), right.close()]);
  await local.close();
});

it('guessing is slowed down, and does not lock out a token that was right before', async () => {
  const strict = await startGate({ allow: ['GET https://api.test/**'] });
  const good = await openTunnel(strict, 'api.test:443', `Proxy-Authorization: ${BASIC}\r\n`);
  expect(good.status).toBe(200);
  let last = '';
  for (let i = 0; i < 25; i++) {
    const client = await dialGate(strict);
    client.send(
      `CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nProxy-Authorization: ${basic(`bot:guess${i}`)}\r\n\r\n`,
    );
    await answered(client);
    last = client.received;
    await client.close();
  }
  expect(last).toMatch(/^HTTP\/1\.1 429/);
  expect(last).toMatch(/Retry-After: \d+/);
  const again = await openTunnel(strict, 'api.test:443', `Proxy-Authorization: ${BASIC}\r\n`);
  expect(again.status).toBe(200);
  await Promise.all([good.close(), again.close()]);
  await strict.close();
});
