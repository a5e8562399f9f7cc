import { Fields } from '../http1/fields.ts';
import type { MessageEvent } from '../http1/reader.ts';
import type { ResponseHead } from '../http1/head.ts';
import type { AnswerReading } from './answer-reading.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, AnswerHead, UpstreamExchange } from './message.ts';
import { PAUSED, unlessPaused } from './pause.ts';

/** An answer whose upstream pauses this long, in milliseconds, is a stream: what was read of it goes on. */
const PAUSE = 100;
/** A match that stays open for so long goes on too. */
const PATIENCE = 1000;

/** An answer under way that is read, and who gets it. */
export interface ReadAnswer {
  readonly connection: UpstreamExchange;
  readonly answer: Answer;
  readonly exchange: Exchange;
  readonly reading: AnswerReading;
  /** Most bytes that are held. */
  readonly limit: number;
  /** What is said first. Asked when it is said. */
  readonly head: () => AnswerHead;
  /** The whole answer as it is to go on, and its head; null: as it came. */
  readonly rewrite: (decoded: Buffer) => { readonly head: AnswerHead; readonly bytes: Buffer } | null;
}

type BodyEvent = Exclude<MessageEvent<ResponseHead>, { type: 'head' }>;

/**
 * Passes an answer that may be stopped on once it was read. It is held until it is here whole, is too long, or pauses; from
 * then on it goes on as it comes, but for what may still become a finding. Throws the denial of what must not go on.
 */
export async function relayRead(to: ReadAnswer): Promise<void> {
  const held = new Held(to);
  try {
    await held.relay();
  } finally {
    to.reading.close();
  }
}

class Held {
  readonly #to: ReadAnswer;
  #pieces: Buffer[] = [];
  #decoded: Buffer[] = [];
  #size = 0;
  #begun = false;
  #pending: Promise<Buffer | null> | null = null;
  #trailers = Fields.NONE;
  /** Pauses since something came. */
  #pauses = 0;

  constructor(to: ReadAnswer) {
    this.#to = to;
  }

  async relay(): Promise<void> {
    const { reading, limit } = this.#to;
    for (;;) {
      const bytes = await this.#next(this.#pieces.length > 0 ? (this.#begun ? PATIENCE : PAUSE) : null);
      if (bytes === PAUSED) {
        this.#pauses++;
        if (this.#begun || !reading.open || this.#pauses * PAUSE >= PATIENCE) await this.#letGo();
        continue;
      }
      if (bytes === null) break;
      this.#pauses = 0;
      this.#pieces.push(bytes);
      this.#size += bytes.length;
      const decoded = await reading.push(bytes);
      if (!this.#begun) this.#decoded.push(decoded);
      if (this.#begun || reading.isBinary || this.#size > limit) if (!reading.open) await this.#letGo();
    }
    const last = await reading.end();
    if (this.#begun) return this.#finish();
    this.#decoded.push(last);
    return this.#finishWhole();
  }

  /** The next piece; null at the end. `patience`: milliseconds after which PAUSED is returned; null: none. */
  async #next(patience: number | null): Promise<Buffer | null | typeof PAUSED> {
    // What was let go while something was waited for is to go at once.
    if (this.#pending !== null) this.#flush();
    this.#pending ??= this.#read();
    const bytes = patience === null ? await this.#pending : await unlessPaused(this.#pending, patience);
    if (bytes !== PAUSED) this.#pending = null;
    return bytes;
  }

  async #read(): Promise<Buffer | null> {
    const { connection, exchange } = this.#to;
    for (;;) {
      const event = connection.poll() as BodyEvent | null;
      if (event?.type === 'end') {
        this.#trailers = event.trailers;
        return null;
      }
      if (event !== null) {
        await exchange.lease?.download(event.bytes.length);
        exchange.received += event.bytes.length;
        exchange.usage?.push(event.bytes);
        exchange.transcript?.said('to-agent', event.bytes);
        return event.bytes;
      }
      if (connection.gone) throw new Error('the answer ended without an end');
      this.#flush();
      await connection.more();
    }
  }

  #flush(): void {
    if (this.#begun) this.#to.answer.flush();
  }

  async #letGo(): Promise<void> {
    const { answer, head, reading } = this.#to;
    if (!this.#begun) answer.begin(head());
    this.#begun = true;
    reading.begin();
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#decoded = [];
    for (const bytes of pieces) await answer.write(bytes);
  }

  async #finish(): Promise<void> {
    await this.#letGo();
    this.#to.exchange.usage?.end();
    this.#to.answer.end(this.#trailers);
  }

  async #finishWhole(): Promise<void> {
    const { answer, exchange, rewrite } = this.#to;
    const rewritten = rewrite(Buffer.concat(this.#decoded));
    if (rewritten === null) return this.#finish();
    exchange.usage?.end();
    answer.begin(rewritten.head);
    await answer.write(rewritten.bytes);
    answer.end(Fields.NONE);
  }
}
