import { hashes, bits, stage } from './memory';

/*
 * Looks for values of somebody's own by keyed hashes of eight bytes, at every fourth of them, as RegisteredReader
 * (src/scan/readers/registered.ts) does, which confirms what is met here.
 */
const WINDOW: i32 = 8;
const STRIDE: i32 = 4;
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

/** Whether a part of a value stands in [0, to) of the stage. */
export function meets(to: i32): bool {
  if (!isSought) return false;
  for (let at: i32 = 0; at + WINDOW <= to; at += STRIDE) {
    const hash = hashAt(at);
    // Most are told apart by their upper half.
    const upper = hash >>> 16;
    if ((load<u8>(bits + (upper >>> 3)) & (1 << (upper & 7))) != 0 && isListed(hash)) return true;
  }
  return false;
}

/** `windowHash` of src/scan/registered.ts. */
function hashAt(at: i32): i32 {
  let hash = ((load<i32>(stage + at) ^ low) * 0x9e3779b1) ^ ((load<i32>(stage + at, 4) ^ high) * 0x85ebca6b);
  hash = (hash ^ (hash >>> 15)) * 0xc2b2ae35;
  return hash ^ (hash >>> 13);
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
