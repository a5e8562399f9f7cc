import { InflateRaw } from 'minizlib';
import { probeDeflate } from './deflate-probe.ts';
import type { Opening } from '../engine.ts';
import type { Expander } from './expander.ts';

/** Input at a time: what a piece expanded to is lost where it turns out to be damaged. */
const PIECE = 1024;

/** What Node's own streams of zlib say of their last write. */
interface Consumed {
  readonly bytesWritten: number;
}

/** Bytes that a repetition may reach back. */
const REACH = 32 * 1024;
/** What stands before the bytes of a block that is stored: its kind, its length, and that inverted. */
const STORED_HEAD = 5;

/**
 * Raw deflate (RFC 1951). What follows its end is ignored. Blocks that are stored (§3.2.4) need no engine, which is dear: it is
 * made where the first block begins that is not.
 */
export class Inflater implements Expander {
  #coded: CodedBlocks | null = null;
  #head = Buffer.alloc(0);
  /** Bytes of the stored block that are still to come. */
  #left = 0;
  #isLast = false;
  /** What the stored blocks said, as far back as a repetition may reach. */
  #before = Buffer.alloc(0);
  over = false;

  push(bytes: Buffer): Buffer | null {
    const out: Buffer[] = [];
    let rest: Buffer | null = bytes;
    while (this.#coded === null && !this.over && rest !== null && rest.length > 0) {
      if (this.#left > 0) {
        out.push(this.#store(rest.subarray(0, this.#left)));
        rest = rest.subarray((out.at(-1) as Buffer).length);
      } else rest = this.#begin(rest);
    }
    if (this.#coded !== null && rest !== null) {
      rest = this.#coded.push(rest);
      this.over = this.#coded.over;
      if (rest !== null) out.push(rest);
    }
    return out.length === 0 && rest === null ? null : Buffer.concat(out);
  }

  /** Reads on in the head of a block; returns what is behind it, null where it is damaged. */
  #begin(bytes: Buffer): Buffer | null {
    const head = Buffer.concat([this.#head, bytes.subarray(0, STORED_HEAD - this.#head.length)]);
    const rest = bytes.subarray(head.length - this.#head.length);
    this.#head = head;
    if (((head[0] as number) & 6) !== 0) {
      this.#coded = new CodedBlocks(this.#before);
      return Buffer.concat([head, rest]);
    }
    if (head.length < STORED_HEAD) return rest;
    this.#head = Buffer.alloc(0);
    this.#left = head.readUInt16LE(1);
    this.#isLast = ((head[0] as number) & 1) === 1;
    this.over = this.#isLast && this.#left === 0;
    return (this.#left ^ head.readUInt16LE(3)) === 0xffff ? rest : null;
  }

  #store(bytes: Buffer): Buffer {
    const stored = Buffer.from(bytes);
    this.#left -= stored.length;
    this.over = this.#isLast && this.#left === 0;
    this.#before = Buffer.concat([this.#before, stored]).subarray(-REACH);
    return stored;
  }

  close(): void {
    this.#coded?.close();
  }
}

/** Blocks of deflate, by the engine that npm itself unpacks with. */
class CodedBlocks implements Expander {
  readonly #engine: InflateRaw;
  #pieces: Buffer[] = [];
  #failed = false;
  over = false;

  /** `before`: what the blocks before them said. */
  constructor(before: Buffer) {
    // Options go on to Node's own engine, which knows more of them than the type does.
    const options: object = before.length === 0 ? {} : { dictionary: before };
    this.#engine = new InflateRaw(options);
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

/** Bytes of a gzip or zip header that are looked at; names of files are not longer. */
const LONGEST_HEADER = 1024;

/**
 * Where the compressed data of a container begins, as an index: -1 where there is none, null while that cannot be known.
 * `at` is where its first byte stands. `final`: nothing follows.
 */
export function dataAfter(
  format: Opening['format'],
  bytes: Uint8Array,
  at: number,
  to: number,
  final: boolean,
): number | null {
  if (format === 'zstd') return at;
  const data = format === 'zlib' ? at + 2 : format === 'zip' ? zipData(bytes, at, to) : gzipData(bytes, at, to);
  if (data === null || data === -1) return data;
  // Two bytes in 65,536 are a beginning of zlib by chance.
  const verdict = probeDeflate(bytes, data, to);
  if (verdict === 'no') return -1;
  return verdict === 'perhaps' || final ? data : null;
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
  return next;
}

/** A member of a zip archive (APPNOTE 4.3.7) that is deflated; what is stored needs no undoing. */
function zipData(bytes: Uint8Array, at: number, to: number): number | null {
  if (to < at + 30) return null;
  if (bytes[at + 8] !== 8 || bytes[at + 9] !== 0) return -1;
  const word = (index: number): number => (bytes[at + index] as number) + ((bytes[at + index + 1] as number) << 8);
  const next = at + 30 + word(26) + word(28);
  if (next - at > LONGEST_HEADER) return -1;
  return next;
}
