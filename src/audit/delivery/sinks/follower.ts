import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent } from '../../../model/audit-event.ts';
import { errorCode } from '../../../model/error-code.ts';
import { readSeal } from '../../chain.ts';
import { tombstonesIn } from '../../sinks/retention.ts';
import { laneOf } from '../../sinks/segment-file.ts';
import { segmentNames } from '../../sinks/segments.ts';
import type { Cursor, Place, SentEvent } from '../event.ts';

/** Some events of one lane, in order. */
export interface Batch {
  readonly events: readonly SentEvent[];
  /** How far one has come before, and behind them. */
  readonly from: Cursor;
  readonly to: Cursor;
}

/** Events that were removed before they were read: of all kinds, about so many. */
export interface Missed {
  readonly events: number;
  readonly from: string;
  /** The first segment that is there again. */
  readonly to: string;
}

/** Bytes read at once; a write of the gate that is longer is read whole. */
const CHUNK = 512 * 1024;
const LF = 0x0a;
/** What no sink is told of. */
const MACHINES = /"kind":"(?:seal|checkpoint|intent|segment)"/;

/** Reads the log behind the gate that writes it: what is sealed, whole writes, each lane by itself. The log is the spool of all sinks. */
export class Follower {
  readonly #folder: string;
  #cursor: Cursor;
  #turn = 0;
  #missed: Missed | null = null;

  /** `cursor` null: what stands in the log now is passed over. */
  constructor(folder: string, cursor: Cursor | null) {
    this.#folder = folder;
    this.#cursor = cursor ?? endOf(folder);
  }

  get cursor(): Cursor {
    return this.#cursor;
  }

