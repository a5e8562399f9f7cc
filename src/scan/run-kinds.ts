/** Kinds of characters in a run of them that may be encoded; a character is of several. */
export const KIND = {
  /** One that Base64 is written with, in either alphabet. */
  ALPHABET: 1,
  DIGIT: 2,
  UPPER: 4,
  LOWER: 8,
  SYMBOL: 16,
  /** A letter or digit that Base32 lacks, in its upper-case form. */
  NOT_BASE32: 32,
  NOT_HEX: 64,
  NOT_BASE58: 128,
} as const;

/** Kinds of every byte; 0: it is in no run. */
export const KINDS: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => kindsOf(String.fromCharCode(byte)));

function kindsOf(char: string): number {
  const own = /[0-9]/.test(char)
    ? KIND.DIGIT
    : /[A-Z]/.test(char)
      ? KIND.UPPER
      : /[a-z]/.test(char)
        ? KIND.LOWER
        : /[+/_-]/.test(char)
          ? KIND.SYMBOL
          : 0;
  if (own === 0) return 0;
  const base32 = /[A-Za-z2-7]/.test(char) ? 0 : KIND.NOT_BASE32;
  const hex = /[0-9A-Fa-f]/.test(char) ? 0 : KIND.NOT_HEX;
  const base58 = /[1-9A-HJ-NP-Za-km-z]/.test(char) ? 0 : KIND.NOT_BASE58;
  return KIND.ALPHABET | own | base32 | hex | base58;
}
