import { isUtf8 } from 'node:buffer';
import { decodeBase32 } from '../decoders/base32.ts';
import { LONGEST as LONGEST_BASE58, decodeBase58Into, isBase58 } from '../decoders/base58.ts';
import { decodeBase64 } from '../decoders/base64.ts';
import { mayBeBrotli, unbrotli } from '../decoders/brotli.ts';
import { TRAITS, nextInARow } from '../bytes.ts';
import { NIBBLES, decodeHex } from '../decoders/hex.ts';
import { Below } from './below.ts';
import { scratch } from '../scratch.ts';
import { KIND, KINDS } from '../run-kinds.ts';
import { isWorthDecoding, isWorthReading } from '../worth-reading.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';

/** Shortest run of characters that is decoded (`TRAITS.longRun`). */
const LEAST = 16;
const LEAST_BASE32 = 24;
/** Characters of a run that are decoded at a time: a multiple of 8, so that every format's groups stay whole. */
const PIECE = 4096;

/** Work of trying whether something is Brotli: a decoder is made for it. One run of random characters in sixty is worth it. */
const BROTLI = 16 * 1024;

const { ALPHABET, DIGIT, UPPER, LOWER, SYMBOL, NOT_BASE32, NOT_HEX } = KIND;
const CHARACTERS = { trait: TRAITS.longRun, count: LEAST, kinds: KINDS, kind: ALPHABET };

/** Most characters of which it is told at once whether they are worth decoding. */
const SHORT = 256;

const BACKSLASH = 0x5c;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const LETTER_N = 0x6e;
const LETTER_R = 0x72;

/** For the characters of a run, with the line breaks taken out, and for what they decode to. */
const charsAt = scratch(PIECE + 8);
const decodedAt = scratch(4 * PIECE + 64);

/**
 * Finds runs of characters that may be Base64 in either alphabet, Base32, Base58 or hexadecimal, over line breaks too, and
 * feeds what they decode to. Junk before the encoded text shifts its groups: every alignment is decoded.
 */
export class RunReader implements Reader {
  readonly #view: View;
  readonly #below: Below;
  readonly #chars: Uint8Array;
  readonly #decoded: Uint8Array;
  /** Up to where, as a place, all runs have been worked off. */
  #from = 0;
  /** A run longer than a piece is under way. */
  #long = false;
  waiting = Infinity;
  readonly asks = TRAITS.longRun;

  constructor(view: View, below: Below) {
    this.#view = view;
    this.#below = below;
    this.#chars = charsAt(view.via.length);
    this.#decoded = decodedAt(view.via.length);
  }

  restart(): void {
    this.#from = this.#view.end;
    this.#long = false;
    this.waiting = Infinity;
    this.#below.end();
  }

  opened(soft: boolean): number {
    return this.#below.open(soft);
  }

