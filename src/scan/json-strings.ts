const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;

/** Longer strings are whole. */
const LONGEST = 4096;
/** Bytes of short strings that are looked at. */
const MOST = 16 * 1024;
const SHORT = 96;

/** Strings of a JSON text that may be parts of something larger: values without a space in them. */
export interface JsonValues {
  /** Index of each without its quotes, and the index behind it. */
  readonly places: readonly number[];
  /** The name before each: its index and the index behind it; both 0 where there is none. */
  readonly names: readonly number[];
}

/** Finds the strings of a JSON text, or of whatever calls itself one. A part of a secret has no spaces in it; sentences have. */
export function valuesIn(body: Uint8Array): JsonValues {
  const { length } = body;
  const places: number[] = [];
  const names: number[] = [];
  let size = 0;
  let nameFrom = 0;
  let nameTo = 0;
  for (let at = body.indexOf(QUOTE); at !== -1 && at < length && size < MOST; at = nextQuote(body, at + 1)) {
    const from = at + 1;
    let hasSpace = false;
    for (at = from; at < length; at++) {
      const byte = body[at] as number;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) at++;
      else if (byte <= SPACE) hasSpace = true;
    }
    const to = Math.min(at, length);
    let behind = to + 1;
    while (behind < length && (body[behind] as number) <= SPACE) behind++;
    if (body[behind] === COLON) [nameFrom, nameTo] = [from, to];
    else if (!hasSpace && to > from && to - from <= LONGEST) {
      places.push(from, to);
      names.push(nameFrom, nameTo);
      if (to - from <= SHORT) size += to - from;
    }
  }
  return { places, names };
}

/** Index of the next quote; -1: there is none. */
function nextQuote(body: Uint8Array, from: number): number {
  for (let at = from; at < body.length; at++) if (body[at] === QUOTE) return at;
  return -1;
}
