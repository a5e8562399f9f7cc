import { X509Certificate, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { caCertificate, distinguishedName, keyIdentifier, type Issuer } from './certificate.ts';
import { errorCode } from '../model/error-code.ts';

/** The gate's certificate authority. The key never leaves the process but to `certs/ca.key`, mode 0600. */
export interface Authority extends Issuer {
  readonly certificatePem: string;
  readonly certificate: X509Certificate;
  readonly certificateFile: string;
  /** Signed by itself, and so what agents trust, not something that leads to it. */
  readonly isRoot: boolean;
}

/** A CA that cannot be used, in one line a person can act on. */
export class AuthorityError extends Error {
  override name = 'AuthorityError';
}

const DAY = 86_400_000;
const CA_DAYS = 3650;

export const caFiles = (folder: string): { key: string; certificate: string } => ({
  key: join(folder, 'ca.key'),
  certificate: join(folder, 'ca.crt'),
});

/** Loads the CA of a folder, or makes one where there is none yet. Half a CA is an error: it may be the other half's loss. */
export function openAuthority(folder: string, now: Date): { authority: Authority; created: boolean } {
  const files = caFiles(folder);
  const has = { key: existsSync(files.key), certificate: existsSync(files.certificate) };
  if (has.key !== has.certificate) {
    const missing = has.key ? files.certificate : files.key;
    throw new AuthorityError(
      `${missing} is missing while its other half exists: restore it, or run "sallyport ca rotate"`,
    );
  }
  if (has.key) return { authority: loadAuthority(folder, now), created: false };
  return { authority: createAuthority(folder, now), created: true };
}

/** Makes a new CA and writes both files, the old ones replaced in one step each. */
export function createAuthority(
  folder: string,
  now: Date,
  options: { permittedNames?: readonly string[] } = {},
): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = distinguishedName('Sallyport', `Sallyport CA ${keyIdentifier(publicKey).toString('hex').slice(0, 8)}`);
  const validity = { from: new Date(now.getTime() - DAY), to: new Date(now.getTime() + CA_DAYS * DAY) };
  const certificate = caCertificate({ name, publicKey, privateKey, validity, ...options });
  writeAuthority(folder, certificate, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  return loadAuthority(folder, now);
}

/** Checks a pair and puts it in place as the gate's CA. Throws AuthorityError and changes nothing when it is not one. */
export function importAuthority(folder: string, certificatePem: string, keyPem: string, now: Date): Authority {
  parseAuthorityPair(certificatePem, keyPem, now, 'the imported certificate', 'the imported key');
  const chain = certificatePem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  const key = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'pem' }) as string;
  writeAuthority(folder, `${chain.join('\n')}\n`, key);
  return loadAuthority(folder, now);
}

/** Loads `ca.crt` and `ca.key`; refuses a certificate that is no CA, an expired one, a pair that does not match. */
export function loadAuthority(folder: string, now: Date): Authority {
  const files = caFiles(folder);
  const certificatePem = readText(files.certificate);
  const keyPem = readText(files.key);
  if ((statSync(files.key).mode & 0o077) !== 0) chmodSync(files.key, 0o600);
  const { certificate, key } = parseAuthorityPair(certificatePem, keyPem, now, files.certificate, files.key);
  const subject = subjectOf(certificate);
  return {
    key,
    subject,
    keyIdentifier: subjectKeyIdentifier(certificate),
    certificate,
    certificatePem,
    isRoot: certificate.checkIssued(certificate),
    certificateFile: files.certificate,
  };
}

function parseAuthorityPair(
  certificatePem: string,
  keyPem: string,
  now: Date,
  certificateName: string,
  keyName: string,
): { certificate: X509Certificate; key: KeyObject } {
  const certificate = attempt(() => new X509Certificate(certificatePem), `${certificateName} is not a PEM certificate`);
  const key = attempt(() => createPrivateKey(keyPem), `${keyName} is not an unencrypted PEM private key`);
  if (!certificate.ca)
    throw new AuthorityError(`${certificateName} is not a CA certificate: agents would refuse what it signs`);
  if (!certificate.checkPrivateKey(key)) throw new AuthorityError(`${keyName} does not belong to ${certificateName}`);
  if (now.getTime() > Date.parse(certificate.validTo))
    throw new AuthorityError(`${certificateName} expired on ${certificate.validTo}`);
  if (now.getTime() < Date.parse(certificate.validFrom))
    throw new AuthorityError(`${certificateName} is not valid before ${certificate.validFrom}`);
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new AuthorityError(`${keyName} is on a curve other than P-256`);
  if (key.asymmetricKeyType !== 'ec' && key.asymmetricKeyType !== 'rsa')
    throw new AuthorityError(`${keyName} is neither ECDSA P-256 nor RSA`);
  return { certificate, key };
}

/** Writes to a new file, syncs it, then renames: a crash leaves the old pair or the new, never half a file. */
function writeAuthority(folder: string, certificatePem: string, keyPem: string): void {
  const files = caFiles(folder);
  try {
    mkdirSync(folder, { recursive: true });
    writeNew(files.key, keyPem, 0o600);
    writeNew(files.certificate, certificatePem, 0o644);
  } catch (error) {
    throw new AuthorityError(`the CA cannot be written to ${folder}: ${errorCode(error)}`);
  }
}

function writeNew(file: string, text: string, mode: number): void {
  const fresh = `${file}.new`;
  const descriptor = openSync(fresh, 'w', mode);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  chmodSync(fresh, mode);
  renameSync(fresh, file);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AuthorityError(`${file} cannot be read: ${errorCode(error)}`);
  }
}

function attempt<T>(parse: () => T, message: string): T {
  try {
    return parse();
  } catch {
    throw new AuthorityError(message);
  }
}

/** The subject's DER, byte for byte: a chain is matched by these bytes, so it is cut out rather than written again. */
function subjectOf(certificate: X509Certificate): Buffer {
  const [body] = elements(contents(certificate.raw));
  const fields = elements(contents(body as Buffer));
  // version [0], serialNumber, signature, issuer, validity, subject (RFC 5280 §4.1); version is there, for CAs are v3.
  return fields[5] as Buffer;
}

function subjectKeyIdentifier(certificate: X509Certificate): Buffer {
  const marker = Buffer.from('0603551d0e04', 'hex');
  const at = certificate.raw.indexOf(marker);
  if (at === -1) return keyIdentifier(createPublicKey(certificate.publicKey.export({ type: 'spki', format: 'pem' })));
  return contents(contents(certificate.raw.subarray(at + marker.length - 1)));
}

/** Contents of the DER element at the start of the bytes. */
function contents(bytes: Buffer): Buffer {
  const { start, end } = extent(bytes);
  return bytes.subarray(start, end);
}

/** The DER elements that stand side by side in the bytes. */
function elements(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const { end } = extent(rest);
    found.push(rest.subarray(0, end));
    rest = rest.subarray(end);
  }
  return found;
}

function extent(bytes: Buffer): { start: number; end: number } {
  const first = bytes[1] ?? 0;
  if (first < 0x80) return { start: 2, end: 2 + first };
  const count = first & 0x7f;
  return { start: 2 + count, end: 2 + count + bytes.readUIntBE(2, count) };
}
