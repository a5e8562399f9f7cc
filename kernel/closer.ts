import {
  BACKSLASH,
  BLOCKS_OF_CODES,
  BLOCKS_OF_WORDS,
  CODES,
  FOUR_DIGITS,
  LONG_RUN,
  NOT_CODE,
  NOT_WORD,
  PERCENT,
  WORDS,
  inARow,
  nextWith,
  nextWithRare,
} from './bits';
import { LIST, stage } from './memory';
import { SPARE, mayBeEncoded } from './runs';
import { CODE, LETTER, outside } from './traits';

/*
 * Looks closer at bytes that are all there is: what traits say may be there mostly is not. Each question here is one that a
 * reader (src/scan/readers/) begins with; where the answer is no, it need not be asked.
 */
/** Where on the stage it is noted where words begin. */
const STARTS: i32 = SPARE;
/** Digits and capitals of the shortest number that is looked for; words of the shortest phrase; codes, and characters, of the shortest text. */
const CARD: i32 = 13;
const PHRASE: i32 = 12;
const FEWEST: i32 = 12;
const CODED: i32 = 35;

/** The traits of [0, to) of the stage without those behind which there is nothing. `runs`: whether runs are looked at as well. */
export function closer(traits: i32, to: i32, runs: bool): i32 {
  let left = traits;
  if ((left & PERCENT) != 0 && !escapes(PERCENT, to)) left &= ~PERCENT;
  if ((left & BACKSLASH) != 0 && !escapes(BACKSLASH, to)) left &= ~BACKSLASH;
  if ((left & FOUR_DIGITS) != 0 && !longNumber(to)) left &= ~FOUR_DIGITS;
  if ((left & WORDS) != 0 && !phrase(to)) left &= ~WORDS;
  if ((left & CODES) != 0 && !codes(to)) left &= ~CODES;
  if (runs && (left & LONG_RUN) != 0 && !mayBeEncoded(to)) left &= ~LONG_RUN;
  return left;
}

/** Whether percent signs or backslashes begin escapes that hide something. */
function escapes(trait: i32, to: i32): bool {
  const last = (to + 7) >> 3;
  for (let block = nextWithRare(trait, 0, last); block < last; block = nextWithRare(trait, block + 1, last)) {
    for (let at = block << 3; at < min(to, (block + 1) << 3); at++) {
      const byte = load<u8>(stage + at);
      const next = <i32>load<u8>(stage + at, 1);
      if (
        trait == PERCENT ? byte == 0x25 && isHex(next) && isHex(load<u8>(stage + at, 2)) : byte == 0x5c && hides(next)
      )
        return true;
    }
  }
  return false;
}

/** Whether a letter behind a backslash begins a character by its number, or is a slash. */
function hides(byte: i32): bool {
  return byte == 0x75 || byte == 0x55 || byte == 0x78 || byte == 0x2f || (byte >= 0x30 && byte <= 0x37);
}

/** Whether digits and capitals in groups are as many as a payment card has, or stand behind a plus sign. */
function longNumber(to: i32): bool {
  let done = 0;
  const last = (to + 7) >> 3;
  for (
    let block = nextWithRare(FOUR_DIGITS, 0, last);
    block < last;
    block = nextWithRare(FOUR_DIGITS, block + 1, last)
  ) {
    const end = min(to, (block + 1) << 3);
    for (let at = max(done, (block << 3) - 3); at + 4 <= end; at++) {
      if (!isDigit(at) || !isDigit(at + 1) || !isDigit(at + 2) || !isDigit(at + 3)) continue;
      let start = at;
      while (start > 0 && isOfNumber(load<u8>(stage + start - 1))) start--;
      if (start > 0 && load<u8>(stage + start - 1) == 0x2b) return true;
      let count = 0;
      let next = start;
      for (; next < to && isOfNumber(load<u8>(stage + next)); next++) {
        const byte = load<u8>(stage + next);
        if (byte != 0x20 && byte != 0x2d) count++;
      }
      if (count >= CARD) return true;
      at = done = next;
    }
  }
  return false;
}

/** Digits, capitals, and what stands between their groups. */
function isOfNumber(byte: u8): bool {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5a) || byte == 0x20 || byte == 0x2d;
}

function isDigit(at: i32): bool {
  const byte = load<u8>(stage + at);
  return byte >= 0x30 && byte <= 0x39;
}

/** Whether so many words stand in a row, nothing among them that is in no phrase. */
function phrase(to: i32): bool {
  const last = to >> 3;
  let row = inARow(NOT_WORD, BLOCKS_OF_WORDS, 0, last);
  while (row >= 0) {
    const end = nextWith(NOT_WORD, row + 1, last);
    // The first and last words may stand in the blocks beside.
    if (phraseIn(max(0, (row - BLOCKS_OF_WORDS) << 3), min(to, (end + 1) << 3))) return true;
    row = inARow(NOT_WORD, BLOCKS_OF_WORDS, end, last);
  }
  return false;
}

