import { TRAITS } from '../bytes.ts';
import { NIBBLES } from './hex.ts';
import { NO_ESCAPE, escapeOf, putUtf8, type Escapes } from './escapes.ts';

const SIMPLE: ReadonlyMap<number, number> = new Map(
  [
    ['n', '\n'],
    ['r', '\r'],
    ['t', '\t'],
    ['b', '\b'],
    ['f', '\f'],
    ['v', '\v'],
    ['a', '\x07'],
    ['e', '\x1b'],
    ['"', '"'],
    ["'", "'"],
    ['/', '/'],
    ['\\', '\\'],
  ].map(([name = '', char = '']) => [name.charCodeAt(0), char.charCodeAt(0)]),
);

/** Escapes of JSON (RFC 8259 §7), JavaScript, C, Python and shells: `\u0041`, `\u{41}`, `\U00000041`, `\x41`, `\101`, `\n`. */
export const BACKSLASH: Escapes = {
  format: 'escapes',
  trait: TRAITS.backslash,
  asks: TRAITS.backslash,
  longest: 12,
  hides(bytes, at) {
    const kind = bytes[at + 1] as number;
    return kind === 0x75 || kind === 0x55 || kind === 0x78 || kind === 0x2f || (kind >= 0x30 && kind <= 0x37);
  },
  decode(bytes, at, out, put) {
    const kind = bytes[at + 1] as number;
    if (kind === 0x75) return bytes[at + 2] === 0x7b ? braced(bytes, at, out, put) : utf16(bytes, at, out, put);
    if (kind === 0x55) return fixed(bytes, at, 8, out, put);
    if (kind === 0x78) return fixed(bytes, at, 2, out, put);
    if (kind >= 0x30 && kind <= 0x37) return octal(bytes, at, out, put);
    const simple = SIMPLE.get(kind);
    if (simple === undefined) return NO_ESCAPE;
    out[put] = simple;
    return escapeOf(2, 1);
  },
};

function number(bytes: Uint8Array, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    const digit = NIBBLES[bytes[at] as number] as number;
    if (digit === 255) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** `\u0041`; two of them may be one character (RFC 8259 §7). */
function utf16(bytes: Uint8Array, at: number, out: Uint8Array, put: number): number {
  const first = number(bytes, at + 2, 4);
  if (first === -1) return NO_ESCAPE;
  if (first >= 0xd800 && first < 0xdc00 && bytes[at + 6] === 0x5c && bytes[at + 7] === 0x75) {
    const second = number(bytes, at + 8, 4);
    if (second >= 0xdc00 && second < 0xe000) {
      const code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
      return escapeOf(12, putUtf8(code, out, put));
    }
  }
  return escapeOf(6, putUtf8(first, out, put));
}

function fixed(bytes: Uint8Array, at: number, digits: number, out: Uint8Array, put: number): number {
  const code = number(bytes, at + 2, digits);
  if (code === -1 || code > 0x10ffff) return NO_ESCAPE;
  if (digits > 2) return escapeOf(2 + digits, putUtf8(code, out, put));
  out[put] = code;
  return escapeOf(4, 1);
}

function braced(bytes: Uint8Array, at: number, out: Uint8Array, put: number): number {
  let digits = 0;
  while (digits < 7 && NIBBLES[bytes[at + 3 + digits] as number] !== 255) digits++;
  if (digits === 0 || digits > 6 || bytes[at + 3 + digits] !== 0x7d) return NO_ESCAPE;
  const code = number(bytes, at + 3, digits);
  return code > 0x10ffff ? NO_ESCAPE : escapeOf(4 + digits, putUtf8(code, out, put));
}

function octal(bytes: Uint8Array, at: number, out: Uint8Array, put: number): number {
  let value = 0;
  let digits = 0;
  while (digits < 3) {
    const digit = (bytes[at + 1 + digits] as number) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
    digits++;
  }
  if (value > 255) return NO_ESCAPE;
  out[put] = value;
  return escapeOf(1 + digits, 1);
}
