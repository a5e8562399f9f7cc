import { LONG_RUN, nextWithRare } from './bits';
import { KINDS, moveStage, stage } from './memory';
import { decodeAll } from './base64';
import { RUN, outside, sixteen } from './traits';
import { tells } from './read';
import { within } from './text';

/*
 * Looks closer at runs of characters of Base64, in bytes that are all there is: of most that look encoded, what they decode to
 * is noise. What RunReader (src/scan/readers/runs.ts) would have read is told apart from what it would have passed over.
 */

/** Kinds of characters, as src/scan/run-kinds.ts has them. */
const ALPHABET: i32 = 1;
const DIGIT: i32 = 2;
const UPPER: i32 = 4;
const LOWER: i32 = 8;
const SYMBOL: i32 = 16;
const NOT_BASE32: i32 = 32;
const NOT_HEX: i32 = 64;
const NOT_BASE58: i32 = 128;

/** Shortest runs that are decoded, by format. */
const LEAST: i32 = 16;
const LEAST_BASE32: i32 = 24;
const LEAST_BASE58: i32 = 20;

/** Most bytes that are looked at closely, and what more there may be of anything behind them. */
export const WHOLE: i32 = 4096;
const SLACK: i32 = 64;
/** What is behind those bytes on the stage, for others as well. */
export const SPARE: i32 = WHOLE + SLACK;
/** Places there: characters without the line breaks between them, their values, and what is decoded. */
const CHARS: i32 = SPARE;
const VALUES: i32 = CHARS + WHOLE + SLACK;
const DECODED: i32 = VALUES + WHOLE + SLACK;

/** Characters of the run at hand: how many, and how many of a kind. */
let count: i32 = 0;
let symbols: i32 = 0;
let digits: i32 = 0;
/** It has letters in both cases; as many characters in a row as are decoded are no symbols. */
let mixed: bool = false;
let long: bool = false;

/** Whether what any run in [0, to) of the stage decodes to may have to be read. */
export function mayBeEncoded(to: i32): bool {
  let start = nextRun(0, to);
  while (start >= 0) {
    const end = gather(start, to);
    if (count >= LEAST && (long || mixed) && mayHold()) return true;
    start = nextRun(max(end, start + 1), to);
  }
  return false;
}

/** Whether anything may be found in what the characters in [0, to) of the stage, no more than WHOLE, decode to as Base64, at any alignment. */
export function tellsBase64(to: i32): bool {
  return decodedTells(decodeAll(0, to, VALUES, DECODED));
}

/** Index of the first of LEAST characters in a row from `at` on; -1: there are none. */
function nextRun(at: i32, to: i32): i32 {
  const last = (to + 7) >> 3;
  for (
    let block = nextWithRare(LONG_RUN, at >> 3, last);
    block < last;
    block = nextWithRare(LONG_RUN, block + 1, last)
  ) {
    const end = min(to, (block + 1) << 3);
    let row = 0;
    for (let place = max(at, (block << 3) - LEAST + 1); place < end; place++) {
      row = (kindOf(place) & ALPHABET) == 0 ? 0 : row + 1;
      if (row == LEAST) return place + 1 - LEAST;
    }
  }
  return -1;
}

/** Copies the run that begins at `start`, without its line breaks, and notes what is in it; returns the index behind it. */
function gather(start: i32, to: i32): i32 {
  count = symbols = digits = 0;
  mixed = long = false;
  let cases: i32 = 0;
  /** A bit for each of the last 32 characters that is no symbol. */
  let plain: i32 = 0;
  let next = start;
  let at = start;
  do {
    const line = next;
    at = line;
    let length: i32 = 16;
    while (length == 16 && at < to) {
      const bytes = v128.load(stage + at);
      length = min(ctz((i8x16.bitmask(outside(RUN, bytes)) & 0xffff) | (1 << 16)), to - at);
      v128.store(stage + CHARS + count, bytes);
      const there = (1 << length) - 1;
      const ofDigits = i8x16.bitmask(within(bytes, 0x30, 10)) & there;
      const ofUpper = i8x16.bitmask(within(bytes, 0x41, 26)) & there;
      const ofLower = i8x16.bitmask(within(bytes, 0x61, 26)) & there;
      const letters = ofDigits | ofUpper | ofLower;
      digits += popcnt(ofDigits);
      symbols += popcnt(letters ^ there);
      cases |= (ofUpper != 0 ? 1 : 0) | (ofLower != 0 ? 2 : 0);
      plain = (plain >>> 16) | (letters << 16);
      if ((sixteen(plain) & 0xffff0000) != 0) long = true;
      // What ends within sixteen characters ends further down among the bits.
      if (length < 16) plain <<= 16 - length;
      at += length;
      count += length;
    }
    if (at - line < LEAST) break;
    next = afterBreak(at, to);
  } while (next > at && next < to && (kindOf(next) & ALPHABET) != 0);
  mixed = cases == 3;
  return next == to ? to : at;
}

