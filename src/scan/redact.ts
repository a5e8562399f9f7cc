import type { Finding } from '../model/finding.ts';

/** What ends what was encoded, where a finding was made through a decoder. */
const ENDS = new Set([...' \t\r\n"\'<>&=,;(){}[]'].map((char) => char.charCodeAt(0)));
const MARK = /[^\w -]/g;

/**
 * The body with what was found taken out, the name of its family in its place. Null where the rest would not be what it was:
 * JSON that no longer is JSON.
 */
export function redact(body: Buffer, findings: readonly Finding[], json: boolean): Buffer | null {
  const redacted = splice(body, findings, (family) => `[redacted ${family.replace(MARK, '')}]`);
  if (!json || isJson(redacted)) return redacted;
  // A number: zeros stand in its place.
  const zeros = splice(body, findings, () => '0');
  return isJson(zeros) ? zeros : null;
}

/** The body without what was found in it. */
export function without(body: Buffer, findings: readonly Finding[]): Buffer {
  return splice(body, findings, () => '');
}

function splice(body: Buffer, findings: readonly Finding[], mark: (family: string) => string): Buffer {
  const ranges = findings
    .map((finding) => ({ ...extentOf(body, finding), mark: mark(finding.family) }))
    .sort((a, b) => a.from - b.from || b.to - a.to);
  const pieces: Buffer[] = [];
  let at = 0;
  for (const range of ranges) {
    if (range.from < at) {
      at = Math.max(at, range.to);
      continue;
    }
    pieces.push(body.subarray(at, range.from), Buffer.from(range.mark));
    at = range.to;
  }
  pieces.push(body.subarray(at));
  return Buffer.concat(pieces);
}

/** Where a finding stands, with all of what it was decoded from: from the delimiter before it to the one behind. */
export function extentOf(
  body: Buffer,
  { offset, length, via }: Finding,
): { readonly from: number; readonly to: number } {
  let from = Math.min(offset, body.length);
  let to = Math.min(offset + length, body.length);
  if (via.length === 0) return { from, to };
  while (from > 0 && !ENDS.has(body[from - 1] as number)) from--;
  while (to < body.length && !ENDS.has(body[to] as number)) to++;
  return { from, to };
}

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}