  read(_from: number, to: number, final: boolean): void {
    const { bytes, blocks, base } = this.#view;
    this.waiting = Infinity;
    let at = this.#from - base;
    while (at < to) {
      const start = this.#long ? at : nextRun(bytes, blocks, at, to);
      const end = runEnd(bytes, start, to);
      if (end === to && !final) {
        const left = this.#pieces(start, to);
        this.waiting = this.#from = base + left;
        this.#below.flush();
        return;
      }
      if (this.#long || (end - start >= LEAST && mayBeEncoded())) this.#finish(start, end);
      at = Math.max(end, start + 1);
    }
    this.#from = base + to;
    this.#below.flush();
  }

  /** Works off as many whole pieces of a run that is still growing as there are; returns where the rest begins. */
  #pieces(start: number, to: number): number {
    let at = start;
    for (;;) {
      const next = gather(this.#view.bytes, at, to, this.#chars);
      // The last characters wait for what follows: it may be the end of the run.
      if (gathered < PIECE || next >= to) return at;
      this.#long = true;
      this.#decode(at, next, false);
      at = next;
    }
  }

  #finish(start: number, end: number): void {
    let at = start;
    while (at < end) {
      const next = gather(this.#view.bytes, at, end, this.#chars);
      if (next < end) this.#long = true;
      this.#decode(at, next, next >= end);
      at = next;
    }
    if (!this.#long) return;
    this.#long = false;
    this.#below.break();
  }

  /** Decodes what was gathered from [from, to) of the view. */
  #decode(from: number, to: number, last: boolean): void {
    const count = gathered;
    const { budget } = this.#view.context;
    const source = this.#view.base + from;
    const ratio = (to - from) / Math.max(count, 1);
    if (this.#long) {
      budget.spend(count * 4);
      this.#decodeWhole(0, count, { source, ratio, long: true });
      return;
    }
    if (!last) return;
    const { symbols, digits, letters } = census(this.#chars, count);
    // A line under a heading, or between the rows of a table.
    if (digits + letters === 0) return;
    // Base64 has a symbol in thirty characters: what has more of them is a path, or words with hyphens.
    const few = symbols <= count / 8 + 1;
    // But not where there is a symbol, a digit and a letter every few characters: so is Base64 of characters beyond ASCII.
    if (few || Math.min(symbols, digits, letters) * 8 >= count) {
      budget.spend(count * 2);
      this.#decodeWhole(0, count, { source, ratio, long: false });
    }
    if (few) return;
    let start = 0;
    for (let at = 0; at <= count; at++) {
      if (at < count && ((KINDS[this.#chars[at] as number] as number) & SYMBOL) === 0) continue;
      if (at - start >= LEAST) {
        budget.spend(at - start);
        this.#decodeWhole(start, at, { source: source + Math.floor(start * ratio), ratio, long: false });
      }
      start = at + 1;
    }
  }

  #decodeWhole(start: number, end: number, run: Run): void {
    let any = 0;
    for (let at = start; at < end; at++) any |= KINDS[this.#chars[at] as number] as number;
    if ((any & NOT_HEX) === 0) {
      if ((any & DIGIT) !== 0) this.#hex(start, end, run);
      return;
    }
    this.#hexWithin(start, end, run);
    // What Base64 makes of text has letters in both cases within a few characters; words have one.
    if ((any & UPPER) !== 0 && (any & LOWER) !== 0) {
      this.#base64(start, end, run);
      if (!run.long && (any & (SYMBOL | DIGIT)) === DIGIT) this.#base58(start, end, run);
    } else if (
      (any & (NOT_BASE32 | SYMBOL)) === 0 &&
      end - start >= LEAST_BASE32 &&
      ((any & DIGIT) !== 0 || end - start >= 64)
    )
      this.#base32(start, end, run);
  }

  /** Has what was decoded read, `width` characters for each byte of it, the first of them `shift` from the start of the run. */
  #feed(format: string, size: number, shift: number, width: number, { source, ratio, long }: Run): void {
    if (!long && !isWorthReading(this.#decoded, size, this.#view.context.engine)) return;
    const lane = long ? `${format}/${shift}` : format;
    this.#below.feed(lane, this.#decoded, 0, size, source + Math.floor(shift * ratio), ratio * width);
  }

  #base64(start: number, end: number, run: Run): void {
    const short = !run.long && end - start <= SHORT;
    // Most of what looks like it holds nothing: that is told without decoding it here.
    if (short && !isWorthDecoding(this.#chars, start, end, this.#view.context.engine) && !this.#mayBeBrotli(start, end))
      return;
    for (let shift = 0; shift < 4; shift++) {
      const size = decodeBase64(this.#chars, start + shift, end, this.#decoded, 0);
      if (shift === 0 && !run.long) this.#brotli(size, run.source);
      const text = size >= 32 && isUtf8(withoutCutEnds(this.#decoded, size));
      this.#feed('base64', size, shift, 4 / 3, run);
      // Where one alignment is all text, the others are noise: nobody can write both.
      if (text) return;
    }
  }

  /** Whether what characters decode to begins as Brotli may. */
  #mayBeBrotli(start: number, end: number): boolean {
    decodeBase64(this.#chars, start, Math.min(start + 4, end), this.#decoded, 0);
    return mayBeBrotli(this.#decoded, Math.floor(((end - start) * 3) / 4));
  }

  /** Brotli does not say what it is: what a run decodes to is tried as a whole. */
  #brotli(size: number, source: number): void {
    if (!mayBeBrotli(this.#decoded, size)) return;
    const { budget } = this.#view.context;
    budget.spend(BROTLI);
    const expanded = unbrotli(this.#decoded, size);
    if (expanded === null) return;
    budget.spend(expanded.length);
    this.#below.feed('br', expanded, 0, expanded.length, source, 0);
  }

  #hex(start: number, end: number, run: Run): void {
    for (let shift = 0; shift < 2; shift++) {
      const size = decodeHex(this.#chars, start + shift, end, this.#decoded, 0);
      if (shift === 0 && !run.long) this.#brotli(size, run.source);
      this.#feed('hex', size, shift, 2, run);
    }
  }

  /** Hexadecimal digits with other letters in front of them or behind. */
  #hexWithin(start: number, end: number, run: Run): void {
    if (end - start <= 2 * LEAST) return;
    for (let probe = start + 2 * LEAST - 1; probe < end; probe += 2 * LEAST) {
      if (NIBBLES[this.#chars[probe] as number] === 255) continue;
      let from = probe;
      while (from > start && NIBBLES[this.#chars[from - 1] as number] !== 255) from--;
      let to = probe + 1;
      while (to < end && NIBBLES[this.#chars[to] as number] !== 255) to++;
      if (to - from >= 2 * LEAST)
        this.#hex(from, to, { ...run, source: run.source + Math.floor(from * run.ratio), long: false });
      probe = Math.max(probe, to);
    }
  }

  #base32(start: number, end: number, run: Run): void {
    for (let shift = 0; shift < 8; shift++) {
      const size = decodeBase32(this.#chars, start + shift, end, this.#decoded, 0);
      this.#feed('base32', size, shift, 1.6, run);
    }
  }

  #base58(start: number, end: number, run: Run): void {
    if (end - start > LONGEST_BASE58 || end - start < 20 || !isBase58(this.#chars, start, end)) return;
    this.#view.context.budget.spend(((end - start) * (end - start)) >> 3);
    const size = decodeBase58Into(this.#chars, start, end, this.#decoded, 0);
    this.#feed('base58', size, 0, 1.37, run);
  }
}

/** What is known of the characters at hand. */
interface Run {
  /** Place of the first of them in the view. */
  readonly source: number;
  /** Bytes of the view for each of them: more than one where lines are wrapped. */
  readonly ratio: number;
  /** They are a piece of a longer run. */
  readonly long: boolean;
}

/** What was decoded, without what may be parts of a character at either end. */
function withoutCutEnds(decoded: Uint8Array, size: number): Uint8Array {
  let from = 0;
  while (from < 3 && ((decoded[from] as number) & 0xc0) === 0x80) from++;
  let to = size;
  while (to > size - 3 && (decoded[to - 1] as number) >= 0x80) to--;
  return decoded.subarray(from, to);
}

/** Characters that were gathered last. */
let gathered = 0;

/** Copies up to a piece of the run in [from, to), without its line breaks; returns the index behind it. */
function gather(bytes: Uint8Array, from: number, to: number, chars: Uint8Array): number {
  let count = 0;
  let at = from;
  for (; at < to && count < PIECE; at++) {
    const byte = bytes[at] as number;
    if (((KINDS[byte] as number) & ALPHABET) === 0) {
      // Of an escaped line break, the letter is none of the run's.
      if (byte === BACKSLASH) at++;
      continue;
    }
    chars[count++] = byte;
  }
  gathered = count;
  return at;
}

/** How many of the characters of a run are what. */
function census(chars: Uint8Array, count: number): { symbols: number; digits: number; letters: number } {
  let symbols = 0;
  let digits = 0;
  for (let at = 0; at < count; at++) {
    const kind = KINDS[chars[at] as number] as number;
    if ((kind & SYMBOL) !== 0) symbols++;
    else if ((kind & DIGIT) !== 0) digits++;
  }
  return { symbols, digits, letters: count - symbols - digits };
}

/** Index of the first run of at least LEAST characters from `at` on, or of one that reaches `to`; `to` where there is none. */
function nextRun(bytes: Uint8Array, blocks: Uint16Array, at: number, to: number): number {
  const first = nextInARow(bytes, blocks, CHARACTERS, at, to);
  if (first < to) return first;
  let last = to;
  while (last > at && ((KINDS[bytes[last - 1] as number] as number) & ALPHABET) !== 0) last--;
  return last;
}

/** What is in the run that was measured last: kinds of its characters, and the most of them with no symbol among them. */
let seen = 0;
let longest = 0;

/** Index behind the run that begins at `start`; lines of a run that is wrapped are one run. */
function runEnd(bytes: Uint8Array, start: number, to: number): number {
  let line = start;
  let at = start;
  let piece = 0;
  seen = longest = 0;
  for (;;) {
    for (; at < to; at++) {
      const kind = KINDS[bytes[at] as number] as number;
      if ((kind & ALPHABET) === 0) break;
      seen |= kind;
      piece = (kind & SYMBOL) === 0 ? piece + 1 : 0;
      if (piece > longest) longest = piece;
    }
    if (at === to || at - line < LEAST) return at;
    const next = afterBreak(bytes, at, to);
    if (next === to) return to;
    if (next === at || ((KINDS[bytes[next] as number] as number) & ALPHABET) === 0) return at;
    line = at = next;
  }
}

/** Whether any format could have made the run that was measured last: only Base64 has symbols in it, and that has letters in both cases. */
function mayBeEncoded(): boolean {
  return longest >= LEAST || (seen & (UPPER | LOWER)) === (UPPER | LOWER);
}

/** Index behind a line break and the spaces that indent the next line; the same index where there is no break. */
function afterBreak(bytes: Uint8Array, at: number, to: number): number {
  let next = at;
  for (; next < to && next < at + 12; next++) {
    const byte = bytes[next] as number;
    if (byte === LINE_FEED || byte === RETURN) continue;
    if (next > at && (byte === 0x20 || byte === 0x09)) continue;
    if (byte !== BACKSLASH) break;
    if (next + 1 >= to) return to;
    const escaped = bytes[next + 1] as number;
    if (escaped !== LETTER_N && escaped !== LETTER_R) break;
    next++;
  }
  return next;
}
