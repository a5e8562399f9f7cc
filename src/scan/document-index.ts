import { winnowSeed, type WinnowSeed } from './winnow.ts';

/** A document of somebody's own, as far as it is known: keyed hashes of some of its shingles, and no part of it. */
export interface DocumentPrints {
  readonly name: string;
  /** ISO 8601. */
  readonly added: string;
  readonly prints: Float64Array;
}

/** With fewer prints a text is too short to be told from others. */
export const FEWEST = 3;
/** So many of a document's prints in one stream are a part of it: some two hundred letters. */
const ENOUGH = 8;
/** What more documents than these have in common is nobody's: licences, letterheads, templates. */
const COMMON = 3;
const FILTER_BITS = 24;

/** All documents, ready to be looked for. */
export class Documents {
  readonly seed: WinnowSeed;
  readonly documents: readonly DocumentPrints[];
  /** All prints in order, and whose each is. */
  readonly #prints: Float64Array;
  readonly #owners: Uint32Array;
  /** One bit for each beginning of a print: most are told apart here. */
  readonly #filter: Uint8Array;

  constructor(documents: readonly DocumentPrints[], key: Uint8Array) {
    this.seed = winnowSeed(key);
    this.documents = documents;
    const size = documents.reduce((sum, { prints }) => sum + prints.length, 0);
    const all = new Float64Array(size);
    const owners = new Uint32Array(size);
    let at = 0;
    documents.forEach(({ prints }, owner) => {
      all.set(prints, at);
      owners.fill(owner, at, (at += prints.length));
    });
    const order = new Uint32Array(size)
      .map((_, index) => index)
      .sort((a, b) => (all[a] as number) - (all[b] as number));
    this.#prints = Float64Array.from(order, (index) => all[index] as number);
    this.#owners = Uint32Array.from(order, (index) => owners[index] as number);
    this.#filter = new Uint8Array(size === 0 ? 0 : 2 ** (FILTER_BITS - 3));
    for (const print of all)
      this.#filter[bitOf(print) >>> 3] = (this.#filter[bitOf(print) >>> 3] as number) | (1 << (bitOf(print) & 7));
  }

  get size(): number {
    return this.#prints.length;
  }

  /** Documents that have this print; none where too many have. */
  ownersOf(print: number): readonly number[] {
    const bit = bitOf(print);
    if (((this.#filter[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return NONE;
    let [low, high] = [0, this.#prints.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#prints[middle] as number) < print) low = middle + 1;
      else high = middle;
    }
    const owners: number[] = [];
    for (; this.#prints[low] === print && owners.length <= COMMON; low++) owners.push(this.#owners[low] as number);
    return owners.length > COMMON ? NONE : owners;
  }

  /** How many of a document's prints are a part of it: all but a few of a short one. */
  threshold(owner: number): number {
    const { prints } = this.documents[owner] as DocumentPrints;
    return Math.max(FEWEST, Math.min(ENOUGH, Math.ceil(prints.length / 2)));
  }
}

const NONE: readonly number[] = [];

function bitOf(print: number): number {
  return Math.floor(print / 2 ** (52 - FILTER_BITS));
}
