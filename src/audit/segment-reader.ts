import { readSeal, sealOf } from './chain.ts';

/** What is told of a segment as it is read. */
export interface SegmentListener {
  /** An event that a seal will cover, in [from, to); there is a byte before `from`, which may be written over and put back. */
  event(bytes: Buffer, from: number, to: number): void;
  /** All events so far are sealed, with this hash. */
  sealed(hash: string): void;
}

const LF = 0x0a;
/** A seal begins like this, and hardly anything else does. */
const SEAL = Buffer.from('{"events":');

/**
 * Reads a segment piece by piece, and holds each write to its seal: hashes what it covers behind the seal before. Takes the memory
 * of one write.
 */
export class SegmentReader {
  readonly #listener: SegmentListener;
  /** One byte, then what has been given and no seal has covered yet. */
  #bytes = Buffer.allocUnsafe(1);
  /** Up to where lines of that have been read. */
  #read = 1;
  /** Events among them. */
  #open = 0;
  /** Lines of the segment that have been read. */
  #lines = 0;
  /** The last seal, or what the first one continues. */
  last: string;
  /** Events that are sealed. */
  events = 0;
  /** First thing wrong, with the lines it may be in. Nothing behind it is read. */
  problem: string | null = null;

  constructor(previous: string, listener: SegmentListener) {
    this.last = previous;
    this.#listener = listener;
  }

  /** Line that was read last, counted from 1. */
  get line(): number {
    return this.#lines;
  }

  push(piece: Uint8Array): void {
    if (this.problem !== null) return;
    const bytes = (this.#bytes = Buffer.concat([this.#bytes, piece]));
    let from = 1;
    for (let end = bytes.indexOf(LF, this.#read); end !== -1; end = bytes.indexOf(LF, this.#read)) {
      const at = this.#read;
      this.#read = end + 1;
      this.#lines++;
      const seal = isSealed(bytes, at) ? readSeal(bytes.toString('latin1', at, end)) : null;
      if (seal === null) {
        this.#open++;
        this.#listener.event(bytes, at, end);
        if (this.problem !== null) return;
        continue;
      }
      if (!this.#close(seal, bytes.subarray(from, at))) return;
      from = this.#read;
    }
    this.#bytes = bytes.subarray(from - 1);
    this.#read -= from - 1;
  }

  /** Bytes behind the last seal: nothing covers them. */
  get torn(): Buffer {
    return this.#bytes.subarray(1);
  }

  /** Says what is wrong at the line that was read last. */
  fail(problem: string): void {
    this.problem ??= `line ${this.#lines}: ${problem}`;
  }

  /** First line behind the last seal, and how many whole ones there are. */
  get unsealed(): { readonly line: number; readonly count: number } {
    return { line: this.#lines - this.#open + 1, count: this.#open };
  }

  #close(seal: { readonly events: number; readonly hash: string }, covered: Buffer): boolean {
    const open = this.#open;
    const first = this.#lines - open;
    const where = open === 0 ? `line ${first}` : `lines ${first} to ${first + open}`;
    if (seal.events !== open) this.problem = `${where}: ${open} events under a seal for ${seal.events}`;
    else if (sealOf(this.last, covered) !== seal.hash)
      this.problem = `${where}: the seal does not fit the events and the seal before`;
    if (this.problem !== null) return false;
    this.last = seal.hash;
    this.events += open;
    this.#open = 0;
    this.#listener.sealed(seal.hash);
    return true;
  }
}

function isSealed(bytes: Buffer, at: number): boolean {
  for (let index = 0; index < SEAL.length; index++) if (bytes[at + index] !== SEAL[index]) return false;
  return true;
}
