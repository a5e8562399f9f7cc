import {
  AMPERSAND,
  BLOCKS_OF_CODES,
  BLOCKS_OF_WORDS,
  CODES,
  DIGIT,
  FOUR_DIGITS,
  LONG_RUN,
  NOT_CODE,
  NOT_TEXT,
  NOT_WORD,
  QUOTED,
  REFERENCES,
  SEMICOLON,
  WORDS,
  inARow,
} from './bits';
import { blocks, stage, vector } from './memory';
import { goesOn, within } from './text';

/* Notes traits (kernel/bits.ts). */

/** A bit for each upper half, none beyond ASCII: with it, a table by lower halves tells any set of characters. */
const ROW: i32 = 7;
/** Traits that one character has, by its lower and its upper half. */
const SINGLE: i32 = 8;
/** Sets of characters: of runs, and those that a whole block may belong to, of words and of codes. */
export const RUN: i32 = 10;
const WORD: i32 = 11;
export const CODE: i32 = 12;
export const LETTER: i32 = 13;

/** Within so many bytes, quoted-printable has another escape. */
const NEAR: i32 = 24;

/** A bit for each of the last 32 bytes that is a character of a run, for each that is a digit, and for each that is a letter. */
let runs: i32 = 0;
let digits: i32 = 0;
let letters: i32 = 0;
/** Traits that any block has, and that every whole one has. */
let all: i32 = 0;
let each: i32 = 0;
/** A reference of a character by its number began. */
let numbered: i32 = 0;
/** Where the last equals sign with two digits behind it stands, and whether equals signs stand as in quoted-printable. */
let lastQuoted: i32 = 0;
let quoted: bool = false;

/** Nothing was noted yet. */
export function begin(): void {
  runs = 0;
  digits = 0;
  letters = 0;
  all = 0;
  each = -1;
  numbered = 0;
  lastQuoted = -NEAR;
  quoted = false;
}

/** Notes the traits of sixteen bytes, of which `left` are to be read; the others have no trait. */
export function note(at: i32, left: i32, bytes: v128, behind: v128, low: v128, high: v128): void {
  const none = i8x16.splat(0);
  const digit = i8x16.splat(<i8>DIGIT);
  const row = i8x16.swizzle(vector(ROW), high);
  const single = v128.and(i8x16.swizzle(vector(SINGLE), low), i8x16.swizzle(vector(SINGLE + 1), high));
  const sets = v128.or(
    v128.and(lacks(WORD, low, row, none), i8x16.splat(<i8>(NOT_WORD >> 8))),
    v128.and(lacks(CODE, low, row, none), i8x16.splat(<i8>(NOT_CODE >> 8))),
  );
  runs = (runs >>> 16) | ((i8x16.bitmask(lacks(RUN, low, row, none)) ^ 0xffff) << 16);
  digits = (digits >>> 16) | (i8x16.bitmask(i8x16.eq(v128.and(single, digit), digit)) << 16);
  letters = (letters >>> 16) | ((i8x16.bitmask(lacks(LETTER, low, row, none)) ^ 0xffff) << 16);
  const four = digits & (digits << 1);
  const ofBytes = i8x16.bitmask(bytes) == 0 ? 0 : noText(at, left, bytes, behind);
  const ofBlocks =
    ofBytes |
    folded(single, sets) |
    ofEnds(sixteen(runs), LONG_RUN) |
    ofEnds(four & (four << 2), FOUR_DIGITS) |
    ofEnds(noWords(letters), NOT_WORD);
  store<u32>(blocks + (at >> 2), ofBlocks);
  all |= ofBlocks;
  if (left >= 8) each &= ofBlocks;
  if (left >= 16) each &= ofBlocks >> 16;
  const ampersands = i8x16.eq(bytes, i8x16.splat(0x26));
  numbered |= i8x16.bitmask(v128.and(ampersands, i8x16.eq(behind, i8x16.splat(0x23))));
  const signs = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(0x3d)));
  if (signs != 0) noteQuoted(signs, at);
}

