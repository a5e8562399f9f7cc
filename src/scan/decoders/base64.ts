/** Values of both alphabets (RFC 4648 §4, §5); 255: none. */
export const SEXTETS: Uint8Array = new Uint8Array(256).fill(255);
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
for (let value = 0; value < LETTERS.length; value++) SEXTETS[LETTERS.charCodeAt(value)] = value;
for (const [char, value] of [
  ['+', 62],
  ['-', 62],
  ['/', 63],
  ['_', 63],
] as const)
  SEXTETS[char.charCodeAt(0)] = value;

/** Below this the call into native code costs more than it saves. */
const NATIVE = 256;

/**
 * Decodes characters [from, to) of either Base64 alphabet, without padding, into `out` at `at`; returns the place behind what
 * was written. Bits that do not fill a byte are dropped.
 */
export function decodeBase64(chars: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  if (to - from >= NATIVE) {
    const text = Buffer.from(chars.buffer, chars.byteOffset + from, to - from).toString('latin1');
    return at + Buffer.from(out.buffer, out.byteOffset).write(text, at, 'base64');
  }
  let put = at;
  let index = from;
  for (; index + 3 < to; index += 4) {
    const bits =
      ((SEXTETS[chars[index] as number] as number) << 18) |
      ((SEXTETS[chars[index + 1] as number] as number) << 12) |
      ((SEXTETS[chars[index + 2] as number] as number) << 6) |
      (SEXTETS[chars[index + 3] as number] as number);
    out[put++] = bits >>> 16;
    out[put++] = bits >>> 8;
    out[put++] = bits;
  }
  const left = to - index;
  if (left < 2) return put;
  const bits =
    ((SEXTETS[chars[index] as number] as number) << 18) |
    ((SEXTETS[chars[index + 1] as number] as number) << 12) |
    (left === 3 ? (SEXTETS[chars[index + 2] as number] as number) << 6 : 0);
  out[put++] = bits >>> 16;
  if (left === 3) out[put++] = bits >>> 8;
  return put;
}
