/** Stands for what is no escape. */
export const NO_ESCAPE = -1;

/** What an escape was, as one number: bytes it took, and up to seven that it stands for. There are millions of them. */
export function escapeOf(read: number, written: number): number {
  return (read << 3) | written;
}

/** Bytes an escape took. */
export function readOf(escape: number): number {
  return escape >> 3;
}

/** Bytes an escape stands for. */
export function writtenOf(escape: number): number {
  return escape & 7;
}

/** A format in which most text stands for itself, and escapes for what else is in it. */
export interface Escapes {
  readonly format: string;
  /** The trait that the first byte of every escape has, and no other byte (`TRAITS`). */
  readonly trait: number;
  /** A trait of all that may have escapes in it, read as one. */
  readonly asks: number;
  /** Most bytes an escape has. */
  readonly longest: number;
  /** Whether the escape hides what it stands for. Those that only mark the ends of lines and strings break up nobody's secret. */
  hides(bytes: Uint8Array, at: number): boolean;
  /**
   * Decodes the escape that begins at `at` into `out` at `put` (at most four bytes), and returns what it was (`escapeOf`);
   * NO_ESCAPE where none does. Bytes behind the end of all are 0.
   */
  decode(bytes: Uint8Array, at: number, out: Uint8Array, put: number): number;
}

/** Writes a character as UTF-8; returns the number of bytes. Halves of pairs are written as they are. */
export function putUtf8(code: number, out: Uint8Array, put: number): number {
  if (code < 0x80) {
    out[put] = code;
    return 1;
  }
  if (code < 0x800) {
    out[put] = 0xc0 | (code >> 6);
    out[put + 1] = 0x80 | (code & 0x3f);
    return 2;
  }
  if (code < 0x10000) {
    out[put] = 0xe0 | (code >> 12);
    out[put + 1] = 0x80 | ((code >> 6) & 0x3f);
    out[put + 2] = 0x80 | (code & 0x3f);
    return 3;
  }
  out[put] = 0xf0 | ((code >> 18) & 7);
  out[put + 1] = 0x80 | ((code >> 12) & 0x3f);
  out[put + 2] = 0x80 | ((code >> 6) & 0x3f);
  out[put + 3] = 0x80 | (code & 0x3f);
  return 4;
}