  /** The next events, or null where there are none yet. A batch may be empty: what it passed over is told to nobody. */
  next(): Batch | null {
    const lanes = lanesOf(this.#folder);
    const names = [...lanes.keys()];
    for (let tried = 0; tried < names.length; tried++) {
      const lane = names[this.#turn++ % names.length] as number;
      const batch = this.#read(String(lane), lanes.get(lane) as readonly string[]);
      if (batch !== null) return batch;
    }
    return null;
  }

  /** What was removed before it was read, since this was last asked; null: nothing. */
  takeMissed(): Missed | null {
    const missed = this.#missed;
    this.#missed = null;
    return missed;
  }

  /** Bytes of the log that have not been read. */
  get behind(): number {
    let bytes = 0;
    for (const [lane, names] of lanesOf(this.#folder)) {
      const place = this.#cursor[String(lane)];
      for (const name of names) {
        if (place !== undefined && name < place.segment) continue;
        bytes += Math.max(0, sizeOf(join(this.#folder, name)) - (name === place?.segment ? place.bytes : 0));
      }
    }
    return bytes;
  }

  /** Counts what tombstones say of segments from a place up to another segment. What else is gone nobody knows. */
  #miss(lane: string, place: Place, next: string): void {
    let events = 0;
    for (const text of tombstonesIn(this.#folder, Number(lane)))
      for (const [, count = '', name = ''] of text.matchAll(REMOVED)) {
        if (name === place.segment) events += Math.max(0, Number(count) - place.lines);
        else if (name > place.segment && name < next) events += Number(count);
      }
    this.#cursor = { ...this.#cursor, [lane]: { segment: next, bytes: 0, lines: 0 } };
    this.#missed = { events: events + (this.#missed?.events ?? 0), from: place.segment, to: next };
  }

  #read(lane: string, names: readonly string[]): Batch | null {
    for (;;) {
      const place = this.#cursor[lane] ?? { segment: '', bytes: 0, lines: 0 };
      const name = names.find((each) => each >= place.segment);
      if (name === undefined) return null;
      // A segment that is gone was removed by its retention; the next one follows.
      if (place.segment !== '' && !names.includes(place.segment)) this.#miss(lane, place, name);
      const start = name === place.segment ? place : { segment: name, bytes: 0, lines: 0 };
      const read = readSealed(join(this.#folder, name), start);
      // It has been removed since the names were listed: the next look counts what is lost with it.
      if (read === GONE) return null;
      if (read !== null) {
        const from = this.#cursor;
        this.#cursor = { ...from, [lane]: read.end };
        return { events: read.events, from, to: this.#cursor };
      }
      // The names were listed before the file was read to its end: where there is another one, this one is over.
      const next = names[names.indexOf(name) + 1];
      if (next === undefined) return null;
      this.#cursor = { ...this.#cursor, [lane]: { segment: next, bytes: 0, lines: 0 } };
    }
  }
}

/** What tombstones say of a removed segment: its events, and its name. */
const REMOVED = /^segment [0-9a-f]{64} (\d+) (\S+)$/gm;

/** The file is not there any more. */
const GONE = -1;

interface SealedEvents {
  readonly events: readonly SentEvent[];
  readonly end: Place;
}

/** Events of the next sealed writes of a segment, and where they end; null: there is none. Throws what the file system throws. */
function readSealed(file: string, start: Place): SealedEvents | typeof GONE | null {
  const descriptor = openUnlessGone(file);
  if (descriptor === GONE) return GONE;
  try {
    for (let length = CHUNK; ; length *= 2) {
      const buffer = Buffer.allocUnsafe(Math.min(length, Math.max(0, fstatSync(descriptor).size - start.bytes)));
      const size = readSync(descriptor, buffer, 0, buffer.length, start.bytes);
      const end = endOfLastSeal(buffer.subarray(0, size));
      if (end > 0) return eventsIn(buffer.subarray(0, end), start);
      if (size < length) return null;
    }
  } finally {
    closeSync(descriptor);
  }
}

function eventsIn(bytes: Buffer, { segment, bytes: before, lines }: Place): SealedEvents {
  const events: SentEvent[] = [];
  let number = lines;
  for (const line of bytes.toString('utf8').split('\n').slice(0, -1)) {
    number++;
    const event = MACHINES.test(line) ? null : parsed(line);
    if (event !== null) events.push({ id: `${segment}:${number}`, line, event });
  }
  return { events, end: { segment, bytes: before + bytes.length, lines: number } };
}

/** What is sealed and cannot be read was written by nobody we know: `audit verify` says so. */
function parsed(line: string): AuditEvent | null {
  try {
    return JSON.parse(line) as AuditEvent;
  } catch {
    return null;
  }
}

function endOfLastSeal(bytes: Buffer): number {
  for (let end = bytes.lastIndexOf(LF); end !== -1; end = end === 0 ? -1 : bytes.lastIndexOf(LF, end - 1)) {
    const begin = end === 0 ? 0 : bytes.lastIndexOf(LF, end - 1) + 1;
    if (readSeal(bytes.toString('latin1', begin, end)) !== null) return end + 1;
  }
  return 0;
}

/** Behind the last seal of each lane. */
function endOf(folder: string): Cursor {
  const cursor: Record<string, Place> = {};
  for (const [lane, names] of lanesOf(folder)) {
    const segment = names.at(-1) as string;
    const bytes = readFileSync(join(folder, segment));
    const end = endOfLastSeal(bytes);
    const lines = bytes.subarray(0, end).reduce((count, byte) => (byte === LF ? count + 1 : count), 0);
    cursor[String(lane)] = { segment, bytes: end, lines };
  }
  return cursor;
}

function lanesOf(folder: string): Map<number, string[]> {
  const lanes = new Map<number, string[]>();
  for (const name of segmentNames(folder)) {
    const lane = lanes.get(laneOf(name));
    if (lane === undefined) lanes.set(laneOf(name), [name]);
    else lane.push(name);
  }
  return lanes;
}

/** What cannot be opened for another reason is not passed over. */
function openUnlessGone(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return GONE;
    throw error;
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}
