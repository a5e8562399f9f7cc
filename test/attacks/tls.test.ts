import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { TestCa, type Pair } from '../support/certificates.ts';
import { ask, openTunnel } from '../support/client.ts';
import { startGate } from '../support/gate.ts';
import { startOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';
import { useStage } from './stage.ts';

/** Upstreams that cannot prove who they are (WIRE.md §2). */
const UNTRUSTED: Record<string, { leaf: (ca: TestCa) => Promise<Pair>; detail: RegExp; trusted?: boolean }> = {
  expired: { leaf: (ca) => ca.leaf(['api.test'], { expired: true }), detail: /expired/ },
  'for another name': { leaf: (ca) => ca.leaf(['other.test']), detail: /another name/ },
  'self-signed': { leaf: (ca) => ca.leaf(['api.test'], { selfSigned: true }), detail: /self-signed|issuer/ },
  'for another purpose': {
    leaf: (ca) => ca.leaf(['api.test'], { purpose: 'client' }),
    detail: /not a server certificate/,
  },
  'of an unknown issuer': { leaf: (ca) => ca.leaf(['api.test']), detail: /issuer/, trusted: false },
};

describe('an upstream certificate is upstream-untrusted when it is', () => {
  for (const [name, { leaf, detail, trusted }] of Object.entries(UNTRUSTED)) {
    it(name, async () => {
      const ca = await TestCa.create();
      const origin = await startOrigin({ tls: await leaf(ca) });
      const gate = await startGate({
        allow: ['* https://api.test/**'],
        pins: [`api.test:443=127.0.0.1:${origin.port}`],
        ...(trusted === false ? {} : { upstreamCa: ca.certificate }),
      });
      const client = await ask(gate, 'api.test:443', 'GET / HTTP/1.1\r\nHost: api.test\r\n\r\n');
      expect([client.status, client.reason]).toEqual([502, 'upstream-untrusted']);
      expect(client.received).toMatch(detail);
      expect(origin.requests).toEqual([]);
      await client.close();
      await gate.close();
      await origin.close();
    });
  }
});

describe('an upstream that demands a client certificate', () => {
  it.each(['TLSv1.3', 'TLSv1.2'] as const)('is refused with the cause, with %s', async (tlsVersion) => {
    const ca = await TestCa.create();
    const origin = await startOrigin({ tls: await ca.leaf(['api.test']), clientCa: ca.certificate, tlsVersion });
    const gate = await startGate({
      allow: ['* https://api.test/**'],
      pins: [`api.test:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    const client = await ask(gate, 'api.test:443', 'GET / HTTP/1.1\r\nHost: api.test\r\n\r\n');
    expect([client.status, client.reason]).toEqual([502, 'upstream-untrusted']);
    expect(client.received).toMatch(/client certificate/);
    expect(origin.requests).toEqual([]);
    await client.close();
    await gate.close();
    await origin.close();
  });
});

describe("the agent's handshake", () => {
  const stage = useStage();

  it('below TLS 1.2 fails and is on record', async () => {
    const tunnel = await openTunnel(stage.gate, 'api.test:443');
    tunnel.socket.removeAllListeners('data');
    const tls = connectTls({
      socket: tunnel.socket,
      ca: stage.gate.ca,
      servername: 'api.test',
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    await new Promise((resolve) => tls.once('error', resolve));
    const event = await stage.gate.outcome(
      (each) => each.kind === 'outcome' && /handshake failed/.test(each.detail ?? ''),
    );
    expect(event).toMatchObject({ reason: 'request-malformed', host: 'api.test' });
  });

  it('with garbage fails and is on record', async () => {
    const before = stage.gate.events().length;
    const tunnel = await openTunnel(stage.gate, 'api.test:443');
    tunnel.send(Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]));
    await tunnel.gone();
    await until(() => stage.gate.events().length > before, 'an event');
  });

  it('without SNI gets the leaf of the CONNECT host', async () => {
    const tunnel = await openTunnel(stage.gate, 'api.test:443');
    tunnel.socket.removeAllListeners('data');
    const tls = connectTls({ socket: tunnel.socket, ca: stage.gate.ca, rejectUnauthorized: false });
    await new Promise((resolve) => tls.once('secureConnect', resolve));
    expect(tls.getPeerCertificate().subjectaltname).toBe('DNS:api.test');
    tls.destroy();
  });

  it.each([
    [['http/1.1', 'h2'], 'h2'],
    [['h2'], 'h2'],
    [['http/1.1'], 'http/1.1'],
    [['http/1.1', 'spdy/3'], 'http/1.1'],
  ])('offering %j settles on %s', async (offered, settled) => {
    const tunnel = await openTunnel(stage.gate, 'api.test:443');
    tunnel.socket.removeAllListeners('data');
    const tls = connectTls({
      socket: tunnel.socket,
      ca: stage.gate.ca,
      servername: 'api.test',
      ALPNProtocols: offered,
    });
    await new Promise((resolve) => tls.once('secureConnect', resolve));
    expect(tls.alpnProtocol).toBe(settled);
    tls.destroy();
  });

  it('broken off by a client that does not trust the gate is on record', async () => {
    const tunnel = await openTunnel(stage.gate, 'api.test:443');
    tunnel.socket.removeAllListeners('data');
    const tls = connectTls({ socket: tunnel.socket, servername: 'api.test' });
    await new Promise((resolve) => tls.once('error', resolve));
    await until(
      () => stage.gate.events().some((event) => event.kind === 'outcome' && /handshake|trust/.test(event.detail ?? '')),
      'an event',
    );
  });

  it('to an unlisted host that is never used is on record once, as the refusal it is', async () => {
    const tunnel = await openTunnel(stage.gate, 'unlisted.test:443');
    await tunnel.close();
    const events = await until(() => {
      const found = stage.gate.events().filter((event) => event.kind === 'outcome' && event.host === 'unlisted.test');
      return found.length > 0 && found;
    }, 'the refusal');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ reason: 'host-not-allowed', decision: 'deny' });
  });
});
