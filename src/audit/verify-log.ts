import { GENESIS } from './chain.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { VerifierKey } from './signed-note.ts';
import { readTombstone, type Tombstone } from './tombstone.ts';
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
  /** Events of segments that were removed, as their tombstones say. */
  readonly removed: number;
}

/** Reads a segment, piece by piece. */
export type ReadSegment = (name: string) => Iterable<Uint8Array>;

export interface LaneOptions {
  readonly depth?: Depth;
  /** What stands in place of segments that were removed. */
  readonly tombstones?: readonly string[];
  /** Name of the first segment that is looked at, which may continue what is not; undefined: the oldest there is, which may not. */
  readonly from?: string | undefined;
}

/** Verifies the segments of one lane, oldest first: each for itself, and that each continues the one before, or a tombstone. */
export function verifyLane(
  names: readonly string[],
  read: ReadSegment,
  trusted: readonly VerifierKey[],
  { depth = 'trees', tombstones = [], from }: LaneOptions = {},
): CheckedLane {
  const segments: CheckedSegment[] = [];
  let keys = trusted;
  let unsigned = 0;
  for (const name of from === undefined ? names : names.slice(names.indexOf(from))) {
    const before = segments.at(-1) ?? null;
    const verifier = new SegmentVerifier(before?.last ?? GENESIS, keys, depth);
    for (const piece of read(name)) verifier.push(piece);
    const report = verifier.end();
    keys = [...new Set([...keys, ...verifier.signers])];
    segments.push({ ...report, name, break: before === null ? null : breakOf(report, before, segments) });
    unsigned = report.checkpoints.length === 0 ? unsigned + report.events : unsignedOf(report);
  }
  // By now the keys are known that were endorsed since.
  const graves = tombstones.flatMap((note) => readTombstone(note, keys) ?? []);
  const [oldest] = segments;
  if (oldest !== undefined && from === undefined) segments[0] = { ...oldest, break: beginningOf(oldest, graves) };
  const removed = graves.flatMap((each) => each.segments).reduce((sum, { events }) => sum + events, 0);
  return { segments: forgiven(segments), unsigned, removed };
}

/** Whether the oldest segment there is begins the log, or continues what tombstones say was removed; null: it does. */
function beginningOf({ header }: VerifiedSegment, tombstones: readonly Tombstone[]): string | null {
  let [previous, continues] = [header?.previous ?? null, header?.continues ?? GENESIS];
  while (previous !== null) {
    const tombstone = tombstones.find(({ segments }) => segments.at(-1)?.name === previous);
    if (tombstone === undefined) return `${previous}, which it continues, is missing, and no tombstone stands for it`;
    if (tombstone.segments.at(-1)?.last !== continues) return `${previous} was not what its tombstone says`;
    ({ previous, continues } = tombstone);
  }
  return continues === GENESIS ? null : 'it continues something, and does not say what';
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
