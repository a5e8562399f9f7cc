import type { Fragment } from '../scan/fragments.ts';

/** Texts that are remembered, and characters of each. */
const MOST = 512;
const LONGEST = 2048;

/**
 * Texts that were scanned and in which nothing was found: agents say the same paths and header fields again and again. Whole
 * texts are compared, never prints of them.
 */
export class KnownTexts {
  /** With what parts of it may go on with others. */
  #texts = new Map<string, readonly Fragment[]>();
  #under: readonly unknown[] = [];

  /** What was found in nothing while these were looked for may be found while others are: they begin anew. */
  under(...sought: readonly unknown[]): this {
    if (sought.some((each, index) => each !== this.#under[index])) {
      this.#texts = new Map();
      this.#under = sought;
    }
    return this;
  }

  /** The parts of a text that is known; undefined: it is not. */
  fragmentsOf(text: string): readonly Fragment[] | undefined {
    return this.#texts.get(text);
  }

  add(text: string, fragments: readonly Fragment[]): void {
    if (text.length > LONGEST) return;
    // The older half is forgotten at once; what is still said is soon back.
    if (this.#texts.size >= MOST) this.#texts = new Map([...this.#texts].slice(MOST / 2));
    this.#texts.set(text, fragments);
  }
}
