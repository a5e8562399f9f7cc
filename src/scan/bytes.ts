/** Bytes looked at one by one before native code, which costs a call, is asked. */
const NEAR = 64;
/** Shorter copies are quicker without a view of the bytes. */
const SHORT = 48;

/**
 * Index of the first `byte` in [from, to), or `to`. The byte at `to` is written over for a moment and is 0 afterwards: it must
 * be none that anybody needs.
 */
export function indexOfByte(bytes: Buffer, byte: number, from: number, to: number): number {
  const near = Math.min(to, from + NEAR);
  for (let at = from; at < near; at++) if (bytes[at] === byte) return at;
  if (near >= to) return to;
  bytes[to] = byte;
  const found = bytes.indexOf(byte, near);
  bytes[to] = 0;
  return found;
}

/** Kinds of bytes that only some readers have a use for. */
export const TRAITS = { percent: 1, backslash: 2, ampersand: 4, equals: 8, zero: 16, high: 32 } as const;
const ALL = 63;
/** Of longer pieces nearly all have all of them: looking would cost more than it saves. */
const SHORT_PIECE = 2048;

const traitOf = new Uint8Array(256).fill(TRAITS.high, 0x80);
for (const [char, trait] of [
  ['%', TRAITS.percent],
  ['\\', TRAITS.backslash],
  ['&', TRAITS.ampersand],
  ['=', TRAITS.equals],
  ['\0', TRAITS.zero],
] as const)
  traitOf[char.charCodeAt(0)] = trait;

/** Which kinds of bytes occur in [from, to), or may. */
export function traitsIn(bytes: Uint8Array, from: number, to: number): number {
  if (to - from > SHORT_PIECE) return ALL;
  let traits = 0;
  for (let at = from; at < to; at++) traits |= traitOf[bytes[at] as number] as number;
  return traits;
}

/** Copies [from, to) of some bytes into others at `put`. */
export function copyBytes(source: Uint8Array, from: number, to: number, target: Uint8Array, put: number): void {
  if (to - from > SHORT) {
    target.set(source.subarray(from, to), put);
    return;
  }
  for (let at = from; at < to; at++) target[put + at - from] = source[at] as number;
}

/** Bytes on either side that tell text from what only looks like an escape in it. */
export const CONTEXT = 16;
const MOST = CONTEXT - 1;

/** Whether what stands before an index, or from it on, is text: in ASCII, or characters of UTF-8. */
export function inText(bytes: Uint8Array, at: number, begin: number, to: number): boolean {
  const end = Math.min(to, at + CONTEXT);
  let text = 0;
  for (let index = at; index < end; index++) if (isText(bytes, index)) text++;
  if (text >= Math.min(MOST, end - at)) return true;
  const start = Math.max(begin, at - CONTEXT);
  text = 0;
  for (let index = start; index < at; index++) if (isText(bytes, index)) text++;
  return at - start >= 8 && text >= Math.min(MOST, at - start);
}

function isText(bytes: Uint8Array, at: number): boolean {
  const byte = bytes[at] as number;
  if (byte < 0x80) return byte >= 0x20 ? byte < 0x7f : byte === 0x0a || byte === 0x0d || byte === 0x09;
  // A byte of a longer character follows its lead, or another of its bytes.
  if (byte < 0xc0) return (bytes[at - 1] as number) >= 0x80;
  return byte >= 0xc2 && byte < 0xf5 && ((bytes[at + 1] as number) & 0xc0) === 0x80;
}
