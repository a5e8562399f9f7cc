/** Bytes of a stream that are looked at before it is believed to be one. */
export const LOOK = 64;
/** A stream that is over, and expands to less than this, hides nothing. */
const LEAST = 8;
const LONGEST_CODE = 15;
const END_OF_BLOCK = 256;

/** A Huffman code: how many codes there are of each length, and what they stand for, in order. */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
  /** Codes that could still be added: 0 where it is complete, below where there are too many. */
  readonly left: number;
}

/** The order in which the lengths of the code for lengths are written (RFC 1951 §3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/** Extra bits of lengths and distances, and the least each symbol stands for (RFC 1951 §3.2.5). */
const LENGTH_BITS = Array.from({ length: 29 }, (_, i) => (i === 28 ? 0 : Math.max(0, (i >> 2) - 1)));
const LENGTHS = leastOf(LENGTH_BITS, 3);
LENGTHS[28] = 258;
const DISTANCE_BITS = Array.from({ length: 30 }, (_, i) => Math.max(0, (i >> 1) - 1));
const DISTANCES = leastOf(DISTANCE_BITS, 1);

const FIXED = codeOf(
  Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
  0,
  288,
);
const FIXED_DISTANCES = codeOf(new Uint8Array(30).fill(5), 0, 30);

/** What a look at the beginning of a stream says of it. */
export type Verdict = 'no' | 'perhaps' | 'more';

/**
 * Whether deflate (RFC 1951) may begin at an index: decodes the first bytes, and believes what does not contradict itself by then.
 * Engines are dear, and whoever sends a flood of beginnings knows that. `more`: as far as it goes, and more must be seen.
 */
export function probeDeflate(bytes: Uint8Array, at: number, to: number): Verdict {
  const probe = new Probe(bytes, at, Math.min(to, at + LOOK));
  const verdict = probe.verdict();
  return verdict === 'more' && to - at >= LOOK ? 'perhaps' : verdict;
}

class Probe {
  readonly #bytes: Uint8Array;
  #bit: number;
  readonly #end: number;
  #written = 0;
  /** More was asked for than is there. */
  #out = false;

  constructor(bytes: Uint8Array, at: number, to: number) {
    this.#bytes = bytes;
    this.#bit = at * 8;
    this.#end = to * 8;
  }

  verdict(): Verdict {
    for (;;) {
      const last = this.#bits(1);
      const kind = this.#bits(2);
      const holds = kind === 3 ? false : this.#block(kind);
      if (this.#out) return 'more';
      if (!holds) return 'no';
      if (last === 1) return this.#written < LEAST ? 'no' : 'perhaps';
    }
  }

  #block(kind: number): boolean {
    if (kind === 0) return this.#stored();
    return kind === 1 ? this.#coded(FIXED, FIXED_DISTANCES) : this.#dynamic();
  }

