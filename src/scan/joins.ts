const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Longer strings hold no part of a secret that was cut up: cutting makes short ones. */
const LONGEST = 96;
/** Bytes of the shortest secret. */
const SHORTEST = 16;
const LINE_FEED = 0x0a;
/** Bytes of joined text. */
const MOST = 16 * 1024;

/** Segments of a path and values of a query without what parts them; null where there is nothing to join. */
export function joinedTarget(target: string): Buffer | null {
  const question = target.indexOf('?');
  const segments = (question === -1 ? target : target.slice(0, question)).split('/').filter((part) => part !== '');
  const pairs = question === -1 ? [] : target.slice(question + 1).split('&');
  if (pairs.length < 2 && segments.length < 3) return null;
  const values = pairs.map((pair) => pair.slice(pair.indexOf('=') + 1));
  const joined = `${segments.join('')} ${values.join('')} ${values.toReversed().join('')}`;
  return Buffer.from(joined.slice(0, MOST), 'latin1');
}

/** The short strings of a JSON text without what stands between them: values, then values in reverse. */
export function joinedStrings(body: Uint8Array): Buffer | null {
  const places: number[] = [];
  let size = 0;
  let at = body.indexOf(QUOTE);
  while (at !== -1 && size < MOST) {
    let end = at + 1;
    while (end < body.length && body[end] !== QUOTE) end += body[end] === BACKSLASH ? 2 : 1;
    if (end - at - 1 <= LONGEST && end > at + 2 && isToken(body, at + 1, end) && !isName(body, end)) {
      places.push(at + 1, Math.min(end, body.length));
      size += end - at - 1;
    }
    at = end >= body.length ? -1 : body.indexOf(QUOTE, end + 1);
  }
  // Less than the shortest secret is no secret cut up.
  if (places.length < 4 || size < SHORTEST) return null;
  const joined = Buffer.allocUnsafe(2 * size + 1);
  let put = 0;
  const copy = (place: number): void => {
    for (let from = places[place] as number; from < (places[place + 1] as number); from++)
      joined[put++] = body[from] as number;
  };
  for (let place = 0; place < places.length; place += 2) copy(place);
  joined[put++] = LINE_FEED;
  for (let place = places.length - 2; place >= 0; place -= 2) copy(place);
  return joined.subarray(0, put);
}

/** A part of a secret has no spaces in it; sentences have. */
function isToken(body: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if ((body[at] as number) <= 0x20) return false;
  return true;
}

/** A string with a colon behind it is a member's name. */
function isName(body: Uint8Array, end: number): boolean {
  let at = end + 1;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at++;
  return body[at] === 0x3a;
}
