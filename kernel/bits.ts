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
