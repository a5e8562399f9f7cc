/**
 * The scanner's inner loop: one pass over some bytes that finds where literals stand in them and notes the traits of every
 * eight of them. Written in AssemblyScript, compiled by `npm run kernel` into src/scan/kernel-bytes.ts. Everything it reads
 * is put into its memory by src/scan/kernel.ts and src/scan/literals.ts; it decides nothing on its own, allocates nothing,
 * and calls nobody.
 *
 * Sixteen bytes are looked at together. A literal of three bytes or more is told by a filter: a hash of three bytes leads to
 * which kinds of a fourth and of a fifth byte may follow; shorter ones by the halves of two bytes (as "Teddy" of Hyperscan
 * tells its literals). What passes is compared.
 */

/** Of each hash of three bytes (16 bits each): kinds of the fourth byte, and of the fifth above them. */
export const FILTER: i32 = 0;
/** Of each hash: where in the lists the literals are that begin so (32 bits); 0: there are none. */
export const LIST_OF: i32 = FILTER + 2 * 8192;
/** By first byte: the list of literals of one byte or two, and of all literals. */
export const SHORT_OF: i32 = LIST_OF + 4 * 8192;
export const FIRST_OF: i32 = SHORT_OF + 4 * 256;
/** Every byte in lower case. */
export const FOLD: i32 = FIRST_OF + 4 * 256;
/** Tables of sixteen bytes, in the order of the constants below. */
export const VECTORS: i32 = FOLD + 256;
/** What a pass leaves: how many hits, how many bytes are pending, all traits. 32 bits each. */
export const RESULT: i32 = VECTORS + 16 * 16;
/** What comes behind has the length it needs. */
export const REST: i32 = RESULT + 16;

/** The hash of three bytes a, b, c in lower case: 13 bits of ab · FIRST + bc · SECOND, modulo 2^16. */
export const FIRST: i32 = 0x9e37;
export const SECOND: i32 = 0x4f1b;

/** Kinds of bytes behind the third, by their lower half. */
const KIND: i32 = 0;
/** Groups of short literals, by the lower and upper half of the first byte and of the second. */
const SHORT: i32 = 1;
/** A bit for each upper half, none beyond ASCII: with it, a table by lower halves tells any set of characters. */
const ROW: i32 = 5;
/** Traits that one character has, by its lower and its upper half. */
const SINGLE: i32 = 6;
/** Sets of characters: of runs, and those that a whole block may belong to, of words and of codes. */
const RUN: i32 = 8;
const WORD: i32 = 9;
const CODE: i32 = 10;

/** Traits of a block, as in src/scan/bytes.ts: the lower eight are those of single characters. */
const AMPERSAND: i32 = 1 << 2;
const DIGIT: i32 = 1 << 6;
const SEMICOLON: i32 = 1 << 7;
const LONG_RUN: i32 = 1 << 8;
const NOT_WORD: i32 = 1 << 9;
const FOUR_DIGITS: i32 = 1 << 10;
const NOT_CODE: i32 = 1 << 11;
/** Of all blocks together. */
const CODES: i32 = 1 << 17;
const WORDS: i32 = 1 << 20;
/** Of all together. */
const REFERENCES: i32 = 1 << 21;
const QUOTED: i32 = 1 << 22;

/** Bytes of text in which something may be found. */
const TEXT: i32 = 8;
/** Within so many bytes, quoted-printable has another escape. */
const NEAR: i32 = 24;

/** Bytes of what is known of a literal: its first four bytes, bits that tell letters' cases apart, bits that count, where its text begins, its length; from NEXT on, a bit for each byte that may follow. */
const LITERAL: i32 = 64;
const NEXT: i32 = 32;

let lists: i32 = 0;
let literals: i32 = 0;
let texts: i32 = 0;
let stage: i32 = 0;
let blocks: i32 = 0;
let ends: i32 = 0;
let names: i32 = 0;
let depth: i32 = 0;
let count: i32 = 0;
/** Where the last equals sign with two digits behind it stands, and whether two of them stand near one another. */
let lastQuoted: i32 = 0;
let quoted: bool = false;

