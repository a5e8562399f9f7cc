import { stage } from './memory';

/** What is decoded at different alignments is set apart by bytes that are in no text and no literal. */
const APART: i32 = -1;

/**
 * Decodes [from, to) of the stage as Base64 of either alphabet without padding, at each alignment, to `put` and behind it;
 * returns where that ends. `values` is where their values are written, with 32 bytes to spare.
 */
export function decodeAll(from: i32, to: i32, values: i32, put: i32): i32 {
  const count = to - from;
  for (let at: i32 = 0; at < count; at += 16) v128.store(stage + values + at, sextets(v128.load(stage + from + at)));
  // Bits that do not fill a byte are dropped.
  v128.store(stage + values + count, i8x16.splat(0));
  v128.store(stage + values + count, i8x16.splat(0), 16);
  let at = put;
  for (let shift: i32 = 0; shift < 4 && shift < count; shift++) {
    at = decode(values + shift, count - shift, at);
    store<i32>(stage + at, APART);
    at += 4;
  }
  return at;
}

/** Writes what so many values stand for; returns where that ends. */
function decode(values: i32, count: i32, put: i32): i32 {
  const left = count & 3;
  const end = put + (count >> 2) * 3 + (left > 1 ? left - 1 : 0);
  let at = put;
  for (let next: i32 = 0; next < count; next += 16) {
    const four = v128.load(stage + values + next);
    const first = i32x4.shl(v128.and(four, i32x4.splat(0x3f)), 18);
    const second = i32x4.shl(v128.and(four, i32x4.splat(0x3f00)), 4);
    const third = v128.and(i32x4.shr_u(four, 10), i32x4.splat(0xfc0));
    const bits = v128.or(v128.or(first, second), v128.or(third, i32x4.shr_u(four, 24)));
    v128.store(stage + at, i8x16.shuffle(bits, bits, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 3, 3, 3, 3));
    at += 12;
  }
  return end;
}

/** Values of sixteen characters (RFC 4648, sections 4 and 5); of others, anything. */
function sextets(chars: v128): v128 {
  const high = v128.and(i16x8.shr_u(chars, 4), i8x16.splat(0x0f));
  const added = i8x16.swizzle(i8x16(0, 0, 0, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0), high);
  const letters = i8x16.add(chars, added);
  const last = v128.or(i8x16.eq(chars, i8x16.splat(0x2f)), i8x16.eq(chars, i8x16.splat(0x5f)));
  const other = v128.or(i8x16.eq(chars, i8x16.splat(0x2b)), i8x16.eq(chars, i8x16.splat(0x2d)));
  const signs = v128.bitselect(i8x16.splat(63), i8x16.splat(62), last);
  return v128.and(v128.bitselect(signs, letters, v128.or(last, other)), i8x16.splat(0x3f));
}
