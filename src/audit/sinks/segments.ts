import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { IntentEvent } from '../../model/audit-event.ts';
import { readSeal } from '../chain.ts';
import { openIntents } from '../open-intents.ts';
import { tailHash } from '../verify.ts';
import { FIRST_LANE, laneOf } from './segment-file.ts';

/** What the segment before this one ended with. */
export interface Predecessor {
  readonly name: string;
  /** What the next segment continues: its last seal, and what stands behind that. */
  readonly hash: string;
  /** Bytes behind its last seal: a write that a crash cut short. */
  readonly torn: number;
  /** What was about to leave when its process died: intents that no outcome followed. */
  readonly open: readonly IntentEvent[];
}

const LF = 0x0a;

/** The lanes there are segments of. */
export function lanesIn(folder: string): number[] {
  return [...new Set(segmentNames(folder).map(laneOf))];
}

/** Names of segments, oldest first: they begin with the time they were made. Empty where there is no such folder. */
export function segmentNames(folder: string, lane: number | null = null): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl') && (lane === null || laneOf(name) === lane))
      .sort();
  } catch {
    return [];
  }
}

/** The segment of a lane that was written last, by name, or null. */
export function lastSegment(folder: string, lane: number = FIRST_LANE): Predecessor | null {
  const names = segmentNames(folder, lane);
  // Segments that were cut before their first seal stand behind the last one that has a seal.
  const unsealed: Buffer[] = [];
  for (const name of [...names].reverse()) {
    const bytes = readFileSync(join(folder, name));
    const sealed = lastSeal(bytes);
    if (sealed === null) {
      unsealed.unshift(bytes);
      continue;
    }
    const tails = [bytes.subarray(sealed.end), ...unsealed];
    return {
      name: names.at(-1) as string,
      hash: tails.reduce(tailHash, sealed.hash),
      torn: (tails.at(-1) as Buffer).length,
      open: openIntents([bytes, ...unsealed]),
    };
  }
  return null;
}

/** The last seal in the bytes of a segment, and where it ends. */
function lastSeal(bytes: Buffer): { readonly hash: string; readonly end: number } | null {
  for (let end = bytes.lastIndexOf(LF); end !== -1;) {
    const before = end === 0 ? -1 : bytes.lastIndexOf(LF, end - 1);
    const seal = readSeal(bytes.toString('latin1', before + 1, end));
    if (seal !== null) return { hash: seal.hash, end: end + 1 };
    end = before;
  }
  return null;
}
