import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../model/error-code.ts';
import { HALT_KINDS, type Halt } from '../model/halt.ts';

export const haltSchema = z.strictObject({
  kind: z.enum(HALT_KINDS),
  name: z.string().max(200),
  reason: z.string().min(1).max(1000),
  by: z.string().min(1).max(200),
  time: z.string().max(40),
  quarantine: z.enum(['halt', 'enforce']).optional(),
  until: z.string().max(40).optional(),
});
const file = z.strictObject({ version: z.literal(1), halts: z.array(haltSchema) });

/** A file of this name in the state folder halts everything; what it says is the reason. */
export const FLAG = 'HALT';

/** What is halted as it stands in the state folder: what the gate wrote there, and the file by which people stop everything. */
export class HaltFiles {
  readonly #state: string;
  readonly #path: string;

  constructor(state: string) {
    this.#state = state;
    this.#path = join(state, 'halts.json');
  }

  /** What was halted when the gate last ran. Throws an Error with one line for a file that no gate wrote. */
  read(): Halt[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw new Error(`${this.#path} cannot be read: ${errorCode(error)}`, { cause: error });
    }
    try {
      return file.parse(JSON.parse(text)).halts;
    } catch (error) {
      // What was halted is not known any more: nobody may guess that it was nothing.
      throw new Error(`${this.#path} is not what the gate wrote there: restore it, or remove it to halt nothing`, {
        cause: error,
      });
    }
  }

  /** Written beside and renamed: whoever reads it reads all of it. */
  write(halts: Iterable<Halt>): void {
    mkdirSync(this.#state, { recursive: true });
    const text = JSON.stringify({ version: 1, halts: [...halts] }, null, 2);
    writeFileSync(`${this.#path}.new`, `${text}\n`, { mode: 0o600 });
    renameSync(`${this.#path}.new`, this.#path);
  }

  /** The halt by file; null where there is none. One that is there and cannot be read halts as well. */
  flag(time: string): Halt | null {
    const of = (reason: string): Halt => ({ kind: 'all', name: '', reason, by: 'file', time });
    try {
      const text = readFileSync(join(this.#state, FLAG), 'utf8').trim().split('\n')[0] ?? '';
      return of(text === '' ? `${FLAG} lies in the state folder` : text.slice(0, 1000));
    } catch (error) {
      return errorCode(error) === 'ENOENT' ? null : of(`${FLAG} lies in the state folder`);
    }
  }
}
