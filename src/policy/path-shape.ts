/** A place in a path where an identifier stands, and what stood there. */
interface Hole {
  readonly value: string;
  /** It may be a secret: it is never written down. */
  readonly opaque: boolean;
}

/** A path as the texts that stay the same and the identifiers between them. */
export interface PathShape {
  /** Equal for paths that differ in identifiers alone. */
  readonly key: string;
  /** Texts around the holes: one more than there are holes. */
  readonly texts: readonly string[];
  readonly holes: readonly Hole[];
}

/** Escapes, numbers and what looks like them (1.2.3, 2026-11-21), and other runs of letters and digits. */
const PARTS = /%[0-9A-Fa-f]{2}|\d+(?:[.:-]\d+)*(?![A-Za-z0-9])|[A-Za-z0-9]+/g;
/** A word with a number behind it: its number alone may be what varies. */
const NUMBERED_WORD = /^([A-Za-z]+)(\d+)$/;
/** Shorter mixtures of letters and digits are names: x86, s3, ipv4. */
const MIN_MIXED = 6;
/** `v1` says which API, not which thing. */
const API_VERSION = /^v\d+(?:\.\d+)*(?:(?:alpha|beta)\d*)?$/i;
/** Shorter ones are words. */
const MIN_OPAQUE = 16;
/** From here on a number in the middle is enough: no name is that long. */
const LONG = 24;
/** The same for what punctuation takes apart. */
const MIN_OPAQUE_PARTS = 24;
const HOLE = '\u0000';

/**
 * Splits a canonical path into what names an operation and what names a thing. Numbers are identifiers; so are long runs of
 * mixed characters, which may be secrets as well (keys in the path of a webhook, say).
 */
export function shapeOf(path: string): PathShape {
  const texts: string[] = [];
  const holes: Hole[] = [];
  let text = '';
  const hole = (value: string, opaque: boolean): void => {
    texts.push(text);
    text = '';
    holes.push({ value, opaque });
  };
  for (const segment of path.slice(1).split('/')) {
    text += '/';
    if (isOpaque(segment)) hole(segment, true);
    else if (API_VERSION.test(segment)) text += segment;
    else {
      let at = 0;
      for (const { 0: part, index } of segment.matchAll(PARTS)) {
        const start = index + literalLength(part);
        if (start === index + part.length) continue;
        text += segment.slice(at, start);
        at = index + part.length;
        hole(segment.slice(start, at), false);
      }
      text += segment.slice(at);
    }
  }
  texts.push(text);
  return { key: texts.join(HOLE), texts, holes };
}

/** How much of a part of a segment is no identifier: all of it, what stands before its number, or nothing. */
function literalLength(part: string): number {
  if (/^\d/.test(part) && !/[A-Za-z]/.test(part)) return 0;
  const numbered = NUMBERED_WORD.exec(part);
  if (numbered !== null) return (numbered[1] as string).length;
  const digits = part.replaceAll(/\D/g, '').length;
  return part.length >= MIN_MIXED && digits >= 2 && !part.startsWith('%') ? 0 : part.length;
}

/** How keys that say what they are begin: of model APIs, code hosts, clouds, chats; and JSON Web Tokens. */
const KEY =
  /(?:^|[^A-Za-z0-9])(?:sk|pk|rk|gh[opsur]|github_pat|glpat|npm|pypi|xox[a-z]|AKIA|ASIA|AIza|ya29|eyJ)[-_.]?[-_.A-Za-z0-9]{12,}/;

/** Whether a segment may be a secret, or an identifier that nobody would read: when in doubt, it is. */
export function isOpaque(segment: string): boolean {
  const text = segment.replaceAll(/%[0-9A-Fa-f]{2}/g, '-');
  if (/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i.test(text)) return true;
  if (KEY.test(text) && /\d/.test(text)) return true;
  return (
    text.split(/[^A-Za-z0-9]+/).some((run) => isRandom(run, MIN_OPAQUE) || isLong(run)) ||
    isRandom(text.replaceAll(/[^A-Za-z0-9]/g, ''), MIN_OPAQUE_PARTS)
  );
}

/** So many letters with a number among them. */
function isLong(run: string): boolean {
  return run.length >= LONG && /\d/.test(run) && /[A-Za-z]/.test(run) && !NUMBERED_WORD.test(run);
}

/** Letters and digits as no word mixes them. */
function isRandom(run: string, least: number): boolean {
  if (run.length < least || /^\d+$/.test(run)) return false;
  if (/^[0-9a-f]+$/i.test(run)) return true;
  const kinds = run.match(/[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? [];
  // A word changes kind where its parts meet; a key changes every few characters.
  if (run.length / kinds.length < 3) return true;
  return !/[aeiouy]/i.test(run.slice(1, -1));
}