/** Index behind a line break, escaped or not, and what indents the next line; the same index where there is no break. */
function afterBreak(at: i32, to: i32): i32 {
  let next = at;
  for (; next < to && next < at + 12; next++) {
    const byte = load<u8>(stage + next);
    if (byte == 0x0a || byte == 0x0d) continue;
    if (next > at && (byte == 0x20 || byte == 0x09)) continue;
    if (byte != 0x5c) break;
    if (next + 1 >= to) return to;
    const escaped = load<u8>(stage + next, 1);
    if (escaped != 0x6e && escaped != 0x72) break;
    next++;
  }
  return next;
}

/** Whether anything may be in the run that was gathered last, or in what stands between its symbols. */
function mayHold(): bool {
  const letters = count - symbols - digits;
  if (digits + letters == 0) return false;
  const few = symbols <= (count >> 3) + 1;
  if (few || min(min(symbols, digits), letters) * 8 >= count) if (mayDecode(CHARS, CHARS + count)) return true;
  if (few) return false;
  let start = CHARS;
  for (let at = CHARS; at <= CHARS + count; at++) {
    if (at < CHARS + count && (kindOf(at) & SYMBOL) == 0) continue;
    if (at - start >= LEAST && mayDecode(start, at)) return true;
    start = at + 1;
  }
  return false;
}

/** Whether characters [from, to) decode to anything in which something may be found. */
function mayDecode(from: i32, to: i32): bool {
  let any = 0;
  for (let at = from; at < to; at++) any |= kindOf(at);
  if ((any & NOT_HEX) == 0) return (any & DIGIT) != 0 && hexTells(from, to);
  if (hexWithin(from, to)) return true;
  const length = to - from;
  if (isMixed(any)) {
    // Base58 is not undone here.
    if ((any & (SYMBOL | DIGIT | NOT_BASE58)) == DIGIT && length >= LEAST_BASE58) return true;
    const end = decodeAll(from, to, VALUES, DECODED);
    return mayBeBrotli((length * 3) >> 2) || decodedTells(end);
  }
  // Nor is Base32.
  return (any & (NOT_BASE32 | SYMBOL)) == 0 && length >= LEAST_BASE32 && ((any & DIGIT) != 0 || length >= 64);
}

function isMixed(any: i32): bool {
  return (any & (UPPER | LOWER)) == (UPPER | LOWER);
}

/** Whether so many hexadecimal digits stand within [from, to), other letters beside them, that decode to something. */
function hexWithin(from: i32, to: i32): bool {
  if (to - from <= 2 * LEAST) return false;
  for (let probe = from + 2 * LEAST - 1; probe < to; probe += 2 * LEAST) {
    if ((kindOf(probe) & NOT_HEX) != 0) continue;
    let first = probe;
    while (first > from && (kindOf(first - 1) & NOT_HEX) == 0) first--;
    let end = probe + 1;
    while (end < to && (kindOf(end) & NOT_HEX) == 0) end++;
    if (end - first >= 2 * LEAST && hexTells(first, end)) return true;
    probe = max(probe, end);
  }
  return false;
}

/** Whether what hexadecimal digits in [from, to) decode to may have to be read. */
function hexTells(from: i32, to: i32): bool {
  let put = DECODED;
  for (let shift: i32 = 0; shift < 2; shift++) {
    for (let at = from + shift; at + 1 < to; at += 2)
      store<u8>(stage + put++, <u8>((nibble(at) << 4) | nibble(at + 1)));
    store<i32>(stage + put, -1);
    put += 4;
  }
  return mayBeBrotli((to - from) >> 1) || decodedTells(put);
}

function nibble(at: i32): i32 {
  const byte = <i32>load<u8>(stage + at);
  return byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57;
}

/** What src/scan/decoders/brotli.ts says of `size` bytes that were decoded. */
function mayBeBrotli(size: i32): bool {
  if (size < LEAST) return false;
  const first = <i32>load<u8>(stage + DECODED);
  const window = first & 15;
  if (window != 0x0b && window != 0x0f) return false;
  const rest = first >> 4;
  if (rest == 0 || rest == 8) return true;
  return rest == 1 && 2 * (<i32>load<u16>(stage + DECODED, 1) + 1) >= size;
}

/** Whether anything may be found in what was decoded, up to `end`. */
function decodedTells(end: i32): bool {
  moveStage(DECODED);
  const is = tells(end - DECODED);
  moveStage(-DECODED);
  return is;
}

function kindOf(at: i32): i32 {
  return load<u8>(KINDS + <i32>load<u8>(stage + at));
}
