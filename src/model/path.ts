/** A request path in the one form that is matched *and* sent, or the reason why it has none (POLICY.md, "Endpoints"). */
export interface RequestPath {
  /** As the agent sent it, without the query. */
  readonly raw: string;
  /** Canonical form, or null when the path is malformed. */
  readonly canonical: string | null;
  /** Why there is no canonical form. */
  readonly flaw: string | null;
}

/** Characters that mean the same in every URL parser and need no work: RFC 3986 pchar and "/", without "%". */
const PLAIN = /^(?:\/[A-Za-z0-9_~!$&'()*+,=:@.-]*)+$/;
/** A path of plain characters is canonical unless a segment is empty or starts with a dot. */
const SUSPECT = /\/[/.]/;

/** Longest path that is judged; matching is linear in it. */
export const MAX_PATH = 8192;

/** Splits an origin-form target at the first `?`. The query keeps its bytes; null means there is none. */
export function splitTarget(target: string): { path: string; query: string | null } {
  const mark = target.indexOf('?');
  if (mark === -1) return { path: target, query: null };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

/**
 * Canonicalises once: `%xx` of unreserved characters is decoded, the hex digits of the others are upper-cased
 * (RFC 3986 §6.2.2). What two parsers could read differently has no canonical form: dot segments (also behind `;`
 * parameters), encoded slashes and backslashes, control characters, bytes outside ASCII, empty segments in the middle.
 */
export function canonicalPath(raw: string): RequestPath {
  if (raw.length > MAX_PATH) return flawed(raw, `longer than ${MAX_PATH} characters`);
  if (PLAIN.test(raw) && !SUSPECT.test(raw)) return { raw, canonical: raw, flaw: null };
  if (!raw.startsWith('/')) return flawed(raw, 'does not start with a slash');
  let canonical = '';
  for (let i = 0; i < raw.length; i++) {
    const character = raw.charAt(i);
    if (character !== '%') {
      const flaw = flawOf(raw.charCodeAt(i));
      if (flaw !== null) return flawed(raw, flaw);
      canonical += character;
      continue;
    }
    const hex = raw.slice(i + 1, i + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(hex)) return flawed(raw, 'a percent sign without two hex digits');
    const code = Number.parseInt(hex, 16);
    const flaw = code === 0x2f ? 'an encoded slash' : encodedFlawOf(code);
    if (flaw !== null) return flawed(raw, flaw);
    canonical += isUnreserved(code) ? String.fromCharCode(code) : `%${hex.toUpperCase()}`;
    i += 2;
  }
  const flaw = segmentFlaw(canonical);
  return flaw === null ? { raw, canonical, flaw: null } : flawed(raw, flaw);
}

function flawed(raw: string, flaw: string): RequestPath {
  return { raw, canonical: null, flaw };
}

function flawOf(code: number): string | null {
  if (code === 0x5c) return 'a backslash';
  if (code === 0x23) return 'a fragment';
  if (code <= 0x20 || code === 0x7f) return 'a control character or space';
  return code > 0x7f ? 'a byte outside ASCII that is not percent-encoded' : null;
}

function encodedFlawOf(code: number): string | null {
  if (code === 0x5c) return 'an encoded backslash';
  if (code < 0x20 || code === 0x7f) return 'an encoded control character';
  // C0 and C1 never occur in UTF-8 but as overlong forms of ASCII, "/" and "." among them.
  return code === 0xc0 || code === 0xc1 ? 'an overlong UTF-8 sequence' : null;
}

function segmentFlaw(path: string): string | null {
  const segments = path.split('/');
  for (let i = 1; i < segments.length; i++) {
    const segment = segments[i] ?? '';
    if (segment === '' && i < segments.length - 1) return 'an empty segment';
    const semicolon = segment.indexOf(';');
    const name = semicolon === -1 ? segment : segment.slice(0, semicolon);
    if (name === '.' || name === '..') return 'a dot segment';
  }
  return null;
}

/** RFC 3986 §2.3. */
function isUnreserved(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x5f ||
    code === 0x7e
  );
}