  #bits(count: number): number {
    if (this.#bit + count > this.#end) {
      this.#out = true;
      return 0;
    }
    let value = 0;
    for (let i = 0; i < count; i++, this.#bit++)
      value |= (((this.#bytes[this.#bit >> 3] as number) >> (this.#bit & 7)) & 1) << i;
    return value;
  }

  /** RFC 1951 §3.2.4. */
  #stored(): boolean {
    this.#bit = (this.#bit + 7) & ~7;
    const length = this.#bits(16);
    const inverse = this.#bits(16);
    this.#bit += length * 8;
    this.#written += length;
    return (length ^ inverse) === 0xffff;
  }

  /** RFC 1951 §3.2.7. */
  #dynamic(): boolean {
    const literals = this.#bits(5) + 257;
    const distances = this.#bits(5) + 1;
    const count = this.#bits(4) + 4;
    if (literals > 286 || distances > 30) return false;
    const lengths = new Uint8Array(316);
    for (let i = 0; i < count; i++) lengths[ORDER[i] as number] = this.#bits(3);
    if (this.#out) return true;
    const code = codeOf(lengths, 0, 19);
    if (code.left !== 0) return false;
    lengths.fill(0, 0, 19);
    if (!this.#lengths(lengths, literals + distances, code)) return false;
    if (this.#out) return true;
    const literal = codeOf(lengths, 0, literals);
    const distance = codeOf(lengths, literals, literals + distances);
    if (lengths[END_OF_BLOCK] === 0 || !isUsable(literal) || !isUsable(distance)) return false;
    return this.#coded(literal, distance);
  }

  /** Reads the lengths of codes, some of which say that others come again. */
  #lengths(lengths: Uint8Array, total: number, code: Code): boolean {
    for (let i = 0; i < total && !this.#out;) {
      const symbol = this.#symbol(code);
      if (symbol < 0) return this.#out;
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) return false;
      const value = symbol === 16 ? (lengths[i - 1] as number) : 0;
      const again = symbol === 16 ? 3 + this.#bits(2) : symbol === 17 ? 3 + this.#bits(3) : 11 + this.#bits(7);
      if (i + again > total) return this.#out;
      lengths.fill(value, i, i + again);
      i += again;
    }
    return true;
  }

  /** Reads literals and repetitions up to the end of the block; false where one repeats what was never written. */
  #coded(literal: Code, distance: Code): boolean {
    for (;;) {
      const symbol = this.#symbol(literal);
      if (this.#out || symbol === END_OF_BLOCK) return true;
      if (symbol < 0 || symbol > 285) return false;
      if (symbol < END_OF_BLOCK) this.#written++;
      else if (!this.#repeat(symbol - 257, distance)) return this.#out;
    }
  }

  #repeat(symbol: number, distance: Code): boolean {
    const length = (LENGTHS[symbol] as number) + this.#bits(LENGTH_BITS[symbol] as number);
    const how = this.#symbol(distance);
    if (how < 0 || how > 29) return false;
    const back = (DISTANCES[how] as number) + this.#bits(DISTANCE_BITS[how] as number);
    if (this.#out || back > this.#written) return false;
    this.#written += length;
    return true;
  }

  /** The symbol that comes next; -1: none does, or more must be there. */
  #symbol({ counts, symbols }: Code): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= LONGEST_CODE; length++) {
      code |= this.#bits(1);
      if (this.#out) return -1;
      const count = counts[length] as number;
      if (code - first < count) return symbols[index + code - first] as number;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return -1;
  }
}

/** A code is complete, but where it has a single symbol, or none. */
function isUsable({ counts, left }: Code): boolean {
  return left === 0 || (left > 0 && counts.every((number, length) => length < 2 || number === 0));
}

/** The canonical code of some lengths (RFC 1951 §3.2.2): those in [from, to). */
function codeOf(lengths: Uint8Array, from: number, to: number): Code {
  const counts = new Uint16Array(LONGEST_CODE + 1);
  for (let i = from; i < to; i++) add(counts, lengths[i] as number);
  counts[0] = 0;
  let left = 1;
  const places = new Uint16Array(LONGEST_CODE + 2);
  for (let length = 1; length <= LONGEST_CODE; length++) {
    left = left * 2 - (counts[length] as number);
    if (left < 0) return { counts, symbols: places, left };
    places[length + 1] = (places[length] as number) + (counts[length] as number);
  }
  const symbols = new Uint16Array(to - from);
  for (let i = from; i < to; i++) {
    const length = lengths[i] as number;
    if (length > 0) symbols[add(places, length)] = i - from;
  }
  return { counts, symbols, left };
}

/** Adds one to a number of a list; returns what it was. */
function add(numbers: Uint16Array, index: number): number {
  const before = numbers[index] as number;
  numbers[index] = before + 1;
  return before;
}

function leastOf(bits: readonly number[], first: number): number[] {
  let least = first;
  return bits.map((each) => {
    const own = least;
    least += 1 << each;
    return own;
  });
}
