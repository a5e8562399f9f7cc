import { stage } from './memory';

/*
 * Finds the strings of a JSON text that may be parts of something larger (src/scan/json-strings.ts says which), and hashes them
 * and their names.
 */
const QUOTE: i32 = 0x22;
const BACKSLASH: i32 = 0x5c;
const COLON: i32 = 0x3a;
const SPACE: i32 = 0x20;

/** Longer strings are whole. */
const LONGEST: i32 = 4096;
/** Bytes of short strings that are looked at. */
const MOST: i32 = 16 * 1024;
const SHORT: i32 = 96;

/** FNV-1a, and what the hashes of names begin with. */
const BASIS: i32 = 0x811c9dc5;
const PRIME: i32 = 0x01000193;
const MEMBER: i32 = 4;

/** The latest name: where it stands. */
let nameFrom: i32 = 0;
let nameTo: i32 = 0;
/** Where the next string is noted, and how many bytes of short ones are. */
let next: i32 = 0;
let size: i32 = 0;

/**
 * Finds the strings in [0, to) of the stage and notes each at `table`, 16 bytes for each: its index without its quotes, the index
 * behind it, the hash of the name before it, and its own. Returns how many there are. The 16 bytes behind `to` are written over.
 */
export function strings(to: i32, table: i32): i32 {
  v128.store(stage + to, i8x16.splat(0));
  nameFrom = nameTo = size = 0;
  next = table;
  /** Where the string at hand begins; -1: none is. */
  let from: i32 = -1;
  let isSpaced = false;
  /** What a backslash stands before is no mark. */
  let skipped: i32 = -1;
  for (let at: i32 = 0; at < to && size < MOST; at += 16) {
    const bytes = v128.load(stage + at);
    const quotes = i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>QUOTE)));
    let marks = quotes | i8x16.bitmask(i8x16.eq(bytes, i8x16.splat(<i8>BACKSLASH)));
    let spaces = i8x16.bitmask(i8x16.le_u(bytes, i8x16.splat(<i8>SPACE)));
    if (skipped == at) {
      marks &= ~1;
      spaces &= ~1;
    }
    /** Bits of the string at hand. */
    let rest = 0xffff;
    for (; marks != 0; marks &= marks - 1) {
      const place = ctz(marks);
      const bit = 1 << place;
      const isQuote = (quotes & bit) != 0;
      if (from < 0) {
        if (!isQuote) continue;
        from = at + place + 1;
        isSpaced = false;
        rest = -2 << place;
      } else if (isQuote) {
        if ((spaces & rest & (bit - 1)) != 0) isSpaced = true;
        end(from, at + place, to, isSpaced);
        from = -1;
        if (size >= MOST) break;
      } else {
        skipped = at + place + 1;
        marks &= ~(bit << 1);
        spaces &= ~(bit << 1);
      }
    }
    // What is behind the end is none of it.
    if (from >= 0 && (spaces & rest & (to - at < 16 ? (1 << (to - at)) - 1 : 0xffff)) != 0) isSpaced = true;
  }
  if (from >= 0) end(from, to, to, isSpaced);
  return (next - table) >> 4;
}

/** A string ends: it is a name, a value, or neither. */
function end(from: i32, to: i32, length: i32, isSpaced: bool): void {
  let behind = to + 1;
  while (behind < length && <i32>load<u8>(stage + behind) <= SPACE) behind++;
  if (behind < length && load<u8>(stage + behind) == COLON) {
    nameFrom = from;
    nameTo = to;
    return;
  }
  if (isSpaced || to <= from || to - from > LONGEST) return;
  store<i32>(next, from);
  store<i32>(next, to, 4);
  store<i32>(next, hashOf(nameFrom, nameTo, MEMBER), 8);
  store<i32>(next, hashOf(from, to, 0), 12);
  next += 16;
  if (to - from <= SHORT) size += to - from;
}

function hashOf(from: i32, to: i32, seed: i32): i32 {
  let hash = BASIS ^ seed;
  for (let at = from; at < to; at++) hash = (hash ^ (<i32>load<u8>(stage + at))) * PRIME;
  return hash;
}
