import { END_TO_END, Fields } from '../http1/fields.ts';
import { ContentDecoder, type Coding } from '../scan/content-decoder.ts';
import { placeInFields } from '../scan/where.ts';
import type { Scanner } from '../scan/scanner.ts';
import { unseen, type Inspection } from './inspection.ts';
import type { BodyStream } from './message.ts';
import { PAUSED, unlessPaused } from './pause.ts';

/** What one piece of a stream may decode to. */
const MOST_DECODED = 64 * 1024 * 1024;
/** A sender that pauses this long, in milliseconds, may wait for an answer: what could only just begin something goes on. */
const PAUSE = 10;
/** What is open for so long, and is nothing as it stands, goes on too; what comes next is read with it all the same. */
const PATIENCE = 1000;
const EMPTY = Buffer.alloc(0);

/** A piece that has been scanned, and where it ends in what was scanned. */
interface Piece {
  readonly bytes: Buffer;
  /** What was scanned of it: the same, where no coding had to be undone. */
  readonly decoded: Buffer;
  readonly end: number;
}

/**
 * A body on its way, scanned as it comes. Every byte that may still be part of a finding is held back, and no other: of a match
 * under way until the sender has been silent for a second, of what could only just begin one until it pauses.
 */
export class ScannedStream implements BodyStream {
  readonly #from: BodyStream;
  readonly #inspection: Inspection;
  readonly #scanner: Scanner;
  readonly #decoder: ContentDecoder | null;
  #waiting: Piece[] = [];
  /** Scanned so far. */
  #end = 0;
  #reading: Promise<Buffer | null> | null = null;
  #over = false;
  /** What was read before the stream was known to be one. */
  readonly #first: Buffer[];
  readonly prepaid: number;

  constructor(from: BodyStream, codings: readonly Coding[], inspection: Inspection, first: readonly Buffer[]) {
    this.#from = from;
    this.#inspection = inspection;
    this.#scanner = inspection.take();
    this.#decoder = codings.length === 0 ? null : new ContentDecoder(codings, MOST_DECODED, true);
    this.#first = [...first];
    // What was held was counted when it was.
    this.prepaid = first.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  get length(): number | null {
    return this.#from.length;
  }

  get present(): boolean {
    return this.#from.present;
  }

  get finished(): boolean {
    return this.#from.finished && this.#over && this.#waiting.length === 0;
  }

  get trailers(): Fields {
    return this.#from.trailers;
  }

  /** Throws the denial of what is found; nothing can be read after that. */
  async read(): Promise<Buffer | null> {
    try {
      return await this.#read();
    } catch (error) {
      this.#decoder?.destroy();
      throw error;
    }
  }

  async #read(): Promise<Buffer | null> {
    for (;;) {
      const ready = this.#release(true);
      if (ready !== null) return ready;
      if (this.#over) return null;
      this.#reading ??= this.#next();
      // Whoever reads on hears of a failure; until then it is not unheard.
      this.#reading.catch(() => undefined);
      const bytes = this.#waiting.length === 0 ? await this.#reading : await unlessPaused(this.#reading, PAUSE);
      if (bytes === PAUSED) {
        await this.#lookAhead();
        const held = this.#release(false) ?? (await this.#afterPatience(this.#reading));
        if (held !== null) return held;
        continue;
      }
      this.#reading = null;
      if (bytes === null) await this.#finish();
      else await this.#scan(bytes);
    }
  }

  /** A match that stays open: whoever waits for an answer to it would wait for ever. */
  async #afterPatience(reading: Promise<Buffer | null>): Promise<Buffer | null> {
    if ((await unlessPaused(reading, PATIENCE)) !== PAUSED) return null;
    const bytes = this.#waiting.map((piece) => piece.bytes);
    this.#waiting = [];
    return Buffer.concat(bytes);
  }

  /** What waits may be encoded and not be read yet, since it may go on: before it is let go, it is read as if it were over. */
  async #lookAhead(): Promise<void> {
    const scanner = this.#inspection.take();
    const waiting = Buffer.concat(this.#waiting.map(({ decoded }) => decoded));
    this.#settle(await this.#inspection.scanInTurns(scanner, waiting));
    this.#settle(this.#inspection.run(() => scanner.end()));
    this.#inspection.give(scanner);
  }

  #next(): Promise<Buffer | null> {
    const first = this.#first.shift();
    return first === undefined ? this.#from.read() : Promise.resolve(first);
  }

  async #scan(bytes: Buffer): Promise<void> {
    const decoded = this.#decoder === null ? bytes : await this.#decoded((decoder) => decoder.push(bytes));
    this.#end += decoded.length;
    this.#waiting.push({ bytes, decoded, end: this.#end });
    await this.#judge(decoded);
  }

  async #judge(bytes: Buffer): Promise<void> {
    this.#settle(await this.#inspection.scanInTurns(this.#scanner, bytes));
  }

  async #finish(): Promise<void> {
    if (this.#decoder !== null) {
      const last = await this.#decoded((decoder) => decoder.end());
      this.#decoder.destroy();
      await this.#judge(last);
    }
    this.#settle(this.#inspection.run(() => this.#scanner.end()));
    const lines = this.#from.trailers.text(END_TO_END);
    if (lines !== '') {
      const findings = this.#inspection.run(() => this.#scanner.whole(lines));
      this.#inspection.judge(findings, 'to-upstream', 'fields', (offset) => placeInFields(lines, offset));
    }
    this.#inspection.give(this.#scanner);
    this.#over = true;
  }

  /** Nothing can be taken out of what streams: what should be, does not pass. */
  #settle(findings: ReturnType<Scanner['push']>): void {
    const where = (offset: number): string => `byte ${offset} of the body`;
    this.#inspection.transcript?.foundInBody('to-upstream', findings);
    const [redaction] = this.#inspection.judge(findings, 'to-upstream', 'body', where);
    if (redaction !== undefined) this.#inspection.refuse(redaction, where(redaction.offset));
  }

  async #decoded(step: (decoder: ContentDecoder) => Promise<Buffer>): Promise<Buffer> {
    if (this.#inspection.blind) return EMPTY;
    try {
      return await step(this.#decoder as ContentDecoder);
    } catch (error) {
      this.#inspection.giveUp(unseen(error));
      return EMPTY;
    }
  }

  /** Everything that may go on, as one buffer; null where nothing may. */
  #release(soft: boolean): Buffer | null {
    const [first] = this.#waiting;
    if (first === undefined) return null;
    const safe = this.#over || this.#inspection.blind ? this.#end : this.#scanner.safe(soft);
    const pieces: Buffer[] = [];
    while (this.#waiting.length > 0 && (this.#waiting[0] as Piece).end <= safe)
      pieces.push((this.#waiting.shift() as Piece).bytes);
    const [next] = this.#waiting;
    // A piece under a coding goes whole or not at all.
    if (next !== undefined && this.#decoder === null) {
      const size = safe - (next.end - next.bytes.length);
      if (size > 0) {
        pieces.push(next.bytes.subarray(0, size));
        const rest = next.bytes.subarray(size);
        this.#waiting[0] = { bytes: rest, decoded: rest, end: next.end };
      }
    }
    if (pieces.length === 0) return null;
    return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  }
}
