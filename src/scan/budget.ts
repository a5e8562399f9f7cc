/** The content costs more to look at than anybody's honest content does. */
export class BudgetExceeded extends Error {
  override name = 'BudgetExceeded';
}

/** Work there is for every stream, and for each byte of it: a byte read, decoded, or stepped over by a matcher is one unit. */
const FLOOR = 8 * 1024 * 1024;
const PER_BYTE = 256;

/**
 * Bounds the work that one stream may cause, however it is nested and whatever it repeats: all decoders and matchers of a
 * scanner draw on it together.
 */
export class Budget {
  #left = FLOOR;

  /** Bytes have come: they bring their own allowance. */
  earn(bytes: number): void {
    this.#left += bytes * PER_BYTE;
  }

  /** Throws BudgetExceeded when there is nothing left. */
  spend(units: number): void {
    this.#left -= units;
    if (this.#left < 0) throw new BudgetExceeded('the content is too costly to inspect');
  }

  reset(): void {
    this.#left = FLOOR;
  }
}