/** Traits of all that was noted, and of blocks of [from, to) together. */
export function noted(from: i32, to: i32): i32 {
  let traits = (all | (all >>> 16)) & 0xffff;
  if ((traits & AMPERSAND) != 0 && ((traits & SEMICOLON) != 0 || numbered != 0)) traits |= REFERENCES;
  if (quoted) traits |= QUOTED;
  const first = from >> 3;
  const last = to >> 3;
  if ((each & NOT_WORD) == 0 && inARow(NOT_WORD, BLOCKS_OF_WORDS, first, last) >= 0) traits |= WORDS;
  if ((each & NOT_CODE) == 0 && inARow(NOT_CODE, BLOCKS_OF_CODES, first, last) >= 0) traits |= CODES;
  return traits;
}

/** All ones for each byte that is not in a set. */
export function outside(set: i32, bytes: v128): v128 {
  const half = i8x16.splat(0x0f);
  const row = i8x16.swizzle(vector(ROW), v128.and(i16x8.shr_u(bytes, 4), half));
  return lacks(set, v128.and(bytes, half), row, i8x16.splat(0));
}

/** The same, of halves that were looked up. */
function lacks(set: i32, low: v128, row: v128, none: v128): v128 {
  return i8x16.eq(v128.and(i8x16.swizzle(vector(set), low), row), none);
}

/** Traits of two blocks, 16 bits each, from those of their bytes. */
function folded(single: v128, sets: v128): i32 {
  const ones = v128.or(single, i64x2.shr_u(single, 32));
  const others = v128.or(sets, i64x2.shr_u(sets, 32));
  let both = i8x16.shuffle(ones, others, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
  both = v128.or(both, i32x4.shr_u(both, 16));
  both = v128.or(both, i32x4.shr_u(both, 8));
  return i32x4.extract_lane(i8x16.shuffle(both, both, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0);
}

/** Bytes of a block that are text where it stands in one. */
const MOSTLY: i32 = 7;

/** A trait of two blocks: of eight bytes, more than one is no text. What may go on beyond what is known is some. */
function noText(at: i32, left: i32, bytes: v128, behind: v128): i32 {
  const before = v128.load(stage + at - 1);
  const plain = v128.or(within(bytes, 0x20, 0x5f), within(bytes, 0x09, 5));
  const later = v128.and(i8x16.lt_s(before, i8x16.splat(0)), goesOn(bytes));
  const leads = v128.and(within(bytes, 0xc2, 0x33), goesOn(behind));
  let text = i8x16.bitmask(v128.or(plain, v128.or(later, leads)));
  if (at == 0) text |= 1;
  if (left <= 16) text |= -1 << (left - 1);
  return (popcnt(text & 0xff) < MOSTLY ? NOT_TEXT : 0) | (popcnt(text & 0xff00) < MOSTLY ? NOT_TEXT << 16 : 0);
}

/** Where sixteen bits in a row end. */
export function sixteen(bits: i32): i32 {
  bits &= bits << 1;
  bits &= bits << 2;
  bits &= bits << 4;
  return bits & (bits << 8);
}

/** Where words have ended that are shorter than three letters, a byte further on, and where others have become longer than eight. */
function noWords(bits: i32): i32 {
  const short = bits & ~(bits >>> 1) & ~((bits << 1) & (bits << 2));
  const two = bits & (bits << 1);
  const four = two & (two << 2);
  return (short << 1) | (four & (four << 4) & (bits << 8));
}

/** A trait of two blocks, by the bits of the upper sixteen. */
function ofEnds(bits: i32, trait: i32): i32 {
  return ((bits & 0xff0000) != 0 ? trait : 0) | ((bits & 0xff000000) != 0 ? trait << 16 : 0);
}

/** Notes whether equals signs stand as in quoted-printable (RFC 2045, section 6.7): before a line break, or two of them before digits. */
function noteQuoted(signs: i32, at: i32): void {
  for (; signs != 0; signs &= signs - 1) {
    const place = at + ctz(signs);
    const first = load<u8>(stage + place, 1);
    const second = load<u8>(stage + place, 2);
    if (first == 0x0a || (first == 0x0d && second == 0x0a)) quoted = true;
    if (!isHex(first) || !isHex(second)) continue;
    if (place - lastQuoted < NEAR) quoted = true;
    lastQuoted = place;
  }
}

/** A digit or capital. */
function isHex(byte: u8): bool {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46);
}
