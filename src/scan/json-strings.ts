const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const SPACE = 0x20;

/** Told of a string of a JSON text: its indices without the quotes, whether it is a member's name, and whether spaces are in it. */
export type StringListener = (from: number, to: number, isName: boolean, hasSpace: boolean) => boolean;

/** Finds the strings of a JSON text, or of whatever calls itself one, until the listener has had enough (false). */
export function eachString(body: Uint8Array, listener: StringListener): void {
  const { length } = body;
  for (let at = 0; at < length; at++) {
    if (body[at] !== QUOTE) continue;
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
    if (!listener(from, to, body[behind] === COLON, hasSpace)) return;
  }
}
