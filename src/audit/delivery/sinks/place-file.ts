import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../../../model/error-code.ts';
import type { Cursor } from '../event.ts';

const place = z.strictObject({ segment: z.string(), bytes: z.int().min(0), lines: z.int().min(0) });
const schema = z.strictObject({ version: z.literal(1), cursor: z.record(z.string(), place) });

/** How far a sink has come, kept in the state folder. */
export class PlaceFile {
  readonly #file: string;

  constructor(folder: string, sink: string) {
    this.#file = join(folder, `${sink}.json`);
  }

  /** Null for a sink that has not been anywhere. Throws an Error with one line for a file nobody wrote. */
  read(): Cursor | null {
    let text: string;
    try {
      text = readFileSync(this.#file, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw new Error(`${this.#file} cannot be read: ${errorCode(error)}`, { cause: error });
    }
    try {
      return schema.parse(JSON.parse(text)).cursor;
    } catch (error) {
      throw new Error(`${this.#file} is not what was written there: remove it, and the sink goes on from now`, {
        cause: error,
      });
    }
  }

  /** Written beside and renamed: a crash leaves the old one or the new one. */
  write(cursor: Cursor): void {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.#file}.new`, `${JSON.stringify({ version: 1, cursor })}\n`, { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}
