import { execFileSync } from 'node:child_process';
import { X509Certificate, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';

import {
  caCertificate,
  distinguishedName,
  keyIdentifier,
  leafCertificate,
  type LeafName,
} from '../../../src/tls/certificate.ts';

const DAY = 86_400_000;
const validity = { from: new Date(Date.now() - DAY), to: new Date(Date.now() + 30 * DAY) };
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const name = distinguishedName('Sallyport', 'Test CA');
const ca = (permittedNames: string[] = []): string => caCertificate({ name, ...keys, validity, permittedNames });
const leaf = (of: LeafName): string =>
  leafCertificate(
    { key: keys.privateKey, subject: name, keyIdentifier: keyIdentifier(keys.publicKey) },
    of,
    keys.publicKey,
    validity,
  );

/** What `openssl verify -x509_strict` says: an oracle that is not ours. */
function openssl(caPem: string, leafPem: string, host: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-cert-'));
  try {
    writeFileSync(join(folder, 'ca.pem'), caPem);
    writeFileSync(join(folder, 'leaf.pem'), leafPem);
    return execFileSync(
      'openssl',
      [
        'verify',
        '-x509_strict',
        '-purpose',
        'sslserver',
        ...host,
        '-CAfile',
        join(folder, 'ca.pem'),
        join(folder, 'leaf.pem'),
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
  } catch (error) {
    return String((error as { stderr?: string }).stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('certificates', () => {
  it('pass openssl verify -x509_strict, for names and addresses', () => {
    expect(openssl(ca(), leaf({ dns: 'a.test' }), ['-verify_hostname', 'a.test'])).toMatch(/: OK/);
    expect(openssl(ca(), leaf({ address: Buffer.from([127, 0, 0, 1]) }), ['-verify_ip', '127.0.0.1'])).toMatch(/: OK/);
    expect(openssl(ca(), leaf({ dns: 'a.test' }), ['-verify_hostname', 'b.test'])).toMatch(/hostname mismatch/i);
  });

  it('of a constrained CA hold only for its names', () => {
    expect(openssl(ca(['a.test']), leaf({ dns: 'x.a.test' }), [])).toMatch(/: OK/);
    expect(openssl(ca(['a.test']), leaf({ dns: 'b.test' }), [])).toMatch(/permitted subtree/i);
  });

  it('read the same to @peculiar/x509', () => {
    const read = new x509.X509Certificate(leaf({ dns: 'a.test' }));
    expect(read.subject).toBe('');
    expect(read.getExtension(x509.SubjectAlternativeNameExtension)).toMatchObject({ critical: true });
    expect(read.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual([x509.ExtendedKeyUsage.serverAuth]);
    expect(read.getExtension(x509.BasicConstraintsExtension)?.ca).toBe(false);
    expect(new x509.X509Certificate(ca()).getExtension(x509.BasicConstraintsExtension)).toMatchObject({
      ca: true,
      pathLength: 0,
    });
  });

  it('have serials of their own', () => {
    const serials = Array.from({ length: 50 }, () => new X509Certificate(leaf({ dns: 'a.test' })).serialNumber);
    expect(new Set(serials).size).toBe(50);
  });
});
