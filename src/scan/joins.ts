const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Longer strings hold no part of a secret that was cut up: cutting makes short ones. */
const LONGEST = 96;
/** Bytes of joined text. */
const MOST = 16 * 1024;

/** Values of a path and query without what parts them, for secrets that were cut up; null where there is nothing to join. */
export function joinedTarget(path: string, query: string | null): string | null {
  const segments = path.split('/');
  if (query === null && segments.length < 4) return null;
  const values = query === null ? [] : query.split('&').map((pair) => pair.slice(pair.indexOf('=') + 1));
  const parts = segments.filter((part) => part !== '');
  if (values.length < 2 && parts.length < 3) return null;
  return `${parts.join('')} ${values.join('')} ${values.toReversed().join('')}`.slice(0, MOST);
}

/** The short strings of a JSON text without what stands between them: values, then values in reverse. */
export function joinedStrings(body: Uint8Array): Buffer | null {
  const parts: Buffer[] = [];
  let size = 0;
  let at = body.indexOf(QUOTE);
  while (at !== -1 && size < MOST) {
    let end = at + 1;
    while (end < body.length && body[end] !== QUOTE) end += body[end] === BACKSLASH ? 2 : 1;
    if (end - at - 1 <= LONGEST && end > at + 1 && !isName(body, end)) {
      parts.push(Buffer.from(body.buffer, body.byteOffset + at + 1, end - at - 1));
      size += end - at - 1;
    }
    at = end >= body.length ? -1 : body.indexOf(QUOTE, end + 1);
  }
  if (parts.length < 2) return null;
  return Buffer.concat([...parts, Buffer.from('\n'), ...parts.toReversed()]);
}

/** A string with a colon behind it is a member's name. */
function isName(body: Uint8Array, end: number): boolean {
  let at = end + 1;
  while (body[at] === 0x20 || body[at] === 0x0a || body[at] === 0x0d || body[at] === 0x09) at++;
  return body[at] === 0x3a;
}
