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
import { basename, join } from 'node:path';

/** Where lines go. `append` returns when the operating system has them, and throws when it has not. */
export interface LineSink {
  append(lines: string): void;
  close(): void;
}

/** What the segment before this one ended with. */
export interface Predecessor {
  readonly name: string;
  readonly hash: string;
  /** Bytes of an unfinished last line. */
  readonly torn: number;
}

/** An append-only file of one process. A write that fails half-way is cut off again, so no line is ever torn by us. */
export class SegmentFile implements LineSink {
  readonly file: string;
  readonly #descriptor: number;
  readonly #buffer = Buffer.allocUnsafeSlow(256 * 1024);
  #size: number;

  constructor(folder: string, now: Date) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stamp = now.toISOString().replaceAll(/[-:]/g, '');
    this.file = join(folder, `${stamp}-${process.pid}.jsonl`);
    this.#descriptor = openSync(this.file, 'ax', 0o600);
    this.#size = fstatSync(this.#descriptor).size;
  }

  append(lines: string): void {
    // One buffer for all writes: a fresh one of this size costs page faults each time.
    const bytes =
      lines.length * 3 <= this.#buffer.length
        ? this.#buffer.subarray(0, this.#buffer.write(lines, 'utf8'))
        : Buffer.from(lines, 'utf8');
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

/** The segment that was written last, by name, or null. Names start with the time they were made. */
export function lastSegment(folder: string): Predecessor | null {
  let names: string[];
  try {
    names = readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .sort();
  } catch {
    return null;
  }
  for (const name of names.reverse()) {
    const text = readFileSync(join(folder, name), 'utf8');
    const end = text.lastIndexOf('\n') + 1;
    const hashes = /"hash":"([0-9a-f]{64})"\}\n$/.exec(text.slice(0, end));
    if (hashes?.[1] !== undefined)
      return { name: basename(name), hash: hashes[1], torn: Buffer.byteLength(text.slice(end)) };
  }
  return null;
}