/** Where everything is whose length differs. `most`: length of the longest literal. */
export function layout(
  atLists: i32,
  atLiterals: i32,
  atTexts: i32,
  atStage: i32,
  atBlocks: i32,
  atEnds: i32,
  atNames: i32,
  most: i32,
): void {
  lists = atLists;
  literals = atLiterals;
  texts = atTexts;
  stage = atStage;
  blocks = atBlocks;
  ends = atEnds;
  names = atNames;
  depth = most;
}

/**
 * Reads [from, to) of the stage. Literals may begin from `begin` on; hits end behind `from`. `base`: added to the ends of hits.
 * `final`: no more bytes follow. The 32 bytes behind `to` are written over.
 */
export function pass(begin: i32, from: i32, to: i32, base: i32, final: bool): void {
  count = 0;
  lastQuoted = -NEAR;
  quoted = false;
  // A letter that has no trait.
  v128.store(stage + to, i8x16.splat(0x61));
  v128.store(stage + to, i8x16.splat(0x61), 16);
  const traits = look(begin, from, to, base);
  // What follows the last bytes is not known: no filter is asked.
  for (let at = max(begin, to - 4); at < to; at++) compareAll(at, from, to, base);
  store<i32>(RESULT, count);
  store<i32>(RESULT, final ? 0 : pendingIn(begin, to), 4);
  store<i32>(RESULT, traits, 8);
}

/**
 * Whether anything may be found in [0, to) of the stage: a literal, or text, of which nothing shorter than eight bytes is looked
 * for. The 32 bytes behind `to` are written over.
 */
export function tells(to: i32): bool {
  if (holdsText(to)) return true;
  pass(0, 0, to, 0, true);
  return count > 0;
}

/** Text in ASCII, characters of UTF-8, and NUL, which stands between the letters of other encodings. */
function holdsText(to: i32): bool {
  let length = 0;
  for (let at = 0; at < to; at++) {
    const byte = load<u8>(stage + at);
    if (byte < 0x80) {
      length = (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d) || byte == 0 ? length + 1 : 0;
    } else {
      const more = bytesOfCharacter(at, to);
      length = more == 0 ? 0 : length + more;
      at += max(0, more - 1);
    }
    if (length >= TEXT) return true;
  }
  return false;
}

/** Bytes of the character of UTF-8 that begins at a place, beyond ASCII; 0: none does. */
function bytesOfCharacter(at: i32, to: i32): i32 {
  const lead = load<u8>(stage + at);
  const length = lead >= 0xf5 || lead < 0xc2 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (at + length > to) return 0;
  for (let next = at + 1; next < at + length; next++) if ((load<u8>(stage + next) & 0xc0) != 0x80) return 0;
  return length;
}

