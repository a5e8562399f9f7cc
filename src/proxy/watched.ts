import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../model/error-code.ts';

/** How often a running gate looks whether a file has changed, in milliseconds. */
const INTERVAL = 1000;

/** What a file of the state folder says, taken up while the gate runs. */
export class Watched<Value> {
  readonly #path: string;
  readonly #read: () => Value;
  readonly #timer: NodeJS.Timeout;
  readonly #failed: (error: Error) => void;
  #stamp: string;
  current: Value;

  /**
   * `read` throws an Error with one line for a file that is not what was written there; later ones are told to `failed`, and the
   * last good one holds.
   */
  constructor(path: string, read: () => Value, failed: (error: Error) => void) {
    this.#path = path;
    this.#read = read;
    this.#failed = failed;
    this.#stamp = stampOf(path);
    this.current = read();
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
      this.current = this.#read();
    } catch (error) {
      this.#failed(error as Error);
    }
  }
}

/**
 * Reads a file of the state folder; null where there is none. Throws an Error with one line for one that no gate wrote: what must
 * not leave is not known any more then, and nobody may guess that it was nothing.
 */
export function readState<T>(path: string, parse: (value: unknown) => T, what: string): T | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw new Error(`${path} cannot be read: ${errorCode(error)}`, { cause: error });
  }
  try {
    return parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${path} is not what was written there: restore it, or remove it to ${what} anew`, {
      cause: error,
    });
  }
}

/** Written beside and renamed: whoever reads it reads all of it. Only this user may. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}

function stampOf(path: string): string {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
  } catch {
    return '';
  }
}
