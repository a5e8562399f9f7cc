import { closeSync, openSync, readSync } from 'node:fs';
import { errorCode } from '../model/error-code.ts';
import { CommandError } from './exit.ts';

const CHUNK = 4 * 1024 * 1024;
const LF = 0x0a;

/** A file of lines that may still grow, read as far as it goes. */
export class GrowingFile {
  readonly #file: string;
  #taken = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** Whole lines that have not been read yet, many together. A line without its end is left for later. Throws CommandError. */
  *more(): Generator<Buffer> {
    let descriptor: number;
    try {
      descriptor = openSync(this.#file, 'r');
    } catch (error) {
      throw new CommandError(`${this.#file} cannot be read: ${errorCode(error)}`);
    }
    try {
      let chunk = Buffer.allocUnsafe(CHUNK);
      for (;;) {
        const size = readSync(descriptor, chunk, 0, chunk.length, this.#taken);
        const end = chunk.subarray(0, size).lastIndexOf(LF) + 1;
        if (end === 0 && size < chunk.length) return;
        // A line that is longer than what is read at once.
        if (end === 0) chunk = Buffer.allocUnsafe(chunk.length * 2);
        else {
          this.#taken += end;
          yield chunk.subarray(0, end);
        }
      }
    } finally {
      closeSync(descriptor);
    }
  }
}