/** Compares wherever the filters say so, and notes traits of blocks; returns those of all. */
function look(begin: i32, from: i32, to: i32, base: i32): i32 {
  const half = i8x16.splat(0x0f);
  const none = i8x16.splat(0);
  const lower = i8x16.splat(0x20);
  const first = i16x8.splat(<i16>FIRST);
  const second = i16x8.splat(<i16>SECOND);
  const digit = i8x16.splat(<i8>DIGIT);
  const equals = i8x16.splat(0x3d);
  const ampersand = i8x16.splat(0x26);
  const hash = i8x16.splat(0x23);
  let numbers = none;
  let digits = none;
  let pairs = none;
  let runs: i32 = 0;
  let all: i32 = 0;
  let each: i32 = -1;
  for (let at: i32 = 0; at < to; at += 16) {
    const place = stage + at;
    const bytes = v128.load(place);
    const behind = v128.load(place, 1);
    const low = v128.and(bytes, half);
    const high = v128.and(i16x8.shr_u(bytes, 4), half);

    const one = v128.or(bytes, lower);
    const two = v128.or(behind, lower);
    const three = v128.or(v128.load(place, 2), lower);
    const even = i16x8.shr_u(i16x8.add(i16x8.mul(one, first), i16x8.mul(two, second)), 3);
    const odd = i16x8.shr_u(i16x8.add(i16x8.mul(two, first), i16x8.mul(three, second)), 3);
    const kinds = vector(KIND);
    const evenKinds = i8x16.swizzle(kinds, v128.and(v128.load(place, 3), half));
    const oddKinds = i8x16.swizzle(kinds, v128.and(v128.load(place, 4), half));
    // Both the fourth and the fifth byte must be of the kinds that may follow.
    const evenNot = i8x16.eq(v128.and(filtered(even), evenKinds), none);
    const oddNot = i8x16.eq(v128.and(filtered(odd), oddKinds), none);
    const long = v128.bitselect(i16x8.eq(oddNot, none), i16x8.eq(evenNot, none), i16x8.splat(<i16>0xff00));
    const short = v128.and(
      v128.and(i8x16.swizzle(vector(SHORT), low), i8x16.swizzle(vector(SHORT + 1), high)),
      v128.and(
        i8x16.swizzle(vector(SHORT + 2), v128.and(behind, half)),
        i8x16.swizzle(vector(SHORT + 3), v128.and(i16x8.shr_u(behind, 4), half)),
      ),
    );
    const mask = i8x16.bitmask(long) | (i8x16.bitmask(i8x16.eq(short, none)) ^ 0xffff);
    if (mask != 0) compareAt(mask, at, begin, from, to, base);
    numbers = v128.or(numbers, v128.and(i8x16.eq(bytes, ampersand), i8x16.eq(behind, hash)));
    const signs = i8x16.bitmask(i8x16.eq(bytes, equals));
    if (signs != 0) noteQuoted(signs, at);

    const single = v128.and(i8x16.swizzle(vector(SINGLE), low), i8x16.swizzle(vector(SINGLE + 1), high));
    const row = i8x16.swizzle(vector(ROW), high);
    const isDigit = i8x16.eq(v128.and(single, digit), digit);
    const isPair = v128.and(
      isDigit,
      i8x16.shuffle(digits, isDigit, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30),
    );
    const isFour = v128.and(
      isPair,
      i8x16.shuffle(pairs, isPair, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29),
    );
    digits = isDigit;
    pairs = isPair;
    let sets = v128.or(
      v128.and(lacks(WORD, low, row, none), i8x16.splat(<i8>(NOT_WORD >> 8))),
      v128.and(lacks(CODE, low, row, none), i8x16.splat(<i8>(NOT_CODE >> 8))),
    );
    sets = v128.or(sets, v128.and(isFour, i8x16.splat(<i8>(FOUR_DIGITS >> 8))));
    runs = (runs >>> 16) | ((i8x16.bitmask(lacks(RUN, low, row, none)) ^ 0xffff) << 16);
    const ofBlocks = folded(single, sets) | longRuns(runs);
    store<u32>(blocks + (at >> 2), ofBlocks);
    all |= ofBlocks;
    // Of blocks that are whole.
    if (at + 8 <= to) each &= ofBlocks;
    if (at + 16 <= to) each &= ofBlocks >> 16;
  }
  all = (all | (all >>> 16)) & 0xffff;
  if ((all & AMPERSAND) != 0 && ((all & SEMICOLON) != 0 || v128.any_true(numbers))) all |= REFERENCES;
  if (quoted) all |= QUOTED;
  if ((each & NOT_WORD) == 0 && inARow(NOT_WORD, 5, from, to)) all |= WORDS;
  if ((each & NOT_CODE) == 0 && inARow(NOT_CODE, 3, from, to)) all |= CODES;
  return all;
}

function vector(index: i32): v128 {
  return v128.load(VECTORS + (index << 4));
}

/** What the filter says of eight hashes. */
function filtered(hashes: v128): v128 {
  let found = i16x8.splat(0);
  found = v128.load_lane<u16>(FILTER + ((<i32>i16x8.extract_lane_u(hashes, 0)) << 1), found, 0);
  found = v128.load_lane<u16>(FILTER + ((<i32>i16x8.extract_lane_u(hashes, 1)) << 1), found, 1);
  found = v128.load_lane<u16>(FILTER + ((<i32>i16x8.extract_lane_u(hashes, 2)) << 1), found, 2);
  found = v128.load_lane<u16>(FILTER + ((<i32>i16x8.extract_lane_u(hashes, 3)) << 1), found, 3);
  found = v128.load_lane<u16>(FILTER + ((<i32>i16x8.extract_lane_u(hashes, 4)) << 1), found, 4);
  found = v128.load_lane<u16>(FILTER + ((<i32>i16x8.extract_lane_u(hashes, 5)) << 1), found, 5);
  found = v128.load_lane<u16>(FILTER + ((<i32>i16x8.extract_lane_u(hashes, 6)) << 1), found, 6);
  return v128.load_lane<u16>(FILTER + ((<i32>i16x8.extract_lane_u(hashes, 7)) << 1), found, 7);
}

