import { describe, expect, it } from 'vitest';
import { answered, ask, dialGate, openTls, openTunnel } from '../support/client.ts';
import { BASIC } from '../support/gate.ts';
import { useStage } from './stage.ts';

const stage = useStage();
const AUTH = `Proxy-Authorization: ${BASIC}\r\n`;

/** CONNECT targets that name no host and port (WIRE.md §1). */
const MALFORMED = [
  'api.test',
  'api.test:',
  'api.test:007',
  'api.test:0',
  'api.test:65536',
  'api.test:+80',
  'api.test:443:443',
  ':443',
  'api..test:443',
  '.api.test:443',
  'api.test..:443',
  '[api.test]:443',
  '[::1%eth0]:443',
  '[fe80::1%25eth0]:443',
  'user@api.test:443',
  'api%2etest:443',
  `${'a'.repeat(64)}.test:443`,
  `${'a.'.repeat(130)}test:443`,
  'api.test\\:443',
  '256.1.1.1:443',
  '1.2.3.4.5:443',
  'https://api.test:443',
];

describe('a malformed CONNECT target is 400 request-malformed', () => {
  for (const authority of MALFORMED) {
    it(authority.slice(0, 60), async () => {
      const client = await dialGate(stage.gate);
      client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: x\r\n${AUTH}\r\n`);
      await answered(client);
      expect([client.status, client.reason]).toEqual([400, 'request-malformed']);
      await client.close();
    });
  }
});

/** Names that mean the allowed host, and must be matched as it. */
describe('a host is the same in every costume', () => {
  for (const authority of ['API.TEST:443', 'api.test.:443', 'Api.Test.:443']) {
    it(authority, async () => {
      const client = await openTls(stage.gate, authority, { servername: 'api.test' });
      client.send('GET /costume HTTP/1.1\r\nHost: api.test\r\n\r\n');
      await answered(client);
      expect(client.status).toBe(200);
      await client.close();
    });
  }
  it('full-width letters and dots in UTF-8', async () => {
    const fancy = Buffer.from('ａｐｉ．ｔｅｓｔ:443').toString('latin1');
    const client = await openTunnel(stage.gate, fancy, AUTH);
    expect(client.status).toBe(200);
    await client.close();
  });
});

/** Names that look like the allowed host and are not. */
describe('a look-alike is host-not-allowed', () => {
  for (const host of ['evil-api.test', 'api.test.evil.net', 'test', 'sub.api.test', 'xn--pi-7kc.test']) {
    it(host, async () => {
      const before = stage.seen();
      const client = await ask(stage.gate, `${host}:443`, `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      expect(client.reason).toBe('host-not-allowed');
      expect(stage.seen()).toBe(before);
      await client.close();
    });
  }
  it.each([2379, 2380, 6443, 10250, 10255, 853])(
    'the same host on the sensitive port %i, which no rule names',
    async (port) => {
      const client = await ask(stage.gate, `api.test:${port}`, `GET / HTTP/1.1\r\nHost: api.test:${port}\r\n\r\n`);
      expect(client.reason).toBe('host-not-allowed');
      await client.close();
    },
  );
  it('the same host on another port', async () => {
    const client = await ask(stage.gate, 'api.test:8443', 'GET / HTTP/1.1\r\nHost: api.test:8443\r\n\r\n');
    expect(client.reason).toBe('host-not-allowed');
    await client.close();
  });
});

/** Absolute-form to the proxy port. */
const ABSOLUTE: Record<string, [line: string, host: string | null, status: number, reason: string]> = {
  'origin-form to the proxy': ['GET / HTTP/1.1', 'plain.test', 400, 'request-malformed'],
  'OPTIONS * to the proxy': ['OPTIONS * HTTP/1.1', 'plain.test', 400, 'request-malformed'],
  'https absolute-form': ['GET https://plain.test/ HTTP/1.1', 'plain.test', 400, 'request-malformed'],
  'ftp absolute-form': ['GET ftp://plain.test/ HTTP/1.1', 'plain.test', 400, 'request-malformed'],
  'userinfo before another host': ['GET http://plain.test@evil.test/ HTTP/1.1', 'evil.test', 400, 'request-malformed'],
  'a backslash before the at sign': [
    'GET http://plain.test\\@evil.test/ HTTP/1.1',
    'evil.test',
    400,
    'request-malformed',
  ],
  'Host differs from the authority': ['GET http://plain.test/ HTTP/1.1', 'evil.test', 403, 'authority-mismatch'],
  'Host has another port': ['GET http://plain.test/ HTTP/1.1', 'plain.test:8080', 403, 'authority-mismatch'],
  'a malformed Host': ['GET http://plain.test/ HTTP/1.1', 'plain test', 400, 'request-malformed'],
  'an empty authority': ['GET http:///x HTTP/1.1', 'plain.test', 400, 'request-malformed'],
  'no Host in HTTP/1.1': ['GET http://plain.test/ HTTP/1.1', null, 400, 'request-malformed'],
  'an unlisted host': ['GET http://other.test/ HTTP/1.1', 'other.test', 403, 'host-not-allowed'],
};

