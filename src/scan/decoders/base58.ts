/** Values of Bitcoin's alphabet; 255: none. */
const DIGITS = new Uint8Array(256).fill(255);
[...'123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'].forEach((char, value) => {
  DIGITS[char.charCodeAt(0)] = value;
});
/** Limbs of twenty bits: times 58⁵ they stay exact in a double. */
const LIMB = 2 ** 20;
/** Longer texts are none that people pass on in Base58, and the cost grows with the square. */
export const LONGEST = 1024;

const limbs = new Float64Array(LONGEST);

/** True when every character is of the alphabet. */
export function isBase58(chars: Uint8Array, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (DIGITS[chars[index] as number] === 255) return false;
  return true;
}

/** Decodes characters [from, to) of Base58, at most LONGEST, into `out` at `at`; returns the place behind what was written. */
export function decodeBase58Into(chars: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  let count = 0;
  for (let index = from; index < to; index += 5) {
    let value = 0;
    let factor = 1;
    for (let each = index; each < Math.min(to, index + 5); each++) {
      value = value * 58 + (DIGITS[chars[each] as number] as number);
      factor *= 58;
    }
    for (let i = 0; i < count; i++) {
      const product = (limbs[i] as number) * factor + value;
      value = Math.floor(product / LIMB);
      limbs[i] = product - value * LIMB;
    }
    for (; value > 0; value = Math.floor(value / LIMB)) limbs[count++] = value % LIMB;
  }
  return writeLimbs(limbs.subarray(0, count), out, at);
}

/** Big-endian, without leading zeros. */
function writeLimbs(limbs: Float64Array, out: Uint8Array, at: number): number {
  const bytes: number[] = [];
  let bits = 0;
  let count = 0;
  for (const limb of limbs) {
    bits += limb * 2 ** count;
    count += 20;
    for (; count >= 8; count -= 8) {
      bytes.push(bits % 256);
      bits = Math.floor(bits / 256);
    }
  }
  bytes.push(bits);
  while (bytes.length > 0 && bytes.at(-1) === 0) bytes.pop();
  let put = at;
  for (let index = bytes.length - 1; index >= 0; index--) out[put++] = bytes[index] as number;
  return put;
}
