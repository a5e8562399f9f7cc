/** Values of the alphabet of RFC 4648 §6, in either case. */
const QUINTETS = new Uint8Array(256);
[...'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'].forEach((char, value) => {
  QUINTETS[char.charCodeAt(0)] = value;
  QUINTETS[char.toLowerCase().charCodeAt(0)] = value;
});

/** Decodes characters [from, to) of Base32 into `out` at `at`; returns the place behind what was written. */
export function decodeBase32(chars: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  let put = at;
  let bits = 0;
  let count = 0;
  for (let index = from; index < to; index++) {
    bits = ((bits << 5) | (QUINTETS[chars[index] as number] as number)) & 0xfff;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    out[put++] = bits >>> count;
  }
  return put;
}
