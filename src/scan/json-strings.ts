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

/** What ends a string, or tells that it is no part of anything: every other byte is passed by one look-up. */
const PLAIN = 0;
const SPACED = 1;
const MARK = 2;
const KIND = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === QUOTE || byte === BACKSLASH ? MARK : byte <= SPACE ? SPACED : PLAIN,
);

/** Finds the strings of a JSON text, or of whatever calls itself one. A part of a secret has no spaces in it; sentences have. */
export function valuesIn(body: Uint8Array): JsonValues {
  const { length } = body;
  const places: number[] = [];
  const names: number[] = [];
  let size = 0;
  let nameFrom = 0;
  let nameTo = 0;
  for (let at = 0; at < length && size < MOST; at++) {
    if (body[at] !== QUOTE) continue;
    const from = at + 1;
    let kinds = PLAIN;
    for (at = from; at < length; at++) {
      const kind = KIND[body[at] as number] as number;
      if (kind === PLAIN) continue;
      kinds |= kind;
      if (kind === SPACED) continue;
      if (body[at] === QUOTE) break;
      at++;
    }
    const to = at < length ? at : length;
    let behind = to + 1;
    while (behind < length && (body[behind] as number) <= SPACE) behind++;
    if (behind < length && body[behind] === COLON) {
      nameFrom = from;
      nameTo = to;
    } else if ((kinds & SPACED) === 0 && to > from && to - from <= LONGEST) {
      places.push(from, to);
      names.push(nameFrom, nameTo);
      if (to - from <= SHORT) size += to - from;
    }
  }
  return { places, names };
}
