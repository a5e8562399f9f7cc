import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY = 86_400_000;

export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

/** A CA for origins in tests, made by a library that is not ours. */
export class TestCa {
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #certificate: x509.X509Certificate;
  #serial = 1;

  private constructor(keys: webcrypto.CryptoKeyPair, certificate: x509.X509Certificate) {
    this.#keys = keys;
    this.#certificate = certificate;
  }

  static async create(): Promise<TestCa> {
    const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: 'CN=Test Origin CA',
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + 30 * DAY),
      keys: keys as never,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    });
    return new TestCa(keys, certificate);
  }

  get certificate(): string {
    return `${this.#certificate.toString('pem')}\n`;
  }

  async keyPem(): Promise<string> {
    return exportKey(this.#keys.privateKey);
  }

  /** A leaf for these names or addresses; `expired` and `purpose` make the ones that must be refused. */
  async leaf(
    names: readonly string[],
    options: { expired?: boolean; purpose?: 'server' | 'client'; selfSigned?: boolean } = {},
  ): Promise<Pair> {
    const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const expired = options.expired === true;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: (0x1000 + this.#serial++).toString(16),
      subject: `CN=${names[0]?.replaceAll(/[^\w.-]/g, '') ?? ''}`,
      issuer: options.selfSigned === true ? `CN=${names[0] ?? ''}` : this.#certificate.subject,
      notBefore: new Date(Date.now() - 2 * DAY),
      notAfter: new Date(Date.now() + (expired ? -DAY : 20 * DAY)),
      publicKey: keys.publicKey as never,
      signingKey: (options.selfSigned === true ? keys.privateKey : this.#keys.privateKey) as never,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.ExtendedKeyUsageExtension([
          options.purpose === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
        ]),
        new x509.SubjectAlternativeNameExtension(names.map((name) => ({ type: typeOf(name), value: name }))),
      ],
    });
    return { certificate: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
  }
}

function typeOf(name: string): 'url' | 'ip' | 'dns' {
  if (name.includes('://')) return 'url';
  return /^[\d.]+$|:/.test(name) ? 'ip' : 'dns';
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key as never));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}
