import { randomFillSync } from 'node:crypto';
import { ExchangeTrace } from './exchange-trace.ts';
import { spanTexts, tracesRequest, type TracedExchange } from './otlp-spans.ts';
import { readTraceparent } from './trace-context.ts';

export interface TracerOptions {
  /** Share of the traces begun here that are exported. Those that others began are as they said. */
  readonly share: number;
  readonly version: string;
  /** Name of this process. */
  readonly instance: string;
  /** Sends a request to the collector. Rejects where it is not taken. */
  readonly post: (body: string) => Promise<unknown>;
  /** Told how many spans were exported, or given up. */
  readonly onSpans: (result: 'exported' | 'dropped', count: number) => void;
  /** Told once when the collector stops taking spans, and why, and once (null) when it takes them again. */
  readonly onState: (problem: string | null) => void;
}

/** Spans that wait to be exported; beyond that the newest are given up: traces are a help, and never in the way. */
const MOST = 20_000;
/** Spans in one request, and milliseconds until what waits is sent. */
const BATCH = 512;
const SOON = 1000;
/** Attempts to send a batch. */
const ATTEMPTS = 3;
const POOL = 4096;

/** Begins traces of exchanges, or goes on with those that agents began, and exports them (OTLP/HTTP, JSON). */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #pool = Buffer.alloc(POOL);
  #at = POOL;
  #waiting: string[] = [];
  #timer: NodeJS.Timeout | null = null;
  #sending: Promise<void> | null = null;
  #problem = false;
  #closed = false;

  constructor(options: TracerOptions) {
    this.#options = options;
  }

  /** Begins the trace of an exchange. `traceparent`: values of that field of the request. */
  begin(traceparent: readonly string[]): ExchangeTrace {
    const parent = readTraceparent(traceparent);
    const sampled = parent?.sampled ?? Math.random() < this.#options.share;
    return new ExchangeTrace(parent, sampled, (bytes) => this.#id(bytes));
  }

  /** An exchange is over: its spans are exported soon. */
  end(exchange: TracedExchange): void {
    if (!exchange.trace.sampled || this.#closed) return;
    const spans = spanTexts(exchange, Date.now() - performance.now());
    if (this.#waiting.length + spans.length > MOST) return this.#options.onSpans('dropped', spans.length);
    this.#waiting.push(...spans);
    if (this.#waiting.length >= BATCH) void this.#send();
    else this.#timer ??= setTimeout(() => void this.#send(), SOON).unref();
  }

  /** Sends what waits; resolves when it is sent or given up, or after so many milliseconds. */
  async flush(milliseconds: number): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
    await Promise.race([this.#send(), late]);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #send(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    return (this.#sending ??= this.#sendAll().finally(() => (this.#sending = null)));
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#closed) await this.#post(this.#waiting.splice(0, BATCH));
  }

  async #post(spans: readonly string[]): Promise<void> {
    const { version, instance, post, onSpans } = this.#options;
    const body = tracesRequest(spans, { version, instance });
    for (let attempt = 1; ; attempt++) {
      try {
        await post(body);
        this.#tell(null);
        return onSpans('exported', spans.length);
      } catch (error) {
        this.#tell((error as Error).message);
        if (attempt === ATTEMPTS || this.#closed) return onSpans('dropped', spans.length);
        await new Promise((resolve) => setTimeout(resolve, SOON * attempt).unref());
      }
    }
  }

  #tell(problem: string | null): void {
    if (this.#problem === (problem !== null)) return;
    this.#problem = problem !== null;
    this.#options.onState(problem);
  }

  /** So many random bytes in hex. They are drawn many at a time: each draw is a call into the system. */
  #id(bytes: number): string {
    if (this.#at + bytes > POOL) {
      randomFillSync(this.#pool);
      this.#at = 0;
    }
    const id = this.#pool.toString('hex', this.#at, this.#at + bytes);
    this.#at += bytes;
    return id;
  }
}
