import { WORD } from '../pattern/byte-set.ts';

const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const EQUALS = 0x3d;

/**
 * Whether a word may begin at this index: no word byte stands before it, but for the end of an escape (`\n`, `%20`, `=3D`,
 * `\u0022`, `\x22`), which stands for one that is none. `begin`: index of the first byte there is.
 */
export function leftBound(bytes: Uint8Array, index: number, begin: number): boolean {
  if (index <= begin) return true;
  const byte = bytes[index - 1] as number;
  if (WORD[byte] !== 1) return true;
  const at = (back: number): number => (index - back < begin ? 0 : (bytes[index - back] as number));
  if (at(2) === BACKSLASH) return 'nrtbfv0'.includes(String.fromCharCode(byte));
  if (!isHex(byte) || !isHex(at(2))) return false;
  if (at(3) === PERCENT || at(3) === EQUALS) return true;
  if (at(3) === 0x78 && at(4) === BACKSLASH) return true;
  return isHex(at(3)) && isHex(at(4)) && (at(5) === 0x75 || at(5) === 0x55) && at(6) === BACKSLASH;
}

export function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}