/** All ones for each byte that is not in a set. */
function lacks(set: i32, low: v128, row: v128, none: v128): v128 {
  return i8x16.eq(v128.and(i8x16.swizzle(vector(set), low), row), none);
}

/** In which of two blocks sixteen characters of runs in a row end. `runs`: a bit for each of the last 32 bytes that is one. */
function longRuns(runs: i32): i32 {
  runs &= runs << 1;
  runs &= runs << 2;
  runs &= runs << 4;
  runs &= runs << 8;
  return ((runs & 0xff0000) != 0 ? LONG_RUN : 0) | ((runs & 0xff000000) != 0 ? LONG_RUN << 16 : 0);
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

/** Whether so many whole blocks of [from, to) in a row lack a trait. */
function inARow(trait: i32, most: i32, from: i32, to: i32): bool {
  let row = 0;
  for (let block = from >> 3; block < to >> 3; block++) {
    row = ((<i32>load<u16>(blocks + (block << 1))) & trait) == 0 ? row + 1 : 0;
    if (row == most) return true;
  }
  return false;
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

/** Compares at each of sixteen places whose bit is set, but for the last ones there are. */
function compareAt(mask: i32, at: i32, begin: i32, from: i32, to: i32, base: i32): void {
  for (; mask != 0; mask &= mask - 1) {
    const place = at + ctz(mask);
    if (place >= to - 4) return;
    if (place >= begin) compareAll(place, from, to, base);
  }
}

/** Compares what stands at a place with all literals that may begin there. */
function compareAll(at: i32, from: i32, to: i32, base: i32): void {
  if (at + 2 < to) {
    const list = load<i32>(LIST_OF + (hashAt(at) << 2));
    if (list != 0) compare(list, at, from, to, base);
  }
  const few = load<i32>(SHORT_OF + ((<i32>load<u8>(stage + at)) << 2));
  if (few != 0) compare(few, at, from, to, base);
}

function hashAt(at: i32): i32 {
  const bytes = load<i32>(stage + at) | 0x202020;
  return (((bytes & 0xffff) * FIRST + ((bytes >>> 8) & 0xffff) * SECOND) & 0xffff) >>> 3;
}

/** A list has its length first. */
function compare(list: i32, at: i32, from: i32, to: i32, base: i32): void {
  let next = lists + (list << 2);
  const head = load<i32>(stage + at);
  for (let left = load<i32>(next); left > 0; left--) {
    next += 4;
    const name = load<i32>(next);
    const literal = literals + name * LITERAL;
    if ((((head | load<i32>(literal, 4)) ^ load<i32>(literal)) & load<i32>(literal, 8)) != 0) continue;
    const end = at + load<i32>(literal, 16);
    if (end > to || end <= from || !stands(at + 4, end, load<i32>(literal, 12) - at)) continue;
    if (end < to && !mayFollow(literal, load<u8>(stage + end))) continue;
    store<i32>(ends + (count << 2), base + end);
    store<i32>(names + (count << 2), name);
    count++;
  }
}

function mayFollow(literal: i32, byte: i32): bool {
  return (load<u8>(literal + (byte >> 3), NEXT) & (1 << (byte & 7))) != 0;
}

/** Whether [at, end) is what stands in the texts, `offset` on. */
function stands(at: i32, end: i32, offset: i32): bool {
  for (let place = at; place < end; place++)
    if (load<u8>(FOLD + <i32>load<u8>(stage + place)) != load<u8>(texts + offset + place)) return false;
  return true;
}

/** How many of the last bytes may begin a literal that is not there whole. */
function pendingIn(begin: i32, to: i32): i32 {
  for (let at = max(begin, to - depth + 1); at < to; at++) {
    const list =
      at + 2 < to ? load<i32>(LIST_OF + (hashAt(at) << 2)) : load<i32>(FIRST_OF + ((<i32>load<u8>(stage + at)) << 2));
    if (list == 0) continue;
    let next = lists + (list << 2);
    for (let left = load<i32>(next); left > 0; left--) {
      next += 4;
      const literal = literals + load<i32>(next) * LITERAL;
      if (at + load<i32>(literal, 16) > to && stands(at, to, load<i32>(literal, 12) - at)) return to - at;
    }
  }
  return 0;
}
