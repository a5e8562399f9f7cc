import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../model/error-code.ts';
import { Registered, type RegisteredValue } from '../scan/registered.ts';

const print = z.strictObject({
  length: z.int().min(1),
  anchors: z.array(z.number()).length(4),
  digest: z.string().regex(/^[0-9a-f]{32}$/),
});
const value = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
  kind: z.enum(['value', 'canary']),
  registered: z.string(),
  belongsTo: z.array(z.string()),
  prints: z.array(print).min(1),
});
const file = z.strictObject({ version: z.literal(1), values: z.array(value) });

export function registryFile(state: string): string {
  return join(state, 'registered.json');
}

/** Values that were registered. Throws an Error with one line for a file that no gate wrote. */
export function readRegistry(path: string): readonly RegisteredValue[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw new Error(`${path} cannot be read: ${errorCode(error)}`, { cause: error });
  }
  try {
    return file.parse(JSON.parse(text)).values;
  } catch (error) {
    // What must not leave is not known any more: nobody may guess that it was nothing.
    throw new Error(`${path} is not what was written there: restore it, or remove it to register values anew`, {
      cause: error,
    });
  }
}

/** Written beside and renamed: whoever reads it reads all of it. */
export function writeRegistry(path: string, values: readonly RegisteredValue[]): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify({ version: 1, values }, null, 1)}\n`, { mode: 0o600 });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}

/** How often a running gate looks whether values were registered, in milliseconds. */
const INTERVAL = 1000;

/** The registered values as they stand in the state folder, taken up while the gate runs. */
export class Registry {
  readonly #path: string;
  readonly #key: Buffer;
  readonly #timer: NodeJS.Timeout;
  readonly #failed: (error: Error) => void;
  #stamp = '';
  current: Registered;

  /** Throws an Error with one line for a file that no gate wrote; later ones are told to `failed`, and the last good one holds. */
  constructor(state: string, key: Buffer, failed: (error: Error) => void) {
    this.#path = registryFile(state);
    this.#key = key;
    this.#failed = failed;
    this.#stamp = stampOf(this.#path);
    this.current = new Registered(readRegistry(this.#path), key);
    this.#timer = setInterval(() => this.#refresh(), INTERVAL).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #refresh(): void {
    const stamp = stampOf(this.#path);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      if (stamp === '') throw new Error(`${this.#path} is gone: what was registered is still looked for`);
      this.current = new Registered(readRegistry(this.#path), this.#key);
    } catch (error) {
      this.#failed(error as Error);
    }
  }
}

function stampOf(path: string): string {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
  } catch {
    return '';
  }
}
