import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { readSeal } from '../chain.ts';
import { openIntents } from '../open-intents.ts';
import { tailHash } from '../verify.ts';
import type { IntentEvent } from '../../model/audit-event.ts';

/** Where lines go. `append` returns when the operating system has them, and throws when it has not. */
export interface LineSink {
  append(lines: Buffer): void;
  close(): void;
}

/** Processes of one gate write side by side, each a chain of its own. A gate of one process is the first. */
export const FIRST_LANE = 1;

/** The lane of a segment, by its name. */
export function laneOf(name: string): number {
  return Number(/-w([0-9]+)-[0-9]+\.jsonl$/.exec(name)?.[1] ?? FIRST_LANE);
}

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

/** An append-only file of one process. A write that fails half-way is cut off again, so no line is ever torn by us. */
export class SegmentFile implements LineSink {
  readonly file: string;
  readonly #descriptor: number;
  #size: number;

  constructor(folder: string, now: Date, lane: number = FIRST_LANE) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stamp = now.toISOString().replaceAll(/[-:]/g, '');
    this.file = join(folder, `${stamp}${lane === FIRST_LANE ? '' : `-w${lane}`}-${process.pid}.jsonl`);
    this.#descriptor = openSync(this.file, 'ax', 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  append(bytes: Buffer): void {
    // Deleted under us: writing on would keep evidence where nobody can find it.
    if (fstatSync(this.#descriptor).nlink === 0) throw new Error('the audit segment has been deleted');
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written, bytes.length - written);
      this.#size += written;
    } catch (error) {
      if (written > 0) ftruncateSync(this.#descriptor, this.#size);
      throw error;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** The lanes there are segments of. */
export function lanesIn(folder: string): number[] {
  return [...new Set(segmentNames(folder).map(laneOf))];
}

function segmentNames(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .sort();
  } catch {
    return [];
  }
}

/** The segment of a lane that was written last, by name, or null. Names start with the time they were made. */
export function lastSegment(folder: string, lane: number = FIRST_LANE): Predecessor | null {
  const names = segmentNames(folder).filter((name) => laneOf(name) === lane);
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
