import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto';

/** A key that signs, and the name it signs under. */
export interface Signer {
  readonly name: string;
  readonly secret: KeyObject;
  /** What verifies its signatures, as text. */
  readonly key: string;
}

/** A key that verifies, read from its text. */
export interface VerifierKey {
  readonly name: string;
  /** Eight hex digits that tell keys of one name apart. */
  readonly id: string;
  readonly public: KeyObject;
  /** `NAME+ID+BASE64`. */
  readonly text: string;
}

/** The kind of signature: Ed25519 (C2SP signed-note). */
const ED25519 = 0x01;
const KEY_BYTES = 32;
const ID_BYTES = 4;
const SIGNATURE_BYTES = 64;
/** What stands before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 §4). */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

function idOf(name: string, bytes: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), bytes]), 'hex').slice(0, 2 * ID_BYTES);
}

/** The text of the key that verifies what a secret one signs (C2SP signed-note, "Verifier keys"). */
export function verifierKeyText(name: string, secret: KeyObject): string {
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' });
  const bytes = Buffer.concat([Buffer.from([ED25519]), spki.subarray(SPKI.length)]);
  return `${name}+${idOf(name, bytes)}+${bytes.toString('base64')}`;
}

/** Reads the text of a key; null where it is none, or its id is not its own. */
export function readVerifierKey(text: string): VerifierKey | null {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  if (name === undefined || id === undefined || encoded === undefined) return null;
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== 1 + KEY_BYTES || bytes[0] !== ED25519 || idOf(name, bytes) !== id) return null;
  const key = createPublicKey({ key: Buffer.concat([SPKI, bytes.subarray(1)]), format: 'der', type: 'spki' });
  return { name, id, public: key, text: text.trim() };
}

/** Signs a text that ends with a line feed (C2SP signed-note): the text, an empty line, and a line for the signature. */
export function signNote(text: string, { name, secret, key }: Signer): string {
  const id = Buffer.from(key.slice(name.length + 1, name.length + 1 + 2 * ID_BYTES), 'hex');
  const signature = sign(null, Buffer.from(text), secret);
  return `${text}\n\u2014 ${name} ${Buffer.concat([id, signature]).toString('base64')}\n`;
}

/** The text of a note that one of the keys has signed; null where none has. Signatures of other keys are passed over. */
export function readNote(note: string, keys: Iterable<VerifierKey>): string | null {
  const end = note.lastIndexOf('\n\n');
  if (end === -1) return null;
  const text = note.slice(0, end + 1);
  const all = [...keys];
  for (const line of note.slice(end + 2).split('\n')) {
    const [, name, encoded] = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
    if (name === undefined || encoded === undefined) continue;
    const bytes = Buffer.from(encoded, 'base64');
    if (bytes.length !== ID_BYTES + SIGNATURE_BYTES) continue;
    const id = bytes.toString('hex', 0, ID_BYTES);
    const key = all.find((each) => each.name === name && each.id === id);
    if (key !== undefined && verify(null, Buffer.from(text), key.public, bytes.subarray(ID_BYTES))) return text;
  }
  return null;
}
