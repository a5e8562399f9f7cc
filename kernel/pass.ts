import { begin, note, noted } from './traits';
import { compareAll, compareAt, candidates, count, pendingIn, reset } from './literals';
import { decodeAll } from './base64';
import { RESULT, moveStage, stage } from './memory';

/*
 * The scanner's inner loop: one pass over some bytes that finds where literals stand in them and notes the traits of every
 * eight of them, sixteen bytes at a time. Written in AssemblyScript, compiled by `npm run kernel` into
 * src/scan/kernel-bytes.ts. It decides nothing on its own, allocates nothing, and calls nobody.
 */

export { FILTER, FIRST_OF, FOLD, LAYOUT, LIST_OF, REST, RESULT, SEXTETS, SHORT_OF, VECTORS, layout } from './memory';

/** Bytes of text in which something may be found. */
const TEXT: i32 = 8;

/**
 * Reads [from, to) of the stage. Literals may begin from `first` on; hits end behind `from`. `base`: added to the ends of hits.
 * `final`: no more bytes follow. The 32 bytes behind `to` are written over.
 */
export function pass(first: i32, from: i32, to: i32, base: i32, final: bool): void {
  begin();
  read(first, from, to, base, true);
  store<i32>(RESULT, count);
  store<i32>(RESULT, final ? 0 : pendingIn(first, to), 4);
  store<i32>(RESULT, noted(from, to), 8);
}

/** Finds literals and, where they are asked for, traits. */
function read(first: i32, from: i32, to: i32, base: i32, notes: bool): void {
  // Spaces, which have no trait.
  v128.store(stage + to, i8x16.splat(0x20));
  v128.store(stage + to, i8x16.splat(0x20), 16);
  reset();
  const half = i8x16.splat(0x0f);
  for (let at: i32 = 0; at < to; at += 16) {
    const place = stage + at;
    const bytes = v128.load(place);
    const behind = v128.load(place, 1);
    const low = v128.and(bytes, half);
    const high = v128.and(i16x8.shr_u(bytes, 4), half);
    const found = candidates(place, bytes, behind, low, high);
    if (found != 0) compareAt(found, at, first, from, to, base);
    if (notes) note(at, to - at, bytes, behind, low, high);
  }
  // What follows the last bytes is not known: no filter is asked.
  for (let at = max(first, to - 4); at < to; at++) compareAll(at, from, to, base);
}

/**
 * Whether anything may be found in [0, to) of the stage: a literal, or text, of which nothing shorter than eight bytes is looked
 * for. The 32 bytes behind `to` are written over.
 */
export function tells(to: i32): bool {
  if (holdsText(to)) return true;
  read(0, 0, to, 0, false);
  return count > 0;
}

/** Where on the stage characters are decoded to: behind the longest that are decoded at once. */
const DECODED: i32 = 512;

/** The same for what the characters in [0, to) of the stage decode to as Base64, at any alignment. */
export function tellsBase64(to: i32): bool {
  const size = decodeAll(to, DECODED) - DECODED;
  moveStage(DECODED);
  const is = tells(size);
  moveStage(-DECODED);
  return is;
}

/** Text in ASCII, characters of UTF-8, and NUL, which stands between the letters of other encodings. */
function holdsText(to: i32): bool {
  let length = 0;
  for (let at = 0; at < to; at++) {
    const byte = load<u8>(stage + at);
    if (byte < 0x80) {
      length = (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d) || byte == 0 ? length + 1 : 0;
    } else {
      const more = bytesOfCharacter(at, to);
      length = more == 0 ? 0 : length + more;
      at += max(0, more - 1);
    }
    if (length >= TEXT) return true;
  }
  return false;
}

/** Bytes of the character of UTF-8 that begins at a place, beyond ASCII; 0: none does. */
function bytesOfCharacter(at: i32, to: i32): i32 {
  const lead = load<u8>(stage + at);
  const length = lead >= 0xf5 || lead < 0xc2 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (at + length > to) return 0;
  for (let next = at + 1; next < at + length; next++) if ((load<u8>(stage + next) & 0xc0) != 0x80) return 0;
  return length;
}
