import { hashes, bits, stage } from './memory';

/*
 * Looks for values of somebody's own by keyed hashes of eight bytes, at every fourth of them, as RegisteredReader
 * (src/scan/readers/registered.ts) does, which confirms what is met here.
 */
const WINDOW: i32 = 8;
const STRIDE: i32 = 4;
/** Bytes before the next ones to read in which a window may begin that goes on in them. */
export const OVERLAP: i32 = 16;
/** Hashes there is room for, a power of two. */
const ROOM: i32 = 16384;

/** Keys of the hashes, and whether anything is sought. */
let low: i32 = 0;
let high: i32 = 0;
let isSought: bool = false;

/** What stands at `bits` and `hashes` is sought from now on, or nothing is. */
export function seek(any: bool, lowKey: i32, highKey: i32): void {
  isSought = any;
  low = lowKey;
  high = highKey;
}

/** Whether a part of a value stands in [from, to) of the stage. */
export function meets(from: i32, to: i32): bool {
  if (!isSought) return false;
  let at = from;
  for (; at + 4 * STRIDE + WINDOW <= to; at += 4 * STRIDE) {
    const four = hashesAt(at);
    if (mayBe(i32x4.extract_lane(four, 0)) || mayBe(i32x4.extract_lane(four, 1))) return true;
    if (mayBe(i32x4.extract_lane(four, 2)) || mayBe(i32x4.extract_lane(four, 3))) return true;
  }
  for (; at + WINDOW <= to; at += STRIDE) if (mayBe(i32x4.extract_lane(hashesAt(at), 0))) return true;
  return false;
}

/** Whether something with a hash is sought: most are told apart by their upper half. */
function mayBe(hash: i32): bool {
  const upper = hash >>> 16;
  return (load<u8>(bits + (upper >>> 3)) & (1 << (upper & 7))) != 0 && isListed(hash);
}

/** `windowHash` of src/scan/registered.ts, of four windows one behind the other. */
function hashesAt(at: i32): v128 {
  const first = v128.xor(v128.load(stage + at), i32x4.splat(low));
  const second = v128.xor(v128.load(stage + at, 4), i32x4.splat(high));
  let four = v128.xor(i32x4.mul(first, i32x4.splat(0x9e3779b1)), i32x4.mul(second, i32x4.splat(0x85ebca6b)));
  four = i32x4.mul(v128.xor(four, i32x4.shr_u(four, 15)), i32x4.splat(0xc2b2ae35));
  return v128.xor(four, i32x4.shr_u(four, 13));
}

/** Whether a hash is in the table; 0 stands for an empty place, and is taken for one that is. */
function isListed(hash: i32): bool {
  let slot = hash & (ROOM - 1);
  while (load<i32>(hashes + (slot << 2)) != 0) {
    if (load<i32>(hashes + (slot << 2)) == hash) return true;
    slot = (slot + 1) & (ROOM - 1);
  }
  return hash == 0;
}
