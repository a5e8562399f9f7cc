/** Longest name that is told; longer ones are cut, for whoever chose them may have put something in. */
const LONGEST_NAME = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What stands at an offset of `path?query`, in words. */
export function placeInTarget(target: string, offset: number): string {
  const question = target.indexOf('?');
  if (question === -1 || offset < question) return 'the path';
  const start = target.lastIndexOf('&', offset - 1) + 1;
  const part = target.slice(Math.max(start, question + 1));
  const end = part.search(/[=&]/);
  const name = end === -1 ? '' : part.slice(0, end);
  return isPlain(name) ? `query parameter ${name}` : 'the query';
}

/** The field of header lines (each with a CRLF before it) at an offset, by its name. */
export function placeInFields(lines: string, offset: number): string {
  const start = lines.lastIndexOf('\r\n', offset) + 2;
  return `header ${lines.slice(start, lines.indexOf(':', start)).toLowerCase().slice(0, LONGEST_NAME)}`;
}

/** The member of a JSON text, as a JSON Pointer (RFC 6901), the field of a form, or the byte, at an offset of a body. */
export function placeInBody(body: Uint8Array, offset: number, mediaType: string | null): string {
  if (mediaType === 'application/x-www-form-urlencoded') {
    const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1');
    const place = placeInTarget(`?${text}`, offset + 1);
    return place.replace('query parameter', 'field');
  }
  if (mediaType === null || !/[/+]json$/.test(mediaType)) return `byte ${offset} of the body`;
  return pointerAt(body, offset) ?? `byte ${offset} of the body`;
}

/** Names are shown only where they are evidently names. */
function isPlain(name: string): boolean {
  return (
    name.length > 0 &&
    name.length <= LONGEST_NAME &&
    /^[A-Za-z][A-Za-z0-9_.[\]-]*$/.test(name) &&
    !/[A-Za-z0-9]{33}/.test(name)
  );
}

interface Level {
  readonly array: boolean;
  index: number;
  name: string;
}

/** Walks through a JSON text up to an offset; null where it is none. */
function pointerAt(body: Uint8Array, offset: number): string | null {
  const levels: Level[] = [];
  let key = true;
  for (let at = 0; at < body.length && at <= offset; at++) {
    const byte = body[at] as number;
    const level = levels.at(-1);
    if (byte === QUOTE) {
      const end = stringEnd(body, at);
      if (level !== undefined && !level.array && key) {
        if (offset <= end) return pointerOf(levels.slice(0, -1), 'a name in ');
        level.name = Buffer.from(body.buffer, body.byteOffset + at + 1, end - at - 1).toString('utf8');
      }
      at = end;
      continue;
    }
    if (byte === 0x7b || byte === 0x5b) {
      levels.push({ array: byte === 0x5b, index: 0, name: '' });
      key = byte === 0x7b;
    } else if (byte === 0x7d || byte === 0x5d) {
      levels.pop();
    } else if (byte === 0x3a) key = false;
    else if (byte === 0x2c && level !== undefined) {
      level.index++;
      key = !level.array;
    }
    if (levels.length > 200) return null;
  }
  return levels.length === 0 ? null : pointerOf(levels, '');
}

function pointerOf(levels: readonly Level[], prefix: string): string {
  const steps = levels.map(({ array, index, name }) => (array ? String(index) : isPlain(name) ? name : '…'));
  return `${prefix}${steps.length === 0 ? 'the body' : `/${steps.join('/')}`}`;
}

function stringEnd(body: Uint8Array, at: number): number {
  let end = at + 1;
  while (end < body.length && body[end] !== QUOTE) end += body[end] === BACKSLASH ? 2 : 1;
  return end;
}
