import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseHost } from '../../src/model/host.ts';
import { TestCa } from '../support/certificates.ts';
import { ask, openTls, answered, dialGate } from '../support/client.ts';
import { startDns, type TestDns } from '../support/dns.ts';
import { BASIC, TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';

/** Addresses no agent may reach, as literals, in every costume (WIRE.md §1). All hosts are on the allowlist: the guard is what refuses. */
const LITERALS = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0x7f.0.0.1',
  '017700000001',
  '127.0.1',
  '10.0.0.1',
  '100.64.0.1',
  '169.254.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '0.0.0.0',
  '0',
  '[::]',
  '[::1]',
  '[fe80::1]',
  '[fc00::1]',
  '[fd00::1]',
  '[ff02::1]',
  '[100::1]',
  '[2001:db8::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[::ffff:10.0.0.1]',
  '[64:ff9b::8.8.8.8]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  '[2002:808:808::]',
  '[2001:0:1::1]',
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.170.2',
  '168.63.129.16',
  '100.100.100.200',
  '[fd00:ec2::254]',
  '[::ffff:a9fe:a9fe]',
  'metadata.google.internal',
  'localhost',
  'a.localhost',
  'LOCALHOST.',
];

describe('a forbidden literal is address-forbidden', () => {
  let gate: TestGate;
  beforeAll(async () => {
    // Costumes of one address fold to one rule: a rule that stands twice does not load.
    const folded = new Map(
      LITERALS.filter((each) => /^[\d.[]/.test(each)).map((each) => [parseHost(each)?.text ?? each, each]),
    );
    const hosts = ['localhost', '*.localhost', 'metadata.google.internal', ...folded.values()];
    gate = await startGate({
      rules: {
        'a.yaml': `version: 1\nnetworks:\n  everything: [0.0.0.0/0, "::/0"]\nagents:\n  bot:\n    identity: { token: "${TOKEN_HASH}" }\n    allow:\n${hosts.map((host) => `      - '* https://${host}/**'\n`).join('')}`,
      },
    });
  });
  afterAll(() => gate.close());

  for (const literal of LITERALS) {
    it(literal, async () => {
      // The leaf is for the folded address, not for its costume.
      const client = await openTls(gate, `${literal}:443`, { verify: false });
      client.send(`GET / HTTP/1.1\r\nHost: ${literal}\r\n\r\n`);
      await answered(client);
      expect([client.status, client.reason]).toEqual([403, 'address-forbidden']);
      await client.close();
    });
  }
});

describe('a rule that names the network', () => {
  it('opens loopback, but neither metadata nor translated addresses', async () => {
    const ca = await TestCa.create();
    const origin = await startOrigin({ tls: await ca.leaf(['127.0.0.1']) });
    const gate = await startGate({
      rules: {
        'a.yaml': `version: 1\nnetworks:\n  everything: [0.0.0.0/0, "::/0"]\nagents:\n  bot:\n    identity: { token: "${TOKEN_HASH}" }\n    networks: [everything]\n    allow:\n      - '* https://127.0.0.1:${origin.port}/**'\n      - '* https://169.254.169.254/**'\n      - '* https://[64:ff9b::808:808]/**'\n`,
      },
      upstreamCa: ca.certificate,
    });
    const good = await ask(
      gate,
      `127.0.0.1:${origin.port}`,
      `GET /in HTTP/1.1\r\nHost: 127.0.0.1:${origin.port}\r\n\r\n`,
    );
    expect(good.status).toBe(200);
    for (const bad of ['169.254.169.254', '[64:ff9b::808:808]']) {
      const client = await ask(gate, `${bad}:443`, `GET / HTTP/1.1\r\nHost: ${bad}\r\n\r\n`);
      expect(client.reason).toBe('address-forbidden');
      await client.close();
    }
    await good.close();
    await gate.close();
    await origin.close();
  });

  it("never opens the gate's own listeners", async () => {
    const rules = (port: string): string =>
      `version: 1\nnetworks: { everything: [0.0.0.0/0] }\nagents:\n  bot:\n    identity: { token: "${TOKEN_HASH}" }\n    networks: [everything]\n    allow: ['* http://127.0.0.1:${port}/**', '* http://127.0.0.2:${port}/**']\n`;
    const gate = await startGate({ rules: { 'a.yaml': rules('1') } });
    for (const port of [String(gate.port), gate.adminUrl.split(':').at(-1) ?? '']) {
      gate.writeRules({ 'a.yaml': rules(port) });
      gate.gate.reload();
      for (const host of ['127.0.0.1', '127.0.0.2']) {
        const client = await dialGate(gate);
        client.send(
          `GET http://${host}:${port}/metrics HTTP/1.1\r\nHost: ${host}:${port}\r\nProxy-Authorization: ${BASIC}\r\n\r\n`,
        );
        await answered(client);
        expect([port, client.reason]).toEqual([port, 'address-forbidden']);
        await client.close();
      }
    }
    await gate.close();
  });
});

describe('names', () => {
  let ca: TestCa;
  let dns: TestDns;
  let origin: Origin;
  let gate: TestGate;
  beforeAll(async () => {
    ca = await TestCa.create();
    origin = await startOrigin({ tls: await ca.leaf(['good.test', 'flip.test', 'zero.test']) });
    dns = await startDns({
      'good.test': { a: ['127.0.0.1'] },
      'flip.test': { a: ['127.0.0.1'], ttl: 0 },
      'mixed.test': { a: ['8.8.8.8'], aaaa: ['fc00::1'] },
      'two.test': { a: ['8.8.8.8', '10.0.0.1'] },
      'cname.test': { cname: 'internal.test', a: ['10.0.0.1'] },
      'mapped.test': { aaaa: ['::ffff:7f00:1'] },
      'servfail.test': { failure: 2 },
      'silent.test': { failure: 'silent' },
      'empty.test': {},
    });
    const hosts = [
      'good.test',
      'flip.test',
      'mixed.test',
      'two.test',
      'cname.test',
      'mapped.test',
      'servfail.test',
      'silent.test',
      'empty.test',
      'absent.test',
    ];
    gate = await startGate({
      rules: {
        'a.yaml': `version: 1\nnetworks: { here: [127.0.0.0/8] }\nagents:\n  bot:\n    identity: { token: "${TOKEN_HASH}" }\n    networks: [here]\n    allow:\n${hosts.map((host) => `      - '* https://${host}:${origin.port}/**'\n`).join('')}  other:\n    identity: { networks: [10.1.1.1] }\n`,
      },
      upstreamCa: ca.certificate,
      flags: { 'upstream.resolvers': dns.address },
    });
  });
  afterAll(async () => {
    await gate.close();
    await Promise.all([dns.close(), origin.close()]);
  });
  const get = (host: string) =>
    ask(gate, `${host}:${origin.port}`, `GET / HTTP/1.1\r\nHost: ${host}:${origin.port}\r\n\r\n`);

  it('are resolved and dialled where the rule names their network', async () => {
    const client = await get('good.test');
    expect(client.status).toBe(200);
    expect(
      (await gate.outcome((event) => event.kind === 'outcome' && event.host === 'good.test')).kind === 'outcome',
    ).toBe(true);
    await client.close();
  });

  it('that are not admitted are never looked up', async () => {
    const client = await get('secret-data.evil.test');
    expect(client.reason).toBe('host-not-allowed');
    expect(dns.asked).not.toContain('secret-data.evil.test');
    await client.close();
  });

  const cases: Record<string, [status: number, reason: string, detail: RegExp]> = {
    'mixed.test': [403, 'address-forbidden', /fc00::1/],
    'two.test': [403, 'address-forbidden', /10\.0\.0\.1/],
    'cname.test': [403, 'address-forbidden', /10\.0\.0\.1/],
    'servfail.test': [502, 'upstream-unreachable', /SERVFAIL/],
    'absent.test': [502, 'upstream-unreachable', /NXDOMAIN/],
    'empty.test': [502, 'upstream-unreachable', /no address/],
  };
  for (const [host, [status, reason, detail]] of Object.entries(cases)) {
    it(`${host} is ${reason}`, async () => {
      const client = await get(host);
      expect([client.status, client.reason]).toEqual([status, reason]);
      expect(client.received).toMatch(detail);
      await client.close();
    });
  }
  it('silent.test is upstream-timeout', async () => {
    const client = await get('silent.test');
    expect([client.status, client.reason]).toEqual([504, 'upstream-timeout']);
    await client.close();
  });
  it('a mapped answer is judged as the address it holds', async () => {
    const client = await get('mapped.test');
    // 127.0.0.1, which the rule opens: what fails is the certificate, which is for other names.
    expect(client.reason).toBe('upstream-untrusted');
    await client.close();
  });
  it('that flip between two requests on one tunnel are judged again', async () => {
    const client = await openTls(gate, `flip.test:${origin.port}`);
    client.send(`GET /1 HTTP/1.1\r\nHost: flip.test:${origin.port}\r\n\r\n`);
    await answered(client);
    expect(client.status).toBe(200);
    dns.zones.set('flip.test', { a: ['169.254.169.254'], ttl: 0 });
    client.received = '';
    client.send(`GET /2 HTTP/1.1\r\nHost: flip.test:${origin.port}\r\n\r\n`);
    await answered(client);
    expect(client.reason).toBe('address-forbidden');
    await client.close();
  });
});
