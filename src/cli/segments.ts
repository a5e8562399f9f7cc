import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { OutcomeEvent } from '../model/audit-event.ts';
import { errorCode } from '../model/error-code.ts';
import { CommandError } from './exit.ts';
import { GrowingFile } from './growing-file.ts';

/** How often a log that grows is looked at, in milliseconds. */
const LOOK = 250;

/** The files of an audit log, oldest first: segments are named by their time. */
function segmentsOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path).filter((name) => name.endsWith('.jsonl'));
    if (names.length === 0) throw new CommandError(`${path} holds no audit log (*.jsonl)`);
    return names.sort().map((name) => join(path, name));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`${path} cannot be read: ${errorCode(error)}`);
  }
}

/** Every outcome of an audit log (a segment, or a folder of them), line by line: a log of any length takes the memory of one. */
export function* outcomesOf(path: string): Generator<OutcomeEvent> {
  const files = segmentsOf(path);
  const progress = new Progress(files.reduce((sum, file) => sum + statSync(file).size, 0));
  for (const file of files) {
    const segment = new Segment(file);
    for (const event of segment.more()) {
      progress.advance(segment.taken);
      yield event;
    }
    progress.next(segment.taken);
  }
  progress.end();
}

/** The same for a log that still grows: ends when `until` is over. Files that appear meanwhile are read too. */
export async function* followOutcomes(path: string, until: AbortSignal): AsyncGenerator<OutcomeEvent> {
  const segments = new Map<string, Segment>();
  for (;;) {
    // What was written before the end came is read whole.
    const last = until.aborted;
    for (const file of segmentsOf(path)) {
      let segment = segments.get(file);
      if (segment === undefined) segments.set(file, (segment = new Segment(file)));
      yield* segment.more();
    }
    if (last) return;
    await wait(LOOK, undefined, { signal: until }).catch(() => undefined);
  }
}

/** One file of the log, read as far as it goes. */
class Segment {
  readonly #file: string;
  readonly #lines: GrowingFile;
  /** Bytes that have been taken: whole lines. */
  taken = 0;
  #number = 0;

  constructor(file: string) {
    this.#file = file;
    this.#lines = new GrowingFile(file);
  }

  /** Outcomes that have not been read yet. A line without its end is left for later: a crash, or a write under way. */
  *more(): Generator<OutcomeEvent> {
    for (const lines of this.#lines.more()) yield* this.#events(lines.toString('utf8'), lines.length);
  }

  *#events(text: string, size: number): Generator<OutcomeEvent> {
    for (let at = 0, end = text.indexOf('\n'); end !== -1; at = end + 1, end = text.indexOf('\n', at)) {
      this.#number++;
      const line = text.slice(at, end);
      if (line.includes('"kind":"outcome"')) yield this.#event(line);
    }
    this.taken += size;
  }

  #event(line: string): OutcomeEvent {
    try {
      return JSON.parse(line) as OutcomeEvent;
    } catch {
      const place = `${this.#file}:${this.#number}`;
      throw new CommandError(`${place}: not an audit event; write the name of a segment as the gate wrote it`);
    }
  }
}

/** A bar on a terminal; nothing elsewhere. */
class Progress {
  readonly #total: number;
  #before = 0;
  #shown = -1;

  constructor(total: number) {
    this.#total = total;
  }

  /** So many bytes of the file that is being read are done. */
  advance(taken: number): void {
    const percent = Math.min(100, Math.floor(((this.#before + taken) / this.#total) * 100));
    if (!process.stderr.isTTY || percent === this.#shown) return;
    this.#shown = percent;
    process.stderr.write(`\r[${'#'.repeat(percent / 4).padEnd(25)}] ${percent} %`);
  }

  /** A file of so many bytes is done. */
  next(size: number): void {
    this.#before += size;
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
