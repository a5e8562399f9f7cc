import { createHash } from 'node:crypto';

const MAGIC = 0xfeedfeed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;
/** What the format hashes between the password and the entries. */
const SALT = 'Mighty Aphrodite';

/**
 * A Java key store (JKS) of trusted certificates, each in DER: the one form of trust that every Java runtime takes from a
 * system property. It holds nothing secret, so its password, which only feeds a check sum, is empty.
 * Source: `sun.security.provider.JavaKeyStore` of OpenJDK, which is the format's only description.
 */
export function javaTrustStore(certificates: readonly Buffer[], now: Date): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(VERSION, 4);
  head.writeUInt32BE(certificates.length, 8);
  const entries = certificates.map((certificate, index) => entry(`root-${index}`, certificate, now));
  const store = Buffer.concat([head, ...entries]);
  return Buffer.concat([store, createHash('sha1').update(SALT).update(store).digest()]);
}

function entry(alias: string, certificate: Buffer, now: Date): Buffer {
  const tag = Buffer.alloc(4);
  tag.writeUInt32BE(TRUSTED_CERTIFICATE);
  const made = Buffer.alloc(8);
  made.writeBigUInt64BE(BigInt(now.getTime()));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(certificate.length);
  return Buffer.concat([tag, text(alias), made, text('X.509'), length, certificate]);
}

function text(ascii: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(ascii.length);
  return Buffer.concat([length, Buffer.from(ascii, 'latin1')]);
}