/** Whether twelve words in a row that begin in [from, to) may be of the list. */
function phraseIn(from: i32, to: i32): bool {
  if (wordsIn(from, to) < PHRASE) return false;
  let before: i32 = 0;
  let count = 0;
  for (let at = from; at < to; at += 16) {
    const letters = lettersAt(at);
    for (let starts = letters & ~((letters << 1) | before); starts != 0; starts &= starts - 1)
      store<i32>(stage + STARTS + (count++ << 2), at + ctz(starts));
    before = letters >>> 15;
  }
  // From the last of twelve back: behind one that is not of the list, twelve others must follow.
  for (let last = PHRASE - 1; last < count;) {
    let word = last;
    while (word > last - PHRASE && mayBeOfList(load<i32>(stage + STARTS + (word << 2)))) word--;
    if (word == last - PHRASE) return true;
    last = word + PHRASE;
  }
  return false;
}

/** How many words begin in [from, to), or in the bytes behind up to a sixteenth. */
function wordsIn(from: i32, to: i32): i32 {
  let before: i32 = 0;
  let count = 0;
  for (let at = from; at < to; at += 16) {
    const letters = lettersAt(at);
    count += popcnt(letters & ~((letters << 1) | before));
    before = letters >>> 15;
  }
  return count;
}

/** A bit for each of sixteen bytes that is a letter. */
function lettersAt(at: i32): i32 {
  return i8x16.bitmask(outside(LETTER, v128.load(stage + at))) ^ 0xffff;
}

/** Whether a word may be of the list of phrases, told by its first four letters. */
function mayBeOfList(at: i32): bool {
  if (!isLetter(at + 1) || !isLetter(at + 2)) return false;
  const letters = (load<u32>(stage + at) & (isLetter(at + 3) ? 0xffffffff : 0xffffff)) | 0x20202020;
  const hash = (letters * 0x9e3779b1) >>> 19;
  return (load<u8>(LIST + (hash >>> 3)) & (1 << (hash & 7))) != 0;
}

function isLetter(at: i32): bool {
  const byte = load<u8>(stage + at) | 0x20;
  return byte >= 0x61 && byte <= 0x7a;
}

/** Whether there are so many numbers in a row that may be codes of characters. */
function codes(to: i32): bool {
  const last = to >> 3;
  let row = inARow(NOT_CODE, BLOCKS_OF_CODES, 0, last);
  while (row >= 0) {
    const next = nextWith(NOT_CODE, row + 1, last);
    let start = (row + 1 - BLOCKS_OF_CODES) << 3;
    while (start > 0 && isOfCode(load<u8>(stage + start - 1))) start--;
    let end = next << 3;
    while (end < to && isOfCode(load<u8>(stage + end))) end++;
    if (end - start >= CODED && codesIn(start, end)) return true;
    row = inARow(NOT_CODE, BLOCKS_OF_CODES, next, last);
  }
  return false;
}

/** Numbers, and what stands between them. */
function isOfCode(byte: u8): bool {
  return i8x16.extract_lane_u(outside(CODE, i8x16.splat(byte)), 0) == 0;
}

function codesIn(from: i32, to: i32): bool {
  let hex = 0;
  let decimal = 0;
  for (let at = from; at < to;) {
    if (!isHex(load<u8>(stage + at))) {
      at++;
      continue;
    }
    let next = at;
    while (next < to && (isHex(load<u8>(stage + next)) || (load<u8>(stage + next) | 0x20) == 0x78)) next++;
    const prefixed = next - at > 2 && load<u8>(stage + at) == 0x30 && (load<u8>(stage + at, 1) | 0x20) == 0x78;
    const first = prefixed ? at + 2 : at;
    hex = next - first == 2 && isHex(load<u8>(stage + first)) && isHex(load<u8>(stage + first, 1)) ? hex + 1 : 0;
    decimal = !prefixed && isByte(at, next) ? decimal + 1 : 0;
    if (max(hex, decimal) == FEWEST) return true;
    at = next;
  }
  return false;
}

/** Whether [from, to) is a number up to 255. */
function isByte(from: i32, to: i32): bool {
  if (to - from > 3) return false;
  let value = 0;
  for (let at = from; at < to; at++) {
    if (!isDigit(at)) return false;
    value = value * 10 + (<i32>load<u8>(stage + at) - 0x30);
  }
  return value <= 255;
}

/** A hexadecimal digit. */
function isHex(byte: i32): bool {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}
