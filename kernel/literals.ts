import {
  FILTER,
  FIRST_OF,
  FOLD,
  LIST_OF,
  SHORT_OF,
  depth,
  ends,
  lists,
  literals,
  names,
  stage,
  texts,
  vector,
} from './memory';

/*
 * Finds literals. One of three bytes or more is told by a filter: a hash of three bytes leads to which kinds of a fourth and of
 * a fifth byte may follow; shorter ones by the halves of two bytes (as "Teddy" of Hyperscan tells its literals). What passes is
 * compared.
 */

/** The hash of three bytes a, b, c in lower case: 13 bits of ab · FIRST + bc · SECOND, modulo 2^16. */
const FIRST: i32 = 0x9e37;
const SECOND: i32 = 0x4f1b;

/** Kinds of bytes behind the third, by their lower half. */
const KIND: i32 = 0;
/** Groups of short literals, by the lower and upper half of the first byte, of the second, and of the third. */
const SHORT: i32 = 1;

/** Bytes of what is listed of a literal: its number, its first four bytes, bits that tell letters' cases apart, and bits that count. */
const ENTRY: i32 = 16;
/** Bytes of what is known of a literal: where its text begins, its length and, from NEXT on, a bit for each byte that may follow. */
const LITERAL: i32 = 40;
const NEXT: i32 = 8;

/** Hits since the last reset. */
export let count: i32 = 0;

export function reset(): void {
  count = 0;
}

/** Forgets the latest hits but for so many. */
export function restore(hits: i32): void {
  count = hits;
}

/** Short literals have their bits above those of the others. */
const SHORTS: i32 = 16;

/** At which of sixteen places a literal may begin: a bit for each, and SHORTS above it one for a short literal. `bytes` are those at the place, `behind` those one further on; `low` and `high` their halves. */
export function candidates(place: i32, bytes: v128, behind: v128, low: v128, high: v128): i32 {
  const half = i8x16.splat(0x0f);
  const none = i8x16.splat(0);
  const lower = i8x16.splat(0x20);
  const first = i16x8.splat(<i16>FIRST);
  const second = i16x8.splat(<i16>SECOND);
  const third = v128.load(place, 2);
  const one = v128.or(bytes, lower);
  const two = v128.or(behind, lower);
  const three = v128.or(third, lower);
  const even = i16x8.shr_u(i16x8.add(i16x8.mul(one, first), i16x8.mul(two, second)), 3);
  const odd = i16x8.shr_u(i16x8.add(i16x8.mul(two, first), i16x8.mul(three, second)), 3);
  const kinds = vector(KIND);
  const evenKinds = i8x16.swizzle(kinds, v128.and(v128.load(place, 3), half));
  const oddKinds = i8x16.swizzle(kinds, v128.and(v128.load(place, 4), half));
  // Both the fourth and the fifth byte must be of the kinds that may follow.
  const evenNot = i8x16.eq(v128.and(filtered(even), evenKinds), none);
  const oddNot = i8x16.eq(v128.and(filtered(odd), oddKinds), none);
  const long = v128.bitselect(i16x8.eq(oddNot, none), i16x8.eq(evenNot, none), i16x8.splat(<i16>0xff00));
  const firstOfTwo = v128.and(i8x16.swizzle(vector(SHORT), low), i8x16.swizzle(vector(SHORT + 1), high));
  const short = v128.and(v128.and(firstOfTwo, inGroups(SHORT + 2, behind, half)), inGroups(SHORT + 4, third, half));
  return i8x16.bitmask(long) | ((i8x16.bitmask(i8x16.eq(short, none)) ^ 0xffff) << SHORTS);
}

/** Groups that bytes may be of, by two tables. */
function inGroups(tables: i32, bytes: v128, half: v128): v128 {
  const low = i8x16.swizzle(vector(tables), v128.and(bytes, half));
  return v128.and(low, i8x16.swizzle(vector(tables + 1), v128.and(i16x8.shr_u(bytes, 4), half)));
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

/** Compares at each of sixteen places whose bit is set, but for the last ones there are. */
export function compareAt(mask: i32, at: i32, first: i32, from: i32, to: i32, base: i32): void {
  for (let places = (mask | (mask >>> SHORTS)) & 0xffff; places != 0; places &= places - 1) {
    const bit = ctz(places);
    const place = at + bit;
    if (place >= to - 4) return;
    if (place < first) continue;
    if ((mask & (1 << bit)) != 0) compare(load<i32>(LIST_OF + (hashAt(place) << 2)), place, from, to, base);
    if ((mask & (1 << (bit + SHORTS))) != 0)
      compare(load<i32>(SHORT_OF + ((<i32>load<u8>(stage + place)) << 2)), place, from, to, base);
  }
}

/** Compares what stands at a place with all literals that may begin there. */
export function compareAll(at: i32, from: i32, to: i32, base: i32): void {
  if (at + 2 < to) compare(load<i32>(LIST_OF + (hashAt(at) << 2)), at, from, to, base);
  compare(load<i32>(SHORT_OF + ((<i32>load<u8>(stage + at)) << 2)), at, from, to, base);
}

function hashAt(at: i32): i32 {
  const bytes = load<i32>(stage + at) | 0x202020;
  return (((bytes & 0xffff) * FIRST + ((bytes >>> 8) & 0xffff) * SECOND) & 0xffff) >>> 3;
}

/** A list has its length first; 0: there is none. */
function compare(list: i32, at: i32, from: i32, to: i32, base: i32): void {
  if (list == 0) return;
  let entry = lists + (list << 2);
  const last = entry + 4 + load<i32>(entry) * ENTRY;
  const head = load<i32>(stage + at);
  for (entry += 4; entry < last; entry += ENTRY) {
    if ((((head | load<i32>(entry, 8)) ^ load<i32>(entry, 4)) & load<i32>(entry, 12)) != 0) continue;
    const name = load<i32>(entry);
    const literal = literals + name * LITERAL;
    const end = at + load<i32>(literal, 4);
    if (end > to || end <= from || !stands(at + 4, end, load<i32>(literal) - at)) continue;
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
export function pendingIn(first: i32, to: i32): i32 {
  for (let at = max(first, to - depth + 1); at < to; at++) {
    const list =
      at + 2 < to ? load<i32>(LIST_OF + (hashAt(at) << 2)) : load<i32>(FIRST_OF + ((<i32>load<u8>(stage + at)) << 2));
    if (list == 0) continue;
    let entry = lists + (list << 2);
    const last = entry + 4 + load<i32>(entry) * ENTRY;
    for (entry += 4; entry < last; entry += ENTRY) {
      const literal = literals + load<i32>(entry) * LITERAL;
      if (at + load<i32>(literal, 4) > to && stands(at, to, load<i32>(literal) - at)) return to - at;
    }
  }
  return 0;
}
