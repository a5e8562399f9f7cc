/** A set of bytes. */
export type ByteSet = Uint8Array;

export function emptySet(): ByteSet {
  return new Uint8Array(256);
}

/** All bytes from `first` to `last`. */
export function rangeSet(first: number, last: number): ByteSet {
  return emptySet().fill(1, first, last + 1);
}

/** The bytes of a Latin-1 text. */
export function setOf(text: string): ByteSet {
  const set = emptySet();
  for (let i = 0; i < text.length; i++) set[text.charCodeAt(i)] = 1;
  return set;
}

export function union(...sets: readonly ByteSet[]): ByteSet {
  const set = emptySet();
  for (const each of sets) for (let byte = 0; byte < 256; byte++) if (each[byte] === 1) set[byte] = 1;
  return set;
}

export function complement(set: ByteSet): ByteSet {
  return set.map((has) => 1 - has);
}

/** The set with both cases of each ASCII letter in it. */
export function foldSet(set: ByteSet): ByteSet {
  const folded = set.slice();
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    if (set[upper] === 1) folded[upper + 32] = 1;
    if (set[upper + 32] === 1) folded[upper] = 1;
  }
  return folded;
}

export function setSize(set: ByteSet): number {
  let size = 0;
  for (const has of set) size += has;
  return size;
}

export const DIGITS: ByteSet = rangeSet(0x30, 0x39);
export const UPPER: ByteSet = rangeSet(0x41, 0x5a);
export const LOWER: ByteSet = rangeSet(0x61, 0x7a);
/** `\w`: what RE2 calls a word byte; `\b` stands between one of these and another byte. */
export const WORD: ByteSet = union(DIGITS, UPPER, LOWER, setOf('_'));
/** `\s` of RE2: no vertical tab. */
export const SPACE: ByteSet = setOf('\t\n\f\r ');
