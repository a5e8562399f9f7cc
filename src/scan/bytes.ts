/** What sets apart texts that are read together: no match goes across it, nobody takes it for a letter of UTF-16, and few literals begin as it does. */
export const APART: Uint8Array = Uint8Array.of(0x0a, 0x02, 0x0a);
/** Shorter copies are quicker without a view of the bytes. */
const SHORT = 48;

/** What readers ask of a few bytes together: kinds that occur among them, and kinds to which not all of them belong (kernel/pass.ts). */
export const TRAITS = {
  percent: 1,
  backslash: 2,
  ampersand: 4,
  equals: 8,
  zero: 16,
  high: 32,
  digit: 64,
  semicolon: 128,
  /** Sixteen characters of Base64, in either alphabet, end there in a row. */
  longRun: 256,
  /** No letter, and none of what may stand between two words of a phrase; or right before it a word ends that is shorter than three letters, or there one is longer than eight. */
  notWord: 512,
  /** Four digits in a row end there. */
  fourDigits: 1024,
  /** None of what codes of characters are written with: numbers and what stands between them. */
  notCode: 2048,
  /** Of eight bytes, some of them beyond ASCII, more than one is no text. */
  notText: 4096,
  /** Of blocks together: so many in a row that they may be codes of characters, or a phrase. */
  codes: 1 << 17,
  words: 1 << 20,
  /** Of all together: references of characters may be among them, and equals signs as quoted-printable has them. */
  references: 1 << 21,
  quoted: 1 << 22,
  /** Of all together: a value of somebody's own may be there. */
  registered: 1 << 23,
  /** A container may begin there. */
  container: 1 << 18,
  /** Always there. */
  any: 1 << 19,
} as const;

/** Blocks that codes of a dozen characters fill, wherever they begin. */
export const BLOCKS_OF_CODES = 3;

/** Bytes whose traits are told together: `BLOCK` of them, from a multiple of it on. */
export const BLOCK = 8;

const TRAITS_OF = Uint16Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  let traits = byte >= 0x80 ? TRAITS.high : byte === 0 ? TRAITS.zero : 0;
  if (char === '%') traits |= TRAITS.percent;
  if (char === '\\') traits |= TRAITS.backslash;
  if (char === '&') traits |= TRAITS.ampersand;
  if (char === '=') traits |= TRAITS.equals;
  if (/\d/.test(char)) traits |= TRAITS.digit;
  if (char === ';') traits |= TRAITS.semicolon;
  if (!/[0-9a-fA-FxX ,:;\-|\t\r\n"']/.test(char)) traits |= TRAITS.notCode;
  if (!/[A-Za-z0-9 \n\r\t,".:-]/.test(char)) traits |= TRAITS.notWord;
  return traits;
});

/** Whether a byte is one that Base64 is written with, in either alphabet. */
export function isOfRun(byte: number): boolean {
  return /[A-Za-z0-9+/_-]/.test(String.fromCharCode(byte));
}

/** Traits of a byte. */
export function traitsOf(byte: number): number {
  return TRAITS_OF[byte] as number;
}

/** Whether a byte has none of some traits. */
export function lacks(byte: number, traits: number): boolean {
  return ((TRAITS_OF[byte] as number) & traits) === 0;
}

/** The block that an index is in. Shifted, not divided: what is divided is no small integer any more, and a loop over it takes six times as long. */
export function blockOf(index: number): number {
  return index >> 3;
}

/** Traits of bytes, block by block, and the same memory two blocks at a time. */
export interface Blocks {
  readonly blocks: Uint16Array;
  readonly pairs: Uint32Array;
}

/**
 * Index of the first byte in [from, to) with a trait that single bytes have, told by their blocks; or `to`. `end`: those are
 * passed by that are told to stand in no text (`inText`) which ends there; null: none is.
 */
export function nextWith(
  bytes: Uint8Array,
  { blocks, pairs }: Blocks,
  trait: number,
  from: number,
  to: number,
  end: number | null = null,
): number {
  const last = blockOf(to - 1);
  const ofEither = trait | (trait << 16);
  for (let block = blockOf(from); block <= last; block++) {
    // Most have none: two of them are passed by at once.
    if ((block & 1) === 0) {
      let pair = block >> 1;
      while (pair << 1 <= last && ((pairs[pair] as number) & ofEither) === 0) pair++;
      block = pair << 1;
      if (block > last) break;
    }
    if (((blocks[block] as number) & trait) === 0) continue;
    if (end !== null && isOutsideText(blocks, block, end)) continue;
    const behind = Math.min(to, (block + 1) * BLOCK);
    for (let at = Math.max(from, block * BLOCK); at < behind; at++)
      if (((TRAITS_OF[bytes[at] as number] as number) & trait) !== 0) return at;
  }
  return to;
}

/** Whether sixteen bytes before each byte of a block, and those from it on, are no text: of text, all but one are, and a whole block is among them. */
function isOutsideText(blocks: Uint16Array, block: number, end: number): boolean {
  if (block < 2 || (block + 3) * BLOCK > end) return false;
  const around = (blocks[block - 1] as number) & (blocks[block] as number) & (blocks[block + 1] as number);
  return (around & TRAITS.notText) !== 0;
}

/** Bytes of one kind in a row, as many as a block is told to have by a trait. `kinds`: of each byte, the kind is one bit of them. */
export interface InARow {
  readonly trait: number;
  readonly count: number;
  readonly kinds: Uint8Array;
  readonly kind: number;
}

/** Index of the first bytes in a row within [from, to), or `to`. */
export function nextInARow(bytes: Uint8Array, blocks: Uint16Array, row: InARow, from: number, to: number): number {
  const { trait, count, kinds, kind } = row;
  const last = blockOf(to - 1);
  for (let block = blockOf(from); block <= last; block++) {
    if (((blocks[block] as number) & trait) === 0) continue;
    // The last of them stands in this block, the first may stand before it.
    const end = Math.min(to, (block + 1) * BLOCK);
    let length = 0;
    for (let at = Math.max(from, block * BLOCK - count + 1); at < end; at++) {
      length = ((kinds[bytes[at] as number] as number) & kind) === 0 ? 0 : length + 1;
      if (length === count) return at + 1 - count;
    }
  }
  return to;
}

/** Index of the first of `count` blocks in a row, all of them within [from, to), that have none of some traits; -1: there are none. */
export function blocksWithout(blocks: Uint16Array, traits: number, count: number, from: number, to: number): number {
  const end = blockOf(to);
  let first = blockOf(from + BLOCK - 1);
  let block = first + count - 1;
  // From the last of them back: where one has the trait, none before it counts.
  while (block < end) {
    while (block >= first && ((blocks[block] as number) & traits) === 0) block--;
    if (block < first) return first * BLOCK;
    first = block + 1;
    block = first + count - 1;
  }
  return -1;
}

/** Copies [from, to) of some bytes into others at `put`. */
export function copyBytes(source: Uint8Array, from: number, to: number, target: Uint8Array, put: number): void {
  if (to - from > SHORT) {
    // Not a view of its own kind: that takes a Buffer as long as the rest.
    target.set(new Uint8Array(source.buffer, source.byteOffset + from, to - from), put);
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
