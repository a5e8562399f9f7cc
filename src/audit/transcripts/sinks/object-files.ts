import { createHash, hash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../../../model/error-code.ts';
import type { Sealer } from '../sealed.ts';

/** Bodies that are known to be kept already. */
const KNOWN = 4096;
const DAY = 86_400_000;

/** Files by the hash of what is in them: encrypted, so the name tells nothing of what was said. A folder for each day. */
export class ObjectFiles {
  readonly #folder: string;
  readonly #sealer: Sealer;
  readonly #clock: () => number;
  /** Hashes of what was kept today, and where. In memory alone: on the disk they would tell what was said to who guesses it. */
  readonly #known = new Map<string, string>();
  #day = '';

  constructor(folder: string, sealer: Sealer, clock: () => number) {
    this.#folder = folder;
    this.#sealer = sealer;
    this.#clock = clock;
  }

  /** Keeps bytes; says where: `YYYY-MM-DD/<SHA-256 of the file>`. The same bytes are kept once a day. Rejects with what the file system throws. */
  async put(bytes: Uint8Array): Promise<string> {
    const day = new Date(this.#clock()).toISOString().slice(0, 10);
    if (day !== this.#day) this.#known.clear();
    this.#day = day;
    const key = hash('sha256', bytes, 'base64');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const sealed = await this.#sealer.seal(bytes);
    const object = `${day}/${createHash('sha256').update(sealed).digest('hex')}`;
    this.#write(object, day, sealed);
    if (this.#known.size >= KNOWN) this.#known.delete(this.#known.keys().next().value as string);
    this.#known.set(key, object);
    return object;
  }

  #write(object: string, day: string, sealed: Uint8Array): void {
    mkdirSync(join(this.#folder, day), { recursive: true, mode: 0o700 });
    const file = fileOf(this.#folder, object);
    writeFileSync(`${file}.new`, sealed, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}

/** Where an object stands. */
export function fileOf(folder: string, object: string): string {
  return join(folder, `${object}.age`);
}

/** Whether a text names an object: it comes from a log, and becomes the name of a file. */
export function isObject(text: string): boolean {
  return /^\d{4}-\d\d-\d\d\/[0-9a-f]{64}$/.test(text);
}

/** An object as it was kept, still encrypted. Throws an Error with one line where it is gone or is not what it was. */
export function readObject(folder: string, object: string): Uint8Array {
  if (!isObject(object)) throw new Error('the log names a file that no gate writes');
  const file = fileOf(folder, object);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new Error(`${file} cannot be read: ${errorCode(error)}`, { cause: error });
  }
  if (hash('sha256', bytes, 'hex') !== object.slice(-64))
    throw new Error(`${file} is not what was kept: it was changed`);
  return bytes;
}

/** Days of which nothing in the log speaks any more: they ended before the oldest segment that is left began. `oldest` in milliseconds. */
export function outlivedDays(folder: string, oldest: number): string[] {
  try {
    return readdirSync(folder).filter((day) => /^\d{4}-\d\d-\d\d$/.test(day) && Date.parse(day) + DAY <= oldest);
  } catch {
    return [];
  }
}
