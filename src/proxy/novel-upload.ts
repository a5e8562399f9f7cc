import { END_TO_END, type Fields } from '../http1/fields.ts';
import type { NoveltyMeter } from '../scan/novelty.ts';
import type { Lease } from './lease.ts';
import type { BodyStream } from './message.ts';

/** Counts what is about to leave, as one stream. Rejects with the denial where it may not. */
export function countNovel(pieces: readonly Uint8Array[], meter: NoveltyMeter, lease: Lease): Promise<void> | null {
  const fresh = pieces.reduce((sum, bytes) => sum + meter.push(bytes), 0);
  return lease.novel(fresh + meter.end());
}

/** The same for what leaves at once. */
export function spendNovel(bytes: Buffer, meter: NoveltyMeter, lease: Lease): Promise<void> | null {
  const due = countNovel([bytes], meter, lease);
  if (due !== null) return due.then(() => meter.keep());
  meter.keep();
  return null;
}

/** A body on its way, of which every piece is counted before it goes on. */
export class NovelStream implements BodyStream {
  readonly #from: BodyStream;
  readonly #meter: NoveltyMeter;
  readonly #lease: Lease;

  constructor(from: BodyStream, meter: NoveltyMeter, lease: Lease) {
    this.#from = from;
    this.#meter = meter;
    this.#lease = lease;
  }

  get length(): number | null {
    return this.#from.length;
  }

  get present(): boolean {
    return this.#from.present;
  }

  get finished(): boolean {
    return this.#from.finished;
  }

  get trailers(): Fields {
    return this.#from.trailers;
  }

  get prepaid(): number {
    return this.#from.prepaid ?? 0;
  }

  /** What was left open, and the trailers. */
  #last(): number {
    const open = this.#meter.end();
    return open + this.#meter.push(Buffer.from(this.trailers.text(END_TO_END), 'latin1')) + this.#meter.end();
  }

  async read(): Promise<Buffer | null> {
    const bytes = await this.#from.read();
    const due = this.#lease.novel(bytes === null ? this.#last() : this.#meter.push(bytes));
    if (due !== null) await due;
    this.#meter.keep();
    return bytes;
  }
}
