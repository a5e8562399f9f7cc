import { BudgetExceeded } from '../budget.ts';
import { ZstdDecoder } from '../zstd.ts';
import type { Expander } from './expander.ts';

/** Zstandard (RFC 8878). */
export class Unzstd implements Expander {
  #pieces: Buffer[] = [];
  readonly #decoder: ZstdDecoder;
  #failed = false;
  readonly over = false;

  /** `charge` is told of the bytes of windows that are to be moved, and may throw BudgetExceeded. */
  constructor(charge: (moved: number) => void) {
    this.#decoder = new ZstdDecoder((bytes) => this.#pieces.push(Buffer.from(bytes)), charge);
  }

  push(bytes: Buffer): Buffer | null {
    if (this.#failed) return null;
    try {
      this.#decoder.push(Buffer.from(bytes));
    } catch (error) {
      if (error instanceof BudgetExceeded) throw error;
      this.#failed = true;
    }
    const pieces = this.#pieces;
    this.#pieces = [];
    if (pieces.length > 0) return Buffer.concat(pieces);
    return this.#failed ? null : Buffer.alloc(0);
  }

  close(): void {
    this.#pieces = [];
  }
}
