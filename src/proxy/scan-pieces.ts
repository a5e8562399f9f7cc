import type { Finding } from '../model/finding.ts';
import { APART, copyBytes } from '../scan/bytes.ts';
import type { Fragment } from '../scan/fragments.ts';
import { without } from '../scan/redact.ts';
import type { Scanner } from '../scan/scanner.ts';
import type { Sequel } from '../scan/trail.ts';
import type { Inspection, Part } from './inspection.ts';
import type { KnownTexts } from './known-texts.ts';

/** One thing that leaves, and how what stands in it is told. */
export interface Piece {
  readonly bytes: Buffer;
  readonly part: Part;
  whereOf(offset: number): string;
  /** The same without what stands between its parts, for secrets that were cut up; null where there is nothing to join. */
  join(bytes: Buffer): Buffer | null;
  readonly joinedWhere: string;
  /** Parts of it that may go on with others. */
  readonly fragments: readonly Fragment[];
  /** Those, where it was scanned before and nothing was found in it; undefined: it was not. */
  known(texts: KnownTexts): readonly Fragment[] | undefined;
  /** Nothing was found in it. */
  remember(texts: KnownTexts): void;
}

const NOTHING: readonly Finding[] = [];
export const NOTHING_TO_JOIN = (): null => null;

/**
 * Scans all pieces, as they are, joined, and behind what was sent before, in one go; returns what is to be taken out of the
 * body. Throws, or rejects with, the denial.
 */
export function scanPieces(
  pieces: readonly Piece[],
  inspection: Inspection,
): readonly Finding[] | Promise<readonly Finding[]> {
  const fragments: Fragment[] = [];
  const fresh: Piece[] = [];
  for (const piece of pieces) {
    const known = inspection.known(piece);
    if (known === undefined) fresh.push(piece);
    for (const fragment of known ?? piece.fragments) fragments.push(fragment);
  }
  const sequel = inspection.sequel(fragments);
  const found = fresh.length === 0 && sequel.size === 0 ? NOTHING : inspection.scan(together(fresh, sequel));
  const judged = (findings: readonly Finding[]): readonly Finding[] => {
    if (findings.length > 0) return judgePieces(fresh, fragments, findings, inspection);
    sequel.keep();
    return findings;
  };
  // By the time another thread is done, something else may be looked for.
  if (found instanceof Promise) return found.then(judged);
  if (found.length === 0) inspection.remember(fresh);
  return judged(found);
}

/** Where pieces that are small together are put side by side; used up before anything else is. */
const SCRATCH = Buffer.allocUnsafe(64 * 1024);

/** All pieces, what they are without what stands between their parts, and what they make of earlier ones; set apart. */
function together(pieces: readonly Piece[], sequel: Sequel): Buffer {
  const all: Buffer[] = [];
  for (const { bytes } of pieces) all.push(bytes);
  for (const piece of pieces) {
    const joined = piece.join(piece.bytes);
    if (joined !== null) all.push(joined);
  }
  let size = sequel.size;
  for (const { length } of all) size += length + APART.length;
  const whole = size <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(size);
  let at = 0;
  for (const bytes of all) {
    copyBytes(bytes, 0, bytes.length, whole, at);
    at += bytes.length;
    copyBytes(APART, 0, APART.length, whole, at);
    at += APART.length;
  }
  return whole.subarray(0, sequel.write(whole, at));
}

function judgePieces(
  pieces: readonly Piece[],
  fragments: readonly Fragment[],
  found: readonly Finding[],
  inspection: Inspection,
): readonly Finding[] {
  const scanner = inspection.take();
  const findings = [...found].sort((a, b) => a.offset - b.offset);
  const redactions: Finding[] = [];
  let from = 0;
  for (const piece of pieces) {
    const next = from + piece.bytes.length + APART.length;
    const own = findings
      .filter(({ offset }) => offset >= from && offset < next)
      .map((each) => ({ ...each, offset: each.offset - from }));
    if (piece.part === 'body') inspection.transcript?.foundInBody('to-upstream', own);
    else inspection.transcript?.foundInHead(piece.bytes, own);
    redactions.push(...inspection.judge(own, 'to-upstream', piece.part, (offset) => piece.whereOf(offset)));
    judgeJoined(piece, own, scanner, inspection);
    from = next;
  }
  judgeSequel(fragments, scanner, inspection);
  inspection.give(scanner);
  return redactions;
}

/** What is made of several requests is judged without what stands whole in one part: that was judged for itself. */
function judgeSequel(fragments: readonly Fragment[], scanner: Scanner, inspection: Inspection): void {
  const parts = fragments.map((fragment) => {
    const bytes = Buffer.from(fragment.text, 'latin1');
    const whole = inspection.run(() => scanner.wholeBytes(bytes)).filter(isMade);
    return whole.length === 0 ? fragment : fragment.as(without(bytes, whole));
  });
  const sequel = inspection.sequel(parts);
  if (sequel.size > 0) {
    const bytes = Buffer.alloc(sequel.size);
    sequel.write(bytes, 0);
    const found = inspection.run(() => scanner.wholeBytes(bytes));
    const made = found.filter((each) => isMade(each) && sequel.spans(each.offset, each.length));
    inspection.transcript?.foundInParts('to-upstream', made);
    const [redaction] = inspection.judge(made, 'to-upstream', 'body', () => SEVERAL);
    if (redaction !== undefined) inspection.refuse(redaction, SEVERAL);
  }
  sequel.keep();
}

const SEVERAL = 'parts of several requests';
/** It is too long to be made of parts by chance, and would stop a request. */
function isMade({ family, severity }: Finding): boolean {
  return severity !== 'low' && (family === 'secrets' || family === 'registered-values');
}

/** What is found joined is judged where all that stands whole has been taken out: each is told of once, and none hides another. */
function judgeJoined(piece: Piece, own: readonly Finding[], scanner: Scanner, inspection: Inspection): void {
  const { bytes, part, joinedWhere } = piece;
  const joined = piece.join(own.length === 0 ? bytes : without(bytes, own));
  if (joined === null) return;
  const findings = inspection.run(() => scanner.wholeBytes(joined));
  inspection.transcript?.foundInParts('to-upstream', findings);
  const [redaction] = inspection.judge(findings, 'to-upstream', part, () => joinedWhere);
  if (redaction !== undefined) inspection.refuse(redaction, joinedWhere);
}
