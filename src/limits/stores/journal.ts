import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../../model/error-code.ts';

/** What happened to a counter: an event or a member with its time (−1: taken back), or an amount added to a part of a window. */
export type Change =
  | readonly [kind: 'event' | 'member', key: string, name: string, at: number]
  | readonly [kind: 'part', key: string, part: number, amount: number];

export interface JournalOptions {
  readonly path: string;
  /** Runs a function once the current turn of the event loop is over. */
  readonly defer: (run: () => void) => void;
  /** Told once when writing starts to fail, and once when it works again. */
  readonly onState: (error: unknown) => void;
}

/**
 * Changes of counters in the order they happened, a line each. They are with the operating system before what is recorded after
 * them: a process that is killed forgets nothing it has let pass.
 */
export class JournalFile {
  readonly #options: JournalOptions;
  #descriptor: number | null = null;
  #pending = '';
  #failing = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** What was written before. Throws an Error with one line; a last line without its end was under way when a process died. */
  read(): Change[] {
    const { path } = this.#options;
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw new Error(`${path} cannot be read: ${errorCode(error)}`, { cause: error });
    }
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    return lines.filter((line) => line !== '').map((line, index) => this.#parse(line, index + 1));
  }

  /** Puts these changes in place of all before. */
  replace(changes: readonly Change[]): void {
    const { path } = this.#options;
    this.#pending = '';
    try {
      mkdirSync(dirname(path), { recursive: true });
      const descriptor = openSync(`${path}.new`, 'w', 0o600);
      try {
        writeAll(descriptor, textOf(changes));
        renameSync(`${path}.new`, path);
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
      this.close();
      this.#descriptor = descriptor;
      this.#report(null);
    } catch (error) {
      this.#report(error);
    }
  }

  append(changes: readonly Change[]): void {
    const first = this.#pending === '' || this.#failing;
    this.#pending += textOf(changes);
    if (first) this.#options.defer(() => this.flush());
  }

  flush(): void {
    if (this.#pending === '' || this.#descriptor === null) return;
    const size = fstatSync(this.#descriptor).size;
    try {
      writeAll(this.#descriptor, this.#pending);
      this.#pending = '';
      this.#report(null);
    } catch (error) {
      // Half a line would make the next start refuse the file. What could not be written goes with the next change.
      ftruncateSync(this.#descriptor, size);
      this.#report(error);
    }
  }

  close(): void {
    this.flush();
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #parse(line: string, number: number): Change {
    try {
      const change = JSON.parse(line) as Change;
      if (isChange(change)) return change;
    } catch {
      // Said below.
    }
    const { path } = this.#options;
    throw new Error(
      `${path}:${number} is not what the gate wrote there: restore it, or remove it and count from nothing`,
    );
  }

  #report(error: unknown): void {
    const failing = error !== null;
    if (failing !== this.#failing) this.#options.onState(error);
    this.#failing = failing;
  }
}

function isChange(value: unknown): value is Change {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [kind, key, name, number] = value as unknown[];
  const named =
    kind === 'part' ? typeof name === 'number' : (kind === 'event' || kind === 'member') && typeof name === 'string';
  return named && typeof key === 'string' && typeof number === 'number';
}

function textOf(changes: readonly Change[]): string {
  return changes.map((change) => `${JSON.stringify(change)}\n`).join('');
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done, bytes.length - done);
}
