import { stage } from './memory';

/** Bits of the latest sixteen bytes. */
const LATEST: i32 = 0xffff0000;

/**
 * Whether there is text in [0, to) of the stage in which something may be found without a literal: twelve bytes in a row, or
 * eight where a telephone number may be, in ASCII, characters of UTF-8, or NUL, which stands between the letters of other
 * encodings. Three bytes behind `to` are none that go on with a character.
 */
export function holdsText(to: i32): bool {
  /** A bit for each of the last 32 bytes that is text. */
  let texts: i32 = 0;
  /** Bits of the next bytes, which belong to a character that began before them. */
  let open: i32 = 0;
  let plus: i32 = 0;
  for (let at: i32 = 0; at < to; at += 16) {
    const place = stage + at;
    const bytes = v128.load(place);
    let is = i8x16.bitmask(plain(bytes)) | open;
    open = 0;
    if (i8x16.bitmask(bytes) != 0) {
      const longer = characters(place, bytes);
      is |= longer;
      open = longer >>> 16;
    }
    if (to - at < 16) is &= (1 << (to - at)) - 1;
    texts = (texts >>> 16) | (is << 16);
    plus |= i8x16.bitmask(v128.and(i8x16.eq(bytes, i8x16.splat(0x2b)), within(v128.load(place, 1), 0x30, 10)));
    const two = texts & (texts << 1);
    const four = two & (two << 2);
    const eight = four & (four << 4) & LATEST;
    if (eight != 0 && (plus != 0 || (eight & (four << 8)) != 0)) return true;
  }
  return false;
}

/** All ones for each byte of text in ASCII, and for NUL. */
function plain(bytes: v128): v128 {
  const printed = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x20)), i8x16.splat(0x5f));
  const spaces = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x09)), i8x16.splat(5));
  return v128.or(v128.or(printed, spaces), i8x16.eq(bytes, i8x16.splat(0)));
}

/** A bit for each byte of the characters beyond ASCII that begin in sixteen bytes, three bytes further at most. */
function characters(place: i32, bytes: v128): i32 {
  const second = goesOn(v128.load(place, 1));
  const third = v128.and(second, goesOn(v128.load(place, 2)));
  const fourth = v128.and(third, goesOn(v128.load(place, 3)));
  const ofTwo = i8x16.bitmask(v128.and(within(bytes, 0xc2, 0x1e), second));
  const ofThree = i8x16.bitmask(v128.and(within(bytes, 0xe0, 0x10), third));
  const ofFour = i8x16.bitmask(v128.and(within(bytes, 0xf0, 0x05), fourth));
  const starts = ofTwo | ofThree | ofFour;
  return starts | (starts << 1) | ((ofThree | ofFour) << 2) | (ofFour << 3);
}

/** All ones for each byte that is none of the first of a character. */
export function goesOn(bytes: v128): v128 {
  return i8x16.lt_s(bytes, i8x16.splat(-64));
}

/** All ones for each of `count` bytes from `first` on. */
export function within(bytes: v128, first: i32, count: i32): v128 {
  return i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(<i8>first)), i8x16.splat(<i8>count));
}
