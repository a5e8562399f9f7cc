import { readNote, signNote, type Signer, type VerifierKey } from './signed-note.ts';

/** A segment that was removed, and what it was. */
export interface RemovedSegment {
  readonly name: string;
  readonly events: number;
  /** What the next segment continues. */
  readonly last: string;
}

/** What stands in place of segments of a lane that were verified and removed, one after another. */
export interface Tombstone {
  readonly lane: number;
  /** The segment before the first of them, null for none, and the hash that one continued. */
  readonly previous: string | null;
  readonly continues: string;
  /** Oldest first; never empty. */
  readonly segments: readonly RemovedSegment[];
  readonly reason: string;
  /** ISO 8601. */
  readonly time: string;
}

/** Signs a tombstone (C2SP signed-note). */
export function signTombstone(tombstone: Tombstone, signer: Signer): string {
  const { lane, previous, continues, segments, reason, time } = tombstone;
  const lines = [
    'sallyport audit tombstone',
    `lane ${lane}`,
    `continues ${continues} ${previous ?? '-'}`,
    ...segments.map(({ name, events, last }) => `segment ${last} ${events} ${name}`),
    `reason ${reason.replace(/\s+/g, ' ')}`,
    `time ${time}`,
  ];
  return signNote(`${lines.join('\n')}\n`, signer);
}

const TEXT =
  /^sallyport audit tombstone\nlane (?<lane>\d+)\ncontinues (?<continues>[0-9a-f]{64}) (?<previous>\S+)\n(?<segments>(?:segment [0-9a-f]{64} \d+ \S+\n)+)reason (?<reason>[^\n]*)\ntime (?<time>\S+)\n$/;

/** Reads a tombstone that one of the keys has signed; null where none has, or it is none. */
export function readTombstone(note: string, keys: Iterable<VerifierKey>): Tombstone | null {
  const groups = TEXT.exec(readNote(note, keys) ?? '')?.groups;
  if (groups === undefined) return null;
  const { lane, continues, previous, segments, reason, time } = groups as Record<string, string>;
  return {
    lane: Number(lane),
    previous: previous === '-' ? null : (previous as string),
    continues: continues as string,
    segments: (segments as string)
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [, last = '', events = '', name = ''] = line.split(' ');
        return { name, events: Number(events), last };
      }),
    reason: reason as string,
    time: time as string,
  };
}
