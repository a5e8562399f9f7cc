import { blocks } from './memory';

/*
 * Traits, as src/scan/bytes.ts names them: of every eight bytes, 16 bits, the lower eight of which are those of single
 * characters; and of all together.
 */
export const PERCENT: i32 = 1;
export const BACKSLASH: i32 = 1 << 1;
export const AMPERSAND: i32 = 1 << 2;
export const DIGIT: i32 = 1 << 6;
export const SEMICOLON: i32 = 1 << 7;
export const LONG_RUN: i32 = 1 << 8;
export const NOT_WORD: i32 = 1 << 9;
export const FOUR_DIGITS: i32 = 1 << 10;
export const NOT_CODE: i32 = 1 << 11;
export const NOT_TEXT: i32 = 1 << 12;
/** Of several blocks in a row, and how many those are. */
export const CODES: i32 = 1 << 17;
export const BLOCKS_OF_CODES: i32 = 3;
export const WORDS: i32 = 1 << 20;
export const BLOCKS_OF_WORDS: i32 = 5;
/** Of all together. */
export const REFERENCES: i32 = 1 << 21;
export const QUOTED: i32 = 1 << 22;
export const REGISTERED: i32 = 1 << 23;

/** Whether a block has a trait. */
export function has(block: i32, trait: i32): bool {
  return ((<i32>load<u16>(blocks + (block << 1))) & trait) != 0;
}

/** The first block from one on, and before `last`, that has a trait; `last` where none does. */
export function nextWith(trait: i32, block: i32, last: i32): i32 {
  while (block < last && !has(block, trait)) block++;
  return block;
}

/** The same for a trait that few blocks have: eight of them are looked at together. */
export function nextWithRare(trait: i32, block: i32, last: i32): i32 {
  let next = block;
  for (; next + 8 <= last; next += 8) {
    const there = lacking(trait, next) ^ 0xff;
    if (there != 0) return next + ctz(there);
  }
  return nextWith(trait, next, last);
}

/** The last of the first `most` blocks in a row from one on, and before `last`, that lack a trait; -1: there are none. */
export function inARow(trait: i32, most: i32, block: i32, last: i32): i32 {
  /** A bit for each of the last 32 blocks that lacks it. */
  let row: i32 = 0;
  let next = block;
  for (; next + 8 <= last; next += 8) {
    row = (row >>> 8) | (lacking(trait, next) << 24);
    let ends = row;
    for (let before: i32 = 1; before < most; before++) ends &= row << before;
    ends >>>= 24;
    if (ends != 0) return next + ctz(ends);
  }
  let count = clz(~row);
  for (; next < last; next++) {
    count = has(next, trait) ? 0 : count + 1;
    if (count == most) return next;
  }
  return -1;
}

/** A bit for each of eight blocks that lacks a trait. */
function lacking(trait: i32, block: i32): i32 {
  const traits = v128.and(v128.load(blocks + (block << 1)), i16x8.splat(<i16>trait));
  return i16x8.bitmask(i16x8.eq(traits, i16x8.splat(0)));
}
