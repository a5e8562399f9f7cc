import { InflateRaw } from 'minizlib';
import { ZstdDecoder } from '../zstd.ts';
import type { Opening } from '../engine.ts';

/** Undoes one compressed stream, piece by piece. */
export interface Expander {
  /** What these bytes expand to; null where they are no such stream. */
  push(bytes: Buffer): Buffer | null;
  /** The stream has ended. */
  readonly over: boolean;
  close(): void;
}

/** Input at a time: what a piece expanded to is lost where it turns out to be damaged. */
const PIECE = 1024;

/** What Node's own streams of zlib say of their last write. */
interface Consumed {
  readonly bytesWritten: number;
}

/** Raw deflate (RFC 1951), by the engine that npm itself unpacks with. What follows its end is ignored. */
export class Inflater implements Expander {
  readonly #engine = new InflateRaw({});
  #pieces: Buffer[] = [];
  #failed = false;
  over = false;

  constructor() {
    this.#engine.on('data', (bytes) => this.#pieces.push(bytes as Buffer));
    this.#engine.on('error', () => (this.#failed = true));
  }

  push(bytes: Buffer): Buffer | null {
    for (let at = 0; at < bytes.length && !this.#failed && !this.over; at += PIECE) {
      const piece = Buffer.from(bytes.subarray(at, at + PIECE));
      this.#write(piece);
      // What the engine leaves of its input stands behind the end of the stream.
      this.over = (this.#engine.handle as unknown as Consumed | undefined)?.bytesWritten !== piece.length;
    }
    const pieces = this.#pieces;
    this.#pieces = [];
    if (pieces.length > 0) return Buffer.concat(pieces);
    return this.#failed ? null : Buffer.alloc(0);
  }

  /** Most of what looks like a beginning is none: nobody wants to know where that was found out, which takes longer than finding it. */
  #write(piece: Buffer): void {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      this.#engine.write(piece);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  close(): void {
    this.#engine.removeAllListeners('data');
    this.#engine.on('error', () => undefined);
    this.#engine.close();
  }
}

/** Zstandard (RFC 8878). */
export class Unzstd implements Expander {
  #pieces: Buffer[] = [];
  readonly #decoder = new ZstdDecoder((bytes) => this.#pieces.push(Buffer.from(bytes)));
  #failed = false;
  readonly over = false;

  push(bytes: Buffer): Buffer | null {
    if (this.#failed) return null;
    try {
      this.#decoder.push(Buffer.from(bytes));
    } catch {
      this.#failed = true;
    }
    const pieces = this.#pieces;
    this.#pieces = [];
    if (pieces.length > 0) return Buffer.concat(pieces);
    return this.#failed ? null : Buffer.alloc(0);
  }

  close(): void {
    this.#pieces = [];
  }
}

/** Bytes of a gzip or zip header that are looked at; names of files are not longer. */
const LONGEST_HEADER = 1024;

/**
 * Where the compressed data of a container begins, as an index: -1 where there is none, null while that cannot be known.
 * `at` is where its first byte stands.
 */
export function dataAfter(format: Opening['format'], bytes: Uint8Array, at: number, to: number): number | null {
  if (format === 'zstd') return at;
  if (format === 'zlib') return plausible(bytes, at + 2, to);
  if (format === 'zip') return zipData(bytes, at, to);
  return gzipData(bytes, at, to);
}

/** RFC 1952 §2.3. */
function gzipData(bytes: Uint8Array, at: number, to: number): number | null {
  if (to < at + 10) return null;
  const flags = bytes[at + 3] as number;
  if ((flags & 0xe0) !== 0) return -1;
  let next = at + 10;
  if ((flags & 4) !== 0) {
    if (to < next + 2) return null;
    next += 2 + (bytes[next] as number) + ((bytes[next + 1] as number) << 8);
  }
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue;
    const end = bytes.indexOf(0, next);
    if (end === -1 || end >= to) return to - at > LONGEST_HEADER ? -1 : null;
    next = end + 1;
  }
  if ((flags & 2) !== 0) next += 2;
  if (next - at > LONGEST_HEADER) return -1;
  return plausible(bytes, next, to);
}

/** A member of a zip archive (APPNOTE 4.3.7) that is deflated; what is stored needs no undoing. */
function zipData(bytes: Uint8Array, at: number, to: number): number | null {
  if (to < at + 30) return null;
  if (bytes[at + 8] !== 8 || bytes[at + 9] !== 0) return -1;
  const word = (index: number): number => (bytes[at + index] as number) + ((bytes[at + index + 1] as number) << 8);
  const next = at + 30 + word(26) + word(28);
  if (next - at > LONGEST_HEADER) return -1;
  return plausible(bytes, next, to);
}

/** Bytes of a block that are looked at before it is believed to be one. */
const LOOK = 16;

/** Two bytes in 65,536 are a beginning of zlib by chance: what follows must be a block that can be (RFC 1951 §3.2). */
function plausible(bytes: Uint8Array, at: number, to: number): number | null {
  if (to < at + LOOK) return null;
  const bits = bitsFrom(bytes, at);
  bits(1);
  const kind = bits(2);
  if (kind === 3) return -1;
  if (kind === 2) return isDynamic(bits) ? at : -1;
  if (kind === 1) return isFixed(bits) ? at : -1;
  const length = (bytes[at + 1] as number) | ((bytes[at + 2] as number) << 8);
  const inverse = (bytes[at + 3] as number) | ((bytes[at + 4] as number) << 8);
  return (length ^ inverse) === 0xffff ? at : -1;
}

type Bits = (count: number) => number;

/** Reads bits, lowest first. */
function bitsFrom(bytes: Uint8Array, at: number): Bits {
  let place = at * 8;
  return (count) => {
    let value = 0;
    for (let bit = 0; bit < count; bit++, place++) value |= (((bytes[place >> 3] as number) >> (place & 7)) & 1) << bit;
    return value;
  };
}

/** The code that the codes are written in must be complete. */
function isDynamic(bits: Bits): boolean {
  if (bits(5) > 29 || bits(5) > 29) return false;
  const count = bits(4) + 4;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    const length = bits(3);
    if (length > 0) sum += 128 >> length;
  }
  return sum === 128;
}

/** The shortest distance that a repetition may mean whose length code has been read. */
function leastDistance(length: number, bits: Bits): number {
  if (length >= 9) bits(Math.floor((length - 5) / 4));
  let code = 0;
  for (let i = 0; i < 5; i++) code = (code << 1) | bits(1);
  if (code > 29) return Infinity;
  return code < 4 ? code + 1 : ((2 + (code & 1)) << ((code >> 1) - 1)) + 1;
}

/** The first symbols must not repeat what has not been written yet. */
function isFixed(bits: Bits): boolean {
  for (let written = 0; written < 10; written++) {
    let code = 0;
    for (let i = 0; i < 7; i++) code = (code << 1) | bits(1);
    if (code < 24) return code === 0 ? written > 0 : leastDistance(code, bits) <= written;
    // 00110000 to 10111111 are eight bits, 11000000 to 11000111 repeat, 110010000 and above are nine bits.
    code = (code << 1) | bits(1);
    if (code >= 0xc0 && code <= 0xc7) return false;
    if (code > 0xc7) bits(1);
  }
  return true;
}
