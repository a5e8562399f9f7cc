import { SEXTETS, stage } from './memory';

/** What is decoded at different alignments is set apart by bytes that are in no text and no literal. */
const APART: i32 = -1;

/** Decodes [0, to) of the stage as Base64 of either alphabet without padding, at each alignment, to `put` and behind it; returns where that ends. */
export function decodeAll(to: i32, put: i32): i32 {
  let at = put;
  for (let shift: i32 = 0; shift < 4; shift++) {
    at = decode(shift, to, at);
    store<i32>(stage + at, APART);
    at += 4;
  }
  return at;
}

/** Decodes [from, to): bits that do not fill a byte are dropped. */
function decode(from: i32, to: i32, put: i32): i32 {
  let at = put;
  let next = from;
  for (; next + 3 < to; next += 4) {
    const bits = (sextet(next) << 18) | (sextet(next + 1) << 12) | (sextet(next + 2) << 6) | sextet(next + 3);
    store<u8>(stage + at, <u8>(bits >> 16));
    store<u8>(stage + at, <u8>(bits >> 8), 1);
    store<u8>(stage + at, <u8>bits, 2);
    at += 3;
  }
  if (to - next > 1) store<u8>(stage + at++, <u8>((sextet(next) << 2) | (sextet(next + 1) >> 4)));
  if (to - next > 2) store<u8>(stage + at++, <u8>((sextet(next + 1) << 4) | (sextet(next + 2) >> 2)));
  return at;
}

function sextet(at: i32): i32 {
  return load<u8>(SEXTETS + <i32>load<u8>(stage + at));
}
