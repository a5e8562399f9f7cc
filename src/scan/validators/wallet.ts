import { createHash } from 'node:crypto';

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** The bytes of a Base58 text (Bitcoin's alphabet); null where it is none. Quadratic: for short texts. */
export function decodeBase58(text: string): Uint8Array | null {
  const bytes: number[] = [];
  for (const char of text) {
    let carry = BASE58.indexOf(char);
    if (carry === -1) return null;
    for (let i = 0; i < bytes.length; i++) {
      carry += (bytes[i] as number) * 58;
      bytes[i] = carry & 0xff;
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) bytes.push(carry & 0xff);
  }
  for (let i = 0; i < text.length - 1 && text[i] === '1'; i++) bytes.push(0);
  return Uint8Array.from(bytes.reverse());
}

/** Base58 with four bytes of a double SHA-256 behind it: addresses, WIF keys, extended keys (BIP 13, 32). */
export function base58check(text: string): boolean {
  const bytes = decodeBase58(text);
  if (bytes === null || bytes.length < 5) return false;
  const payload = bytes.subarray(0, -4);
  const digest = sha256(sha256(payload));
  return bytes.subarray(-4).every((byte, index) => byte === digest[index]);
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

const BECH32 = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** A segregated-witness address: the checksum of BIP 173 or BIP 350. */
export function bech32(text: string): boolean {
  const lower = text.toLowerCase();
  if (lower !== text && text.toUpperCase() !== text) return false;
  const split = lower.lastIndexOf('1');
  const prefix = lower.slice(0, split);
  const values = [...prefix].map((char) => char.charCodeAt(0) >> 5);
  values.push(0, ...[...prefix].map((char) => char.charCodeAt(0) & 31));
  for (const char of lower.slice(split + 1)) {
    const value = BECH32.indexOf(char);
    if (value === -1) return false;
    values.push(value);
  }
  const sum = polymod(values);
  return sum === 1 || sum === 0x2bc830a3;
}

function polymod(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    GENERATORS.forEach((generator, bit) => {
      if (((top >>> bit) & 1) === 1) sum ^= generator;
    });
  }
  return sum >>> 0;
}

/**
 * Letters in both cases: an Ethereum address that carries a checksum in them (EIP-55). The checksum itself would need
 * Keccak, which Node lacks.
 */
export function mixedCase(text: string): boolean {
  return /[a-f]/.test(text) && /[A-F]/.test(text);
}
