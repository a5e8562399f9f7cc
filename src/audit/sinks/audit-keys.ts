import { createPrivateKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readVerifierKey, signNote, verifierKeyText, type VerifierKey } from '../signed-note.ts';
import { endorsementText } from '../verify.ts';

/** The key that signs the log of a gate. */
export interface AuditKey {
  readonly name: string;
  readonly secret: KeyObject;
  /** What verifies its signatures. */
  readonly text: string;
  /** What the key before it has signed of it; null for the first. */
  readonly endorsement: string | null;
}

const SECRET = /^audit-([0-9a-f]{8})\.pem$/;
const PUBLIC = /^audit-[0-9a-f]{8}\.pub$/;

/** The key in a folder that signs now, made where there is none. Throws what the file system throws, and an Error for files nobody wrote so. */
export function openAuditKey(folder: string): AuditKey {
  return currentKey(folder) ?? writeKey(folder, `sallyport-${randomBytes(4).toString('hex')}`, null);
}

/** Signs with a new key from the next segment on. The one before it has signed the new one, and its secret is removed. */
export function rotateAuditKey(folder: string): { readonly before: AuditKey | null; readonly now: AuditKey } {
  const before = currentKey(folder);
  if (before === null) return { before, now: openAuditKey(folder) };
  const now = writeKey(folder, before.name, before);
  unlinkSync(join(folder, `audit-${idOf(before.text)}.pem`));
  return { before, now };
}

/** All keys that a folder knows, those that only verify included. Lines that are none are passed over. */
export function knownKeys(folder: string): VerifierKey[] {
  return (
    namesIn(folder)
      .filter((name) => PUBLIC.test(name))
      // Behind the key itself stands what another has signed of it.
      .flatMap((name) => keysIn(readFileSync(join(folder, name), 'utf8').split('\n', 1)[0] ?? ''))
  );
}

/** The keys in a text, one a line. */
export function keysIn(text: string): VerifierKey[] {
  return text.split('\n').flatMap((line) => readVerifierKey(line) ?? []);
}

/** The key in a folder that signs now; null where there is none. Throws as `openAuditKey` does. */
export function currentKey(folder: string): AuditKey | null {
  const secrets = namesIn(folder).filter((name) => SECRET.test(name));
  if (secrets.length === 0) return null;
  // A rotation that was cut short has left two.
  const age = (name: string): number => statSync(join(folder, name)).mtimeMs;
  const name = secrets.sort((a, b) => age(b) - age(a))[0] as string;
  const id = SECRET.exec(name)?.[1] ?? '';
  const text = readFileSync(join(folder, `audit-${id}.pub`), 'utf8');
  const [key] = keysIn(text);
  const secret = createPrivateKey(readFileSync(join(folder, name)));
  if (key === undefined || verifierKeyText(key.name, secret) !== key.text)
    throw new Error(`${join(folder, `audit-${id}.pub`)} is not the key of ${name}`);
  const endorsement = text.slice(text.indexOf('\n') + 1);
  return { name: key.name, secret, text: key.text, endorsement: endorsement === '' ? null : endorsement };
}

function writeKey(folder: string, name: string, before: AuditKey | null): AuditKey {
  const secret = generateKeyPairSync('ed25519').privateKey;
  const text = verifierKeyText(name, secret);
  const endorsement = before === null ? null : signNote(endorsementText(text), { ...before, key: before.text });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const id = idOf(text);
  writeFileSync(join(folder, `audit-${id}.pub`), `${text}\n${endorsement ?? ''}`, { mode: 0o644 });
  // The secret last: with it the key is in use.
  const file = join(folder, `audit-${id}.pem`);
  writeFileSync(`${file}.new`, secret.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return { name, secret, text, endorsement };
}

function idOf(text: string): string {
  return text.split('+')[1] ?? '';
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
