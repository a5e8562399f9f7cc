import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto';
import {
  bitString,
  boolean,
  context,
  contextPrimitive,
  integer,
  octetString,
  oid,
  pem,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

const OID = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  subjectAltName: '2.5.29.17',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
  nameConstraints: '2.5.29.30',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
} as const;

/** Who signs: a CA's key, its subject name as DER, and its key identifier. */
export interface Issuer {
  readonly key: KeyObject;
  readonly subject: Buffer;
  readonly keyIdentifier: Buffer;
}

export interface Validity {
  readonly from: Date;
  readonly to: Date;
}

/** DER of a name with an organisation and a common name. */
export function distinguishedName(organization: string, commonName: string): Buffer {
  const part = (type: string, value: string): Buffer => set(sequence(oid(type), utf8String(value)));
  return sequence(part(OID.organization, organization), part(OID.commonName, commonName));
}

/** RFC 5280 §4.2.1.2 method 1 over the DER of the public key: SHA-1 of the subjectPublicKey bits, here of the whole SPKI. */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

/** A self-signed CA certificate, optionally limited to DNS suffixes (RFC 5280 §4.2.1.10). PEM. */
export function caCertificate(options: {
  name: Buffer;
  publicKey: KeyObject;
  privateKey: KeyObject;
  validity: Validity;
  permittedNames?: readonly string[];
}): string {
  const issuer = { key: options.privateKey, subject: options.name, keyIdentifier: keyIdentifier(options.publicKey) };
  const extensions = [
    extension(OID.basicConstraints, true, sequence(boolean(true), integer(Buffer.from([0])))),
    extension(OID.keyUsage, true, bitString(Buffer.from([0x06]), 1)), // keyCertSign, cRLSign
    extension(OID.subjectKeyIdentifier, false, octetString(issuer.keyIdentifier)),
  ];
  if (options.permittedNames !== undefined && options.permittedNames.length > 0) {
    const trees = options.permittedNames.map((name) => sequence(contextPrimitive(2, Buffer.from(name, 'latin1'))));
    extensions.push(extension(OID.nameConstraints, true, sequence(context(0, ...trees))));
  }
  return issue(issuer, options.name, options.publicKey, options.validity, extensions);
}

/** Subject alternative name of a leaf: a DNS name, or the bytes of an address. */
export type LeafName = { readonly dns: string } | { readonly address: Buffer };

/** A server certificate: empty subject and critical SAN (RFC 5280 §4.1.2.6), serverAuth only. PEM. */
export function leafCertificate(
  issuer: Issuer,
  names: LeafName | readonly LeafName[],
  publicKey: KeyObject,
  validity: Validity,
): string {
  const alternatives = [names]
    .flat()
    .map((name) =>
      'dns' in name ? contextPrimitive(2, Buffer.from(name.dns, 'latin1')) : contextPrimitive(7, name.address),
    );
  return issue(issuer, sequence(), publicKey, validity, [
    extension(OID.basicConstraints, true, sequence()),
    extension(OID.keyUsage, true, bitString(Buffer.from([0x80]), 7)), // digitalSignature
    extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth))),
    extension(OID.subjectAltName, true, sequence(...alternatives)),
    extension(OID.authorityKeyIdentifier, false, sequence(contextPrimitive(0, issuer.keyIdentifier))),
  ]);
}

function issue(
  issuer: Issuer,
  subject: Buffer,
  publicKey: KeyObject,
  validity: Validity,
  extensions: readonly Buffer[],
): string {
  const algorithm =
    issuer.key.asymmetricKeyType === 'ec'
      ? sequence(oid(OID.ecdsaWithSha256))
      : sequence(oid(OID.sha256WithRsa), Buffer.from([0x05, 0x00]));
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and never shorter than 16 bytes
  const body = sequence(
    context(0, integer(Buffer.from([2]))), // v3
    integer(serial),
    algorithm,
    issuer.subject,
    sequence(time(validity.from), time(validity.to)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    context(3, sequence(...extensions)),
  );
  return pem('CERTIFICATE', sequence(body, algorithm, bitString(sign('sha256', body, issuer.key))));
}

function extension(type: string, critical: boolean, value: Buffer): Buffer {
  return critical ? sequence(oid(type), boolean(true), octetString(value)) : sequence(oid(type), octetString(value));
}
