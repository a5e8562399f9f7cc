import { BLOCK, BLOCKS_OF_CODES, TRAITS, blockOf, blocksWithout, lacks } from '../bytes.ts';
import { NIBBLES } from '../decoders/hex.ts';
import { scratch } from '../scratch.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';
import type { Below } from './below.ts';

/** Shortest stretch of numbers that is decoded, in characters: a dozen of them with what separates them. */
const LEAST = 35;
/** A stretch is worked off in pieces. */
const PIECE = 8192;
/** What the next piece repeats of the one before, for what stands where they meet. */
const OVERLAP = 2048;
/** Codes in a row that make it text. */
const FEWEST = 12;
const NINE = 0x39;
const LETTER_X = 0x78;
const CASE = 0x20;

const isCode = (byte: number): boolean => lacks(byte, TRAITS.notCode);
const roomAt = scratch(PIECE);

/** Bytes written as numbers with something between them: `41 4b`, `41:4b`, `0x41, 0x4b`, `65, 75`. */
export class CodeReader implements Reader {
  readonly #view: View;
  readonly #below: Below;
  readonly #out: Uint8Array;
  #from = 0;
  waiting = Infinity;
  readonly asks = TRAITS.codes;

  constructor(view: View, below: Below) {
    this.#view = view;
    this.#below = below;
    this.#out = roomAt(view.via.length);
  }

  restart(): void {
    this.#from = this.#view.end;
    this.waiting = Infinity;
    this.#below.end();
  }

  opened(soft: boolean): number {
    return this.#below.open(soft);
  }

  read(_from: number, to: number, final: boolean): void {
    const { bytes, blocks, base } = this.#view;
    this.waiting = Infinity;
    let from = this.#from - base;
    for (;;) {
      const within = blocksWithout(blocks, TRAITS.notCode, BLOCKS_OF_CODES, from, to);
      if (within < 0) {
        // What the last bytes begin may grow.
        let last = to;
        while (last > from && isCode(bytes[last - 1] as number)) last--;
        this.#from = base + (final ? to : last);
        break;
      }
      let start = within;
      while (start > from && isCode(bytes[start - 1] as number)) start--;
      let end = within + BLOCKS_OF_CODES * BLOCK;
      const most = Math.min(to, start + PIECE);
      while (end + BLOCK <= most && ((blocks[blockOf(end)] as number) & TRAITS.notCode) === 0) end += BLOCK;
      while (end < most && isCode(bytes[end] as number)) end++;
      if (end === to && end - start < PIECE && !final) {
        this.waiting = this.#from = base + start;
        break;
      }
      if (end - start >= PIECE) end = this.#pieceEnd(start, end);
      const cut = end - start > PIECE - 64 && end < to;
      if (end - start >= LEAST) this.#stretch(start, end);
      from = cut ? end - OVERLAP : end;
    }
    this.#below.flush();
  }

  /** A piece ends between two numbers. Where there is nothing between them for so long, they are no numbers. */
  #pieceEnd(start: number, end: number): number {
    const { bytes } = this.#view;
    let last = end;
    while (last > start + LEAST && NIBBLES[bytes[last - 1] as number] !== 255) last--;
    return last > start + LEAST ? last : end;
  }

  #stretch(start: number, end: number): void {
    const { bytes, base, context } = this.#view;
    const out = this.#out;
    context.budget.spend(end - start);
    if (!mayBeText(bytes, start, end)) return;
    for (const radix of [16, 10] as const) {
      let count = 0;
      let first = start;
      let at = start;
      const flush = (): void => {
        if (count >= FEWEST) {
          const format = radix === 16 ? 'hex' : 'decimal';
          this.#below.feed(format, out, 0, count, base + first, (at - first) / count);
        }
        count = 0;
      };
      while (at < end) {
        if (NIBBLES[bytes[at] as number] === 255) {
          at++;
          continue;
        }
        const next = numberEnd(bytes, at, end);
        const value = valueOf(bytes, at, next, radix);
        if (value < 0) flush();
        else {
          if (count === 0) first = at;
          out[count++] = value;
        }
        at = next;
      }
      flush();
    }
  }
}

/** Whether so many numbers in a row may be codes, written one way or the other: of tables and lists, few are. */
function mayBeText(bytes: Uint8Array, start: number, end: number): boolean {
  let pairs = 0;
  let decimals = 0;
  for (let at = start; at < end;) {
    if (NIBBLES[bytes[at] as number] === 255) {
      at++;
      continue;
    }
    let next = at + 1;
    let isDecimal = (bytes[at] as number) <= NINE;
    for (; next < end; next++) {
      const byte = bytes[next] as number;
      if (NIBBLES[byte] === 255 && (byte | CASE) !== LETTER_X) break;
      isDecimal &&= byte <= NINE;
    }
    const length = next - at;
    // With a prefix, four.
    pairs = length === 2 || length === 4 ? pairs + 1 : 0;
    decimals = isDecimal && length <= 3 ? decimals + 1 : 0;
    if (pairs === FEWEST || decimals === FEWEST) return true;
    at = next;
  }
  return false;
}

function numberEnd(bytes: Uint8Array, at: number, end: number): number {
  let next = at;
  while (next < end && (NIBBLES[bytes[next] as number] !== 255 || bytes[next] === 0x78 || bytes[next] === 0x58)) next++;
  return next;
}

/** The byte a number is; -1 where it is none. */
function valueOf(bytes: Uint8Array, at: number, next: number, radix: 10 | 16): number {
  let from = at;
  const prefixed = next - at > 2 && bytes[at] === 0x30 && ((bytes[at + 1] as number) | 32) === 0x78;
  if (prefixed) from += 2;
  if (radix === 16) {
    if (next - from !== 2) return -1;
    const [high, low] = [NIBBLES[bytes[from] as number] as number, NIBBLES[bytes[from + 1] as number] as number];
    return high === 255 || low === 255 ? -1 : high * 16 + low;
  }
  if (prefixed || next - from > 3) return -1;
  let value = 0;
  for (let index = from; index < next; index++) {
    const digit = (bytes[index] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value > 255 ? -1 : value;
}
