import { decodeUtf8 } from './text.ts';

/** One part of a form (RFC 7578). */
export interface Part {
  readonly name: string;
  /** Null: the part is a field, not a file. */
  readonly filename: string | null;
  /** Declared media type in lower case, without parameters; null where none is declared. */
  readonly type: string | null;
  readonly bytes: Buffer;
}

const MAX_PARTS = 1000;
const MAX_HEAD = 4096;
const CRLFCRLF = Buffer.from('\r\n\r\n');

/**
 * Reads a form as the strictest reader would: parsers differ on preambles, bare line feeds, unquoted and doubled names, and
 * whoever differs sees another form. Null where there is more than one reading.
 */
export function parseMultipart(bytes: Buffer, boundary: string): Part[] | null {
  if (!/^[0-9A-Za-z'()+_,./:=?-]{1,70}$/.test(boundary)) return null;
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  const parts: Part[] = [];
  // The first delimiter has no line before it: no preamble.
  if (bytes.subarray(0, delimiter.length - 2).compare(delimiter, 2) !== 0) return null;
  let at = delimiter.length - 2;
  for (;;) {
    const after = bytes.toString('latin1', at, at + 2);
    if (after === '--') return isEnd(bytes.subarray(at + 2)) ? parts : null;
    if (after !== '\r\n' || parts.length >= MAX_PARTS) return null;
    const next = bytes.indexOf(delimiter, at);
    if (next === -1) return null;
    const part = parsePart(bytes.subarray(at + 2, next));
    if (part === null) return null;
    parts.push(part);
    at = next + delimiter.length;
  }
}

/** Behind the last delimiter: nothing, or the end of a line. */
function isEnd(rest: Buffer): boolean {
  return rest.length === 0 || rest.equals(Buffer.from('\r\n'));
}

function parsePart(bytes: Buffer): Part | null {
  const end = bytes.indexOf(CRLFCRLF);
  if (end === -1 || end > MAX_HEAD) return null;
  const head = decodeUtf8(bytes.subarray(0, end));
  if (head === null) return null;
  let disposition: { name: string; filename: string | null } | null = null;
  let type: string | null = null;
  for (const line of head.split('\r\n')) {
    const match = /^([A-Za-z-]+):[ \t]*([^\r\n\0]*)$/.exec(line);
    if (match === null) return null;
    const value = (match[2] ?? '').trim();
    switch (match[1]?.toLowerCase()) {
      case 'content-disposition':
        if (disposition !== null) return null;
        disposition = parseDisposition(value);
        if (disposition === null) return null;
        break;
      case 'content-type':
        if (type !== null) return null;
        type = /^[^;]*/.exec(value)?.[0].trim().toLowerCase() ?? '';
        break;
      case 'content-length':
        break;
      // A transfer encoding (deprecated by RFC 7578 §4.7) would hide the bytes from whoever does not undo it.
      default:
        return null;
    }
  }
  return disposition === null ? null : { ...disposition, type, bytes: bytes.subarray(end + CRLFCRLF.length) };
}

/** `form-data; name="…"[; filename="…"]`, each once and quoted, without escapes: readers differ on all else. */
function parseDisposition(value: string): { name: string; filename: string | null } | null {
  const match = /^form-data;[ \t]*name="([^"\\]*)"(?:;[ \t]*filename="([^"\\]*)")?$/i.exec(value);
  return match === null ? null : { name: match[1] ?? '', filename: match[2] ?? null };
}
