import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { connect, TLSSocket, type SecureContext } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseHost, type Host } from '../../../src/model/host.ts';
import { createAuthority, openAuthority } from '../../../src/tls/authority.ts';
import { LeafCache, makeTicketKeys } from '../../../src/tls/leaves.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-leaves-'));
afterAll(() => rmSync(folder, { recursive: true }));
const { authority } = openAuthority(folder, new Date());
const host = (text: string): Host => {
  const parsed = parseHost(text);
  if (parsed === null) throw new Error(text);
  return parsed;
};

/** The certificate a real handshake with this context shows. */
async function shown(context: SecureContext, ca: string): Promise<X509Certificate> {
  const server = createServer((socket) =>
    new TLSSocket(socket, { isServer: true, secureContext: context }).on('error', () => undefined),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    ca,
    checkServerIdentity: () => undefined,
  });
  await new Promise((resolve, reject) => client.once('secureConnect', resolve).once('error', reject));
  const certificate = client.getPeerX509Certificate() as unknown as X509Certificate;
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
  return certificate;
}

describe('LeafCache', () => {
  it('mints a leaf once for each host, and forgets the least recently used', () => {
    const leaves = new LeafCache(authority, { ticketKeys: makeTicketKeys(), limit: 2, clock: () => Date.now() });
    const a = leaves.contextFor(host('a.test'));
    expect(leaves.contextFor(host('A.test'))).toBe(a);
    leaves.contextFor(host('b.test'));
    leaves.contextFor(host('a.test'));
    leaves.contextFor(host('c.test'));
    expect(leaves.contextFor(host('a.test'))).toBe(a);
    expect([leaves.counts.mints, leaves.size]).toEqual([3, 2]);
  });

  it.each([
    ['a.test', 'DNS:a.test'],
    ['10.1.2.3', 'IP Address:10.1.2.3'],
    ['[2001:db8::1]', 'IP Address:2001:DB8:0:0:0:0:0:1'],
  ])('%s gets a leaf for %s', async (text, names) => {
    const leaves = new LeafCache(authority, { ticketKeys: makeTicketKeys(), limit: 10, clock: () => Date.now() });
    const certificate = await shown(leaves.contextFor(host(text)), authority.certificatePem);
    expect(certificate.subjectAltName).toBe(names);
    expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBeLessThan(398 * 86_400_000);
    expect(Date.parse(certificate.validFrom)).toBeLessThan(Date.now() - 3_600_000);
  });

  it('drops everything of an old CA', async () => {
    const leaves = new LeafCache(authority, { ticketKeys: makeTicketKeys(), limit: 10, clock: () => Date.now() });
    leaves.contextFor(host('a.test'));
    const next = createAuthority(mkdtempSync(join(folder, 'next-')), new Date());
    leaves.replaceAuthority(next, makeTicketKeys());
    expect(leaves.size).toBe(0);
    await expect(shown(leaves.contextFor(host('a.test')), next.certificatePem)).resolves.toBeDefined();
  });

  it('mints anew when a context grows old', () => {
    let now = Date.now();
    const leaves = new LeafCache(authority, { ticketKeys: makeTicketKeys(), limit: 10, clock: () => now });
    leaves.contextFor(host('a.test'));
    now += 8 * 86_400_000;
    leaves.contextFor(host('a.test'));
    expect(leaves.counts.mints).toBe(2);
  });
});
