import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createAuthority, importAuthority, loadAuthority, openAuthority } from '../../../src/tls/authority.ts';
import { TestCa } from '../../support/certificates.ts';

const folders: string[] = [];
const fresh = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-ca-'));
  folders.push(folder);
  return folder;
};
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));
const now = new Date();

describe('the authority', () => {
  it('is made on first start, with a key only its owner can read, and found again', () => {
    const folder = fresh();
    const first = openAuthority(folder, now);
    expect([first.created, statSync(join(folder, 'ca.key')).mode & 0o777]).toEqual([true, 0o600]);
    const again = openAuthority(folder, now);
    expect([again.created, again.authority.certificatePem]).toEqual([false, first.authority.certificatePem]);
  });

  it('narrows the mode of a key that others could read', () => {
    const folder = fresh();
    openAuthority(folder, now);
    chmodSync(join(folder, 'ca.key'), 0o644);
    loadAuthority(folder, now);
    expect(statSync(join(folder, 'ca.key')).mode & 0o777).toBe(0o600);
  });

  it('refuses half a CA, a mismatched pair, a certificate that is no CA, an expired one, garbage', async () => {
    const folder = fresh();
    openAuthority(folder, now);
    const { certificate, key } = { certificate: join(folder, 'ca.crt'), key: join(folder, 'ca.key') };
    const own = readFileSync(certificate, 'utf8');
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    }) as string;
    const leaf = await (await TestCa.create()).leaf(['a.test']);
    const fails = (message: RegExp): void => expect(() => openAuthority(folder, now)).toThrow(message);
    expect(() => loadAuthority(folder, new Date(now.getTime() + 4000 * 86_400_000))).toThrow(/expired/);
    writeFileSync(key, other);
    fails(/does not belong to/);
    writeFileSync(certificate, leaf.certificate);
    writeFileSync(key, leaf.key);
    fails(/not a CA certificate/);
    writeFileSync(certificate, 'hello');
    fails(/not a PEM certificate/);
    writeFileSync(certificate, own);
    writeFileSync(key, 'hello');
    fails(/not an unencrypted PEM private key/);
    rmSync(key);
    fails(/is missing while its other half exists/);
  });

  it('is replaced by rotation, and by an imported pair that stands the same checks', async () => {
    const folder = fresh();
    const first = openAuthority(folder, now).authority.certificatePem;
    expect(createAuthority(folder, now).certificatePem).not.toBe(first);
    const company = await TestCa.create();
    const imported = importAuthority(folder, company.certificate, await company.keyPem(), now);
    expect(imported.certificate.subject).toBe('CN=Test Origin CA');
    const leaf = await company.leaf(['a.test']);
    expect(() => importAuthority(folder, leaf.certificate, leaf.key, now)).toThrow(/not a CA/);
    expect(loadAuthority(folder, now).certificate.subject).toBe('CN=Test Origin CA');
  });
});
