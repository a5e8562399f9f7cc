import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Where lines go. `append` returns when the operating system has them, and throws when it has not. */
export interface LineSink {
  append(lines: Buffer): void;
  /** Tells, later, when the disk has all that was appended before, or why it has not. */
  sync(done: (error: unknown) => void): void;
  close(): void;
  /** Takes back a file in which nothing was written. */
  discard?(): void;
}

/** Processes of one gate write side by side, each a chain of its own. A gate of one process is the first. */
export const FIRST_LANE = 1;

export interface SegmentFileOptions {
  /** All that was appended is on the disk when it is closed. */
  readonly durable?: boolean;
  /** Told when the file was deleted and has been written again, under the name it then has. */
  readonly onRestored?: (file: string) => void;
}

/** Bytes that are copied at a time. */
const CHUNK = 1024 * 1024;
const MODE = 0o600;

/** Name of a segment, without its folder: its time (ISO 8601, basic form), its lane unless it is the first, its process. */
export function segmentName(time: number, lane: number): string {
  const stamp = new Date(time).toISOString().replaceAll(/[-:]/g, '');
  return `${stamp}${lane === FIRST_LANE ? '' : `-w${lane}`}-${process.pid}.jsonl`;
}

/** The lane of a segment, by its name. */
export function laneOf(name: string): number {
  return Number(/-w([0-9]+)-[0-9]+\.jsonl$/.exec(name)?.[1] ?? FIRST_LANE);
}

/** When a segment was made, by its name, in milliseconds; 0 where that does not say. */
export function timeOf(name: string): number {
  const [, year, month, day, hour, minute, rest] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d\.\d{3})Z/.exec(name) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${rest}Z`);
  return Number.isNaN(time) ? 0 : time;
}

/**
 * An append-only file of one process. A write that fails half-way is cut off again, so no line is ever torn by us. Where the file is
 * deleted under it, it is written again: what has been opened can still be read.
 */
export class SegmentFile implements LineSink {
  readonly #options: SegmentFileOptions;
  #file: string;
  #descriptor: number;
  #size = 0;
  /** Flushes of the disk under way; the file stays open for them. */
  #flushes = 0;
  #closing = false;

  /** Makes the file; throws where there is one of its name. */
  constructor(folder: string, name: string, options: SegmentFileOptions = {}) {
    this.#options = options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#file = join(folder, name);
    this.#descriptor = make(this.#file, options.durable === true);
  }

  get file(): string {
    return this.#file;
  }

  append(bytes: Buffer): void {
    // Deleted under us: writing on would keep evidence where nobody can find it.
    if (fstatSync(this.#descriptor).nlink === 0) this.#restore();
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written, bytes.length - written);
      this.#size += written;
    } catch (error) {
      if (written > 0) ftruncateSync(this.#descriptor, this.#size);
      throw error;
    }
  }

  sync(done: (error: unknown) => void): void {
    this.#flushes++;
    fdatasync(this.#descriptor, (error) => {
      this.#flushes--;
      if (this.#closing) this.#close();
      done(error);
    });
  }

  close(): void {
    this.#closing = true;
    if (this.#options.durable === true) fdatasyncSync(this.#descriptor);
    this.#close();
  }

  discard(): void {
    closeSync(this.#descriptor);
    unlinkSync(this.#file);
  }

  #close(): void {
    if (this.#flushes === 0) closeSync(this.#descriptor);
  }

  /** Writes all of it again, under its own name where that is free. */
  #restore(): void {
    const file = freeName(this.#file);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const descriptor = make(file, this.#options.durable === true);
    try {
      copy(this.#descriptor, descriptor, this.#size);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    this.#file = file;
    this.#options.onRestored?.(file);
  }
}

function make(file: string, durable: boolean): number {
  // To be read as well: a deleted file is written again from its descriptor.
  const descriptor = openSync(file, 'ax+', MODE);
  // The name of a file is on the disk when its folder is.
  if (durable) syncFolder(dirname(file));
  return descriptor;
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function copy(from: number, to: number, size: number): void {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, size)));
  for (let at = 0; at < size;) {
    const read = readSync(from, chunk, 0, Math.min(chunk.length, size - at), at);
    if (read === 0) throw new Error('the deleted audit segment cannot be read any more');
    for (let put = 0; put < read;) put += writeSync(to, chunk, put, read - put);
    at += read;
  }
}

/** The name itself, or one that sorts behind it where somebody has put another file in its place. */
function freeName(file: string): string {
  try {
    closeSync(openSync(file, 'r'));
  } catch {
    return file;
  }
  const name = basename(file, '.jsonl');
  const stamp = segmentName(timeOf(`${name}.jsonl`) + 1, laneOf(`${name}.jsonl`));
  return join(dirname(file), stamp);
}
