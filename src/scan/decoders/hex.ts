/** Values of hexadecimal digits; 255: none. */
export const NIBBLES = new Uint8Array(256).fill(255);
[...'0123456789abcdef'].forEach((char, value) => {
  NIBBLES[char.charCodeAt(0)] = value;
  NIBBLES[char.toUpperCase().charCodeAt(0)] = value;
});

/** Decodes pairs of hexadecimal digits in [from, to) into `out` at `at`; returns the place behind what was written. */
export function decodeHex(chars: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  let put = at;
  for (let index = from; index + 1 < to; index += 2)
    out[put++] = ((NIBBLES[chars[index] as number] as number) << 4) | (NIBBLES[chars[index + 1] as number] as number);
  return put;
}
