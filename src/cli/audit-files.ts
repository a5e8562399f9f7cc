import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readCheckpoint, type Checkpoint } from '../audit/checkpoint.ts';
import { knownKeys, keysIn } from '../audit/sinks/audit-keys.ts';
import { laneOf } from '../audit/sinks/segment-file.ts';
import { segmentNames } from '../audit/sinks/segments.ts';
import type { VerifierKey } from '../audit/signed-note.ts';
import { errorCode } from '../model/error-code.ts';
import { parseDuration } from '../model/units.ts';
import { CommandError, EXIT } from './exit.ts';

/** An audit log, or one segment of it. */
export interface AuditFiles {
  readonly folder: string;
  /** Segments by lane, oldest first. */
  readonly lanes: ReadonlyMap<number, readonly string[]>;
  /** All there are; else the one that was named. */
  readonly isWhole: boolean;
}

const CHUNK = 4 * 1024 * 1024;

/** The segments of a folder, or one file. Throws CommandError. */
export function auditFiles(path: string): AuditFiles {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw new CommandError(`${path} cannot be read: ${errorCode(error)}`);
  }
  const folder = isFolder ? path : dirname(path);
  const names = isFolder ? segmentNames(path) : [basename(path)];
  if (names.length === 0) throw new CommandError(`${path} holds no audit log (*.jsonl)`);
  const lanes = new Map<number, string[]>();
  for (const name of names) {
    const lane = lanes.get(laneOf(name));
    if (lane === undefined) lanes.set(laneOf(name), [name]);
    else lane.push(name);
  }
  return { folder, lanes, isWhole: isFolder };
}

/** What a write of the gate ends with. */
const SEALED = Buffer.from('"kind":"seal"}\n');
/** Milliseconds that a write under way is waited for, and between two looks. */
const PATIENCE = 1000;
const LOOK = 20;

/**
 * The bytes of a segment, piece by piece. One that is being written may be read in the middle of a write: its end is waited for, for a
 * moment. Throws CommandError.
 */
export function* piecesOf(file: string): Generator<Buffer> {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${errorCode(error)}`);
  }
  try {
    const chunk = Buffer.allocUnsafe(CHUNK);
    let tail = SEALED;
    for (let left = PATIENCE; ;) {
      const size = readSync(descriptor, chunk);
      if (size === 0 && (tail.equals(SEALED) || left <= 0)) return;
      if (size === 0) {
        sleep(LOOK);
        left -= LOOK;
        continue;
      }
      yield chunk.subarray(0, size);
      tail = Buffer.concat([tail, chunk.subarray(Math.max(0, size - SEALED.length), size)]).subarray(-SEALED.length);
    }
  } finally {
    closeSync(descriptor);
  }
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Keys that are trusted: those given, as files or as themselves; else those the gate keeps beside its log. Throws CommandError. */
export function trustedKeys(given: readonly string[], auditFolder: string): readonly VerifierKey[] {
  if (given.length === 0) {
    const folder = join(auditFolder, '../keys');
    const keys = knownKeys(folder);
    if (keys.length > 0) return keys;
    throw new CommandError(`there are no keys in ${folder}: give the one that is trusted with --key`);
  }
  return given.flatMap((each) => {
    const keys = keysIn(each);
    if (keys.length > 0) return keys;
    const inFile = keysIn(textOf(each));
    if (inFile.length === 0)
      throw new CommandError(`${each} holds no key: a key is a line such as sallyport-1a2b3c4d+…+…`);
    return inFile;
  });
}

/** The text of a file, or of standard input for `-`. Throws CommandError. */
export function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${errorCode(error)}`);
  }
}

/** Checkpoints that were kept elsewhere. Throws CommandError where one is not signed by a key that is trusted. */
export function keptCheckpoints(file: string, keys: readonly VerifierKey[]): Checkpoint[] {
  const notes = textOf(file).split(/(?<=\n\n\u2014 [^\n]+\n)\n/);
  return notes.map((note) => {
    const checkpoint = readCheckpoint(note, keys);
    if (checkpoint === null)
      throw new CommandError(`${file} holds a checkpoint that no trusted key has signed`, EXIT.negative);
    return checkpoint;
  });
}

/** Collects an option that may be given more than once. */
export const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

/** A time as people write it: ISO 8601, or how long ago (15m). Throws CommandError. */
export function timeFrom(option: string, text: string): number {
  const ago = parseDuration(text);
  const time = ago === null ? Date.parse(text) : Date.now() - ago;
  if (Number.isNaN(time))
    throw new CommandError(
      `${option}: "${text}" is no time: write 2026-01-31, 2026-01-31T12:00:00Z, or 15m for so long ago`,
    );
  return time;
}
