import { GENESIS } from './chain.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { VerifierKey } from './signed-note.ts';
import { SegmentVerifier, type Depth, type VerifiedSegment } from './verify.ts';

/** A segment of a log, and what was found. */
export interface CheckedSegment extends VerifiedSegment {
  readonly name: string;
  /** What it does not continue as it should; null: it does. */
  readonly break: string | null;
}

export interface CheckedLane {
  readonly segments: readonly CheckedSegment[];
  /** Events behind the last checkpoint there is: sealed, and not signed yet. */
  readonly unsigned: number;
}

/** Reads a segment, piece by piece. */
export type ReadSegment = (name: string) => Iterable<Uint8Array>;

/**
 * Verifies the segments of one lane, oldest first: each for itself, and that each continues the one before. `from`: name of the first
 * that is looked at, which may continue what is not there.
 */
export function verifyLane(
  names: readonly string[],
  read: ReadSegment,
  trusted: readonly VerifierKey[],
  { from = names[0] ?? '', depth = 'trees' }: { readonly from?: string | undefined; readonly depth?: Depth } = {},
): CheckedLane {
  const segments: CheckedSegment[] = [];
  let keys = trusted;
  let unsigned = 0;
  for (const name of names.slice(names.indexOf(from))) {
    const before = segments.at(-1) ?? null;
    const verifier = new SegmentVerifier(before?.last ?? GENESIS, keys, depth);
    for (const piece of read(name)) verifier.push(piece);
    const report = verifier.end();
    keys = [...new Set([...keys, ...verifier.signers])];
    segments.push({ ...report, name, break: breakOf(report, before, segments) });
    unsigned = report.checkpoints.length === 0 ? unsigned + report.events : unsignedOf(report);
  }
  return { segments: forgiven(segments), unsigned };
}

/** A checkpoint's own event needs no other. */
function unsignedOf({ events, checkpoints }: VerifiedSegment): number {
  return Math.max(0, events - (checkpoints.at(-1)?.size ?? 0) - 1);
}

function breakOf(
  { header }: VerifiedSegment,
  before: CheckedSegment | null,
  earlier: readonly CheckedSegment[],
): string | null {
  // What was cut short before its first line continues what stood before, by its bytes.
  if (before === null || header === null) return null;
  const { previous, continues, torn } = header;
  if (previous !== before.name) {
    const forks = earlier.some(({ name }) => name === previous) || previous === null;
    return forks
      ? `a fork: it continues ${previous ?? 'nothing'}, as another segment does, and not ${before.name}`
      : `${String(previous)}, which it continues, is missing`;
  }
  if (continues !== before.last) return `${previous}, which it continues, is not what it was then`;
  return torn === before.torn
    ? null
    : `${previous} ended with ${torn} bytes behind its last seal, and now with ${before.torn}`;
}

/** A write that a crash cut short is no fault where the next segment tells of it. */
function forgiven(segments: readonly CheckedSegment[]): CheckedSegment[] {
  return segments.map((segment, index) => {
    const next = segments[index + 1];
    const told = segment.torn > 0 && next !== undefined && next.break === null;
    return told ? { ...segment, ok: true, problem: null } : segment;
  });
}

/** What is wrong with a log that should hold a checkpoint of an earlier day; null: it does. */
export function missing(expected: Checkpoint, segments: readonly CheckedSegment[]): string | null {
  const segment = segments.find(({ header }) => header?.origin === expected.origin);
  if (segment === undefined) return `there is no segment ${expected.origin}`;
  const found = segment.checkpoints.find(({ size }) => size === expected.size);
  if (found === undefined)
    return `${segment.name} holds no checkpoint over ${expected.size} events: it was cut or written anew`;
  if (found.root === expected.root && found.seal === expected.seal) return null;
  return `${segment.name} is not the one that was signed then: its first ${expected.size} events are others`;
}
