import {
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { indexFileOf } from './index-file.ts';
import { signTombstone, type Tombstone } from '../tombstone.ts';
import type { Signer } from '../signed-note.ts';
import type { CheckedSegment } from '../verify-log.ts';
import { laneOf, timeOf } from './segment-file.ts';

/** Somebody needs the log to stay as it is, for a time it covers. */
export interface Hold {
  readonly name: string;
  readonly reason: string;
  readonly by: string;
  /** When it was laid on. ISO 8601. */
  readonly since: string;
}

const HOLDS = 'holds.json';
const TOMBSTONE = '.tombstone';

/** The holds that lie on a log. Throws an Error for a file that nobody wrote so: what cannot be read holds everything. */
export function holdsOn(folder: string): readonly Hold[] {
  let text: string;
  try {
    text = readFileSync(join(folder, HOLDS), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const holds = parsed(text);
  if (holds === null) throw new Error(`${join(folder, HOLDS)} is not what was written there: nothing is removed`);
  return holds;
}

function parsed(text: string): readonly Hold[] | null {
  try {
    const { holds } = JSON.parse(text) as { holds: unknown };
    if (!Array.isArray(holds)) return null;
    return holds.every((each) => typeof (each as Partial<Hold> | null)?.name === 'string') ? (holds as Hold[]) : null;
  } catch {
    return null;
  }
}

export function writeHolds(folder: string, holds: readonly Hold[]): void {
  const file = join(folder, HOLDS);
  writeFileSync(`${file}.new`, `${JSON.stringify({ version: 1, holds }, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The tombstones of a lane, as they were signed. */
export function tombstonesIn(folder: string, lane: number): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(TOMBSTONE) && laneOf(name.replace(TOMBSTONE, '.jsonl')) === lane)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

/**
 * The oldest segments of a lane that may go: all of them ended before a time, for the next one had begun by then. The newest never goes.
 * `names`: all segments of the lane, oldest first.
 */
export function outlived(names: readonly string[], before: number): string[] {
  const first = names.findIndex((_, index) => {
    const next = names[index + 1];
    return next === undefined || timeOf(next) === 0 || timeOf(next) > before;
  });
  return names.slice(0, first);
}

/** Removes segments that have been verified, oldest first, once a signed tombstone stands for them. */
export function remove(
  folder: string,
  segments: readonly CheckedSegment[],
  { reason, time, signer }: { readonly reason: string; readonly time: string; readonly signer: Signer },
): void {
  const [first] = segments;
  const last = segments.at(-1);
  if (first === undefined || last === undefined) return;
  const tombstone: Tombstone = {
    lane: laneOf(first.name),
    previous: first.header?.previous ?? null,
    continues: first.header?.continues ?? '0'.repeat(64),
    segments: segments.map(({ name, events, last: hash }) => ({ name, events, last: hash })),
    reason,
    time,
  };
  // The tombstone first, and on the disk: a crash between leaves segments that are there and said to be gone, not the other way round.
  const file = join(folder, last.name.replace(/\.jsonl$/, TOMBSTONE));
  writeFileSync(file, signTombstone(tombstone, signer), { mode: 0o600 });
  const descriptor = openSync(file, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
  for (const { name } of segments) {
    rmSync(indexFileOf(join(folder, name)), { force: true });
    unlinkSync(join(folder, name));
  }
}