describe('a request in the clear', () => {
  for (const [name, [line, host, status, reason]] of Object.entries(ABSOLUTE)) {
    it(name, async () => {
      const before = stage.seen();
      const client = await dialGate(stage.gate);
      client.send(`${line}\r\n${host === null ? '' : `Host: ${host}\r\n`}${AUTH}\r\n`);
      await answered(client);
      expect([client.status, client.reason]).toEqual([status, reason]);
      expect(stage.seen()).toBe(before);
      await client.close();
    });
  }
  it('two Host fields are malformed', async () => {
    const client = await dialGate(stage.gate);
    client.send(`GET http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\nHost: plain.test\r\n${AUTH}\r\n`);
    await answered(client);
    expect(client.reason).toBe('request-malformed');
    await client.close();
  });
  it('HTTP/1.0 without Host passes: the target names the host', async () => {
    const client = await dialGate(stage.gate);
    client.send(`GET http://plain.test/old HTTP/1.0\r\n${AUTH}\r\n`);
    await client.gone();
    expect(client.status).toBe(200);
    expect(client.received).toMatch(/connection: close/i);
    expect(stage.plain.requests.at(-1)?.headers.host).toBe('plain.test');
    await client.close();
  });
});

describe('inside a tunnel', () => {
  const INSIDE: Record<string, [request: string, status: number, reason: string]> = {
    'another Host': ['GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n', 403, 'authority-mismatch'],
    'an absolute-form for another host': [
      'GET https://evil.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n',
      403,
      'authority-mismatch',
    ],
    'an absolute-form for another scheme': [
      'GET http://api.test/ HTTP/1.1\r\nHost: api.test\r\n\r\n',
      403,
      'authority-mismatch',
    ],
    'CONNECT again': ['CONNECT evil.test:443 HTTP/1.1\r\nHost: api.test\r\n\r\n', 400, 'request-malformed'],
    'OPTIONS *': ['OPTIONS * HTTP/1.1\r\nHost: api.test\r\n\r\n', 400, 'request-malformed'],
    'an h2c upgrade': [
      'GET / HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
      400,
      'request-malformed',
    ],
    'a WebSocket upgrade': [
      'GET / HTTP/1.1\r\nHost: api.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
      400,
      'request-malformed',
    ],
    'another expectation': [
      'POST / HTTP/1.1\r\nHost: api.test\r\nExpect: 200-maybe\r\nContent-Length: 1\r\n\r\n',
      417,
      'request-malformed',
    ],
    'gate credentials': [`GET / HTTP/1.1\r\nHost: api.test\r\n${AUTH}\r\n`, 400, 'request-malformed'],
  };
  for (const [name, [request, status, reason]] of Object.entries(INSIDE)) {
    it(`${name} is ${reason}`, async () => {
      const before = stage.seen();
      const client = await ask(stage.gate, 'api.test:443', request);
      expect([client.status, client.reason]).toEqual([status, reason]);
      expect(stage.seen()).toBe(before);
      await client.close();
    });
  }
  it('an absolute-form for the very host passes', async () => {
    const client = await ask(stage.gate, 'api.test:443', 'GET https://api.test/abs HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect(client.status).toBe(200);
    await client.close();
  });
  it('SNI of another host is authority-mismatch', async () => {
    const client = await openTls(stage.gate, 'api.test:443', { servername: 'evil.test', verify: false });
    client.send('GET / HTTP/1.1\r\nHost: api.test\r\n\r\n');
    await answered(client);
    expect([client.status, client.reason]).toEqual([421, 'authority-mismatch']);
    await client.close();
  });
  it('plain HTTP is judged as HTTP', async () => {
    const client = await openTunnel(stage.gate, 'plain.test:80', AUTH);
    client.received = '';
    client.send('GET /in-tunnel HTTP/1.1\r\nHost: plain.test\r\n\r\n');
    await answered(client);
    expect(client.status).toBe(200);
    await client.close();
  });
  it('plain HTTP to an https rule is refused', async () => {
    const client = await openTunnel(stage.gate, 'api.test:443', AUTH);
    client.received = '';
    client.send('GET / HTTP/1.1\r\nHost: api.test:443\r\n\r\n');
    await answered(client);
    expect(client.reason).toBe('host-not-allowed');
    await client.close();
  });
  it('bytes that are neither TLS nor HTTP are refused', async () => {
    const client = await openTunnel(stage.gate, 'api.test:443', AUTH);
    client.received = '';
    client.send('SSH-2.0-OpenSSH_9.2\r\n\r\n\r\n');
    await answered(client);
    expect(client.reason).toBe('request-malformed');
    await client.close();
  });
  it('bytes sent along with CONNECT are kept', async () => {
    const client = await dialGate(stage.gate);
    client.send(
      `CONNECT plain.test:80 HTTP/1.1\r\nHost: plain.test:80\r\n${AUTH}\r\nGET /early HTTP/1.1\r\nHost: plain.test\r\n\r\n`,
    );
    await client.see('"url":"/early"');
    await client.close();
  });
});
