/** Letters and digits of a shingle. */
export const SHINGLE = 32;
/** Of so many shingles, one after another, one is chosen: whatever is as long as both together has one in common. */
const WINDOW = 16;

/** Letters and digits, as small ones, and everything that is not ASCII; the rest is how it is written. */
const NORMAL = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  if (byte >= 0x80 || /[a-z0-9]/.test(char)) return byte;
  return /[A-Z]/.test(char) ? byte + 32 : 0;
});

/** Two odd multipliers, drawn from a key: without it nobody can tell what a print is of. */
export interface WinnowSeed {
  readonly low: number;
  readonly high: number;
  /** The multipliers to the power of a shingle's length, modulo 2^32. */
  readonly lowOut: number;
  readonly highOut: number;
}

export function winnowSeed(key: Uint8Array): WinnowSeed {
  const view = new DataView(key.buffer, key.byteOffset, 8);
  const [low, high] = [(view.getUint32(0) | 1) >>> 0, (view.getUint32(4) | 1) >>> 0];
  const power = (base: number): number => Array.from({ length: SHINGLE }).reduce<number>((p) => Math.imul(p, base), 1);
  return { low, high, lowOut: power(low), highOut: power(high) };
}

/** Told of each print that is chosen, a number of 52 bits, and of where its shingle ends. */
export type PrintListener = (print: number, end: number) => void;

/**
 * Chooses shingles of a text by their hashes (Schleimer, Wilkerson, Aiken, "Winnowing", SIGMOD 2003), whatever stands before
 * them: copies are known by the shingles they have in common. Pieces are given one after another.
 */
export class Winnower {
  readonly #seed: WinnowSeed;
  readonly #listener: PrintListener;
  /** The last characters, in a ring. */
  readonly #ring = new Uint8Array(SHINGLE);
  #count = 0;
  #low = 0;
  #high = 0;
  /** The last hashes and where their shingles end, in a ring. */
  readonly #prints = new Float64Array(WINDOW);
  readonly #ends = new Float64Array(WINDOW);
  #shingles = 0;
  /** Place in the ring of the least of them, and which shingle that is. */
  #least = 0;
  #leastNumber = -1;
  #place = 0;

  constructor(seed: WinnowSeed, listener: PrintListener) {
    this.#seed = seed;
    this.#listener = listener;
  }

  push(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const char = NORMAL[bytes[at] as number] as number;
      if (char !== 0) this.#take(char, this.#place + at - from + 1);
    }
    this.#place += to - from;
  }

  /** What comes next does not follow what came, or is another text. */
  restart(): void {
    this.#ring.fill(0);
    this.#count = this.#shingles = this.#low = this.#high = 0;
    this.#leastNumber = -1;
  }

  #take(char: number, end: number): void {
    const { low, high, lowOut, highOut } = this.#seed;
    const slot = this.#count % SHINGLE;
    const out = this.#ring[slot] as number;
    this.#ring[slot] = char;
    this.#low = (Math.imul(this.#low, low) + char - Math.imul(out, lowOut)) | 0;
    this.#high = (Math.imul(this.#high, high) + char - Math.imul(out, highOut)) | 0;
    if (++this.#count < SHINGLE) return;
    this.#choose(printOf(this.#low, this.#high), end);
  }

  #choose(print: number, end: number): void {
    const number = this.#shingles++;
    const slot = number % WINDOW;
    this.#prints[slot] = print;
    this.#ends[slot] = end;
    if (this.#shingles < WINDOW) return;
    if (this.#leastNumber < 0 || this.#leastNumber <= number - WINDOW) this.#findLeast(number);
    else if (print <= (this.#prints[this.#least] as number)) {
      this.#least = slot;
      this.#leastNumber = number;
    } else return;
    this.#listener(this.#prints[this.#least] as number, this.#ends[this.#least] as number);
  }

  /** The least of the window, the last of those that are alike. */
  #findLeast(latest: number): void {
    this.#least = latest % WINDOW;
    this.#leastNumber = latest;
    for (let back = 1; back < WINDOW; back++) {
      const slot = (latest - back) % WINDOW;
      if ((this.#prints[slot] as number) >= (this.#prints[this.#least] as number)) continue;
      this.#least = slot;
      this.#leastNumber = latest - back;
    }
  }
}

/** Low bits of such hashes are poor: they are mixed. */
function printOf(low: number, high: number): number {
  const mixed = Math.imul(low ^ (low >>> 15), 0x2c1b_3c6d);
  const other = Math.imul(high ^ (high >>> 13) ^ mixed, 0x297a_2d39);
  return ((mixed ^ (mixed >>> 16)) >>> 0) * 2 ** 20 + (other >>> 12);
}
