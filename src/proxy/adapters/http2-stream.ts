import { constants, type Http2Stream } from 'node:http2';
import { addAbortSignal } from 'node:stream';
import { Fields, OutgoingFields, TRAILERS } from '../../http1/fields.ts';
import type { ResponseHead } from '../../http1/head.ts';
import type { MessageEvent } from '../../http1/reader.ts';
import { headersObject, outgoingHeaders, trailersOf } from './http2-head.ts';
import { idleClock, ticks, type Watched } from './idle.ts';

/** Bytes a stream may be ahead of whoever reads it before it is held back, and where it goes on. */
const HIGH = 128 * 1024;
const LOW = 32 * 1024;
const END: MessageEvent<ResponseHead> = { type: 'end', trailers: Fields.NONE };

/** A stream that was reset, or lost with its connection. */
export class StreamReset extends Error {
  /** Error code of HTTP/2 (RFC 9113 §7). */
  readonly code: number;

  constructor(code: number) {
    super(`the stream was reset (${nameOf(code)})`);
    this.code = code;
  }
}

/** Reads one HTTP/2 stream as the events HTTP/1 is read as. Pull: a reader that is slow holds its peer's window. */
export class StreamReader implements Watched {
  heard = 0;
  patience = 0;
  onSilence: () => void = () => undefined;
  readonly stream: Http2Stream;
  readonly #queue: Array<MessageEvent<ResponseHead>> = [];
  #size = 0;
  #paused = false;
  #done = false;
  #failure: Error | null = null;
  #trailers: readonly string[] = [];
  #wake: (() => void) | null = null;
  /** The head of the message is known. */
  #headed: boolean;

  /** `headed`: the head has been read already, so that what comes is the body. */
  constructor(stream: Http2Stream, headed: boolean) {
    this.stream = stream;
    this.#headed = headed;
    stream.on('data', (bytes: Buffer) => this.#take({ type: 'body', bytes }, bytes.length));
    stream.on('trailers', (_headers: object, _flags: number, raw: readonly string[]) => (this.#trailers = raw));
    stream.on('end', () => this.#finish());
    stream.on('error', (error: NodeJS.ErrnoException) =>
      this.fail(error.code === 'ERR_HTTP2_STREAM_ERROR' ? new StreamReset(stream.rstCode ?? 0) : error),
    );
    stream.on('close', () => {
      idleClock.forget(this);
      if (!this.#complete) this.fail(new StreamReset(stream.rstCode ?? constants.NGHTTP2_CANCEL));
    });
    stream.on('drain', () => this.touch());
    idleClock.watch(this);
  }

  /** True when nothing more will come. */
  get over(): boolean {
    return this.#failure !== null || (this.#done && this.#queue.length === 0);
  }

  /** The message is here whole, its head included. */
  get #complete(): boolean {
    return this.#done && this.#headed;
  }

  wait(milliseconds: number): void {
    this.patience = ticks(milliseconds);
    this.touch();
  }

  touch(): void {
    this.heard = idleClock.now;
  }

  /**
   * Puts a head before what follows it. node:http2 tells of heads a tick after their frame, and of bytes at once: where both
   * came together, the bytes are here first.
   */
  head(head: ResponseHead): void {
    const behind = this.#queue.findIndex((event) => event.type !== 'head');
    this.#queue.splice(behind === -1 ? this.#queue.length : behind, 0, { type: 'head', head });
    if (head.status >= 200) this.#headed = true;
    this.touch();
    this.#rouse();
  }

  poll(): MessageEvent<ResponseHead> | null {
    const early = !this.#headed && this.#queue[0]?.type !== 'head';
    const event = early ? undefined : this.#queue.shift();
    if (event === undefined) {
      if (this.#failure !== null) throw this.#failure;
      return null;
    }
    if (event.type === 'body') this.#size -= event.bytes.length;
    if (this.#paused && this.#size < LOW) {
      this.#paused = false;
      this.stream.resume();
    }
    return event;
  }

  more(): Promise<void> {
    const ready = this.#queue.length > 0 && (this.#headed || this.#queue[0]?.type === 'head');
    if (ready || this.#failure !== null || this.#complete) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Ends reading with an error that whoever reads will see behind what is already here. */
  fail(error: Error): void {
    if (this.#failure !== null || this.#complete) return;
    this.#failure = error;
    this.#rouse();
  }

  #take(event: MessageEvent<ResponseHead>, size: number): void {
    this.touch();
    this.#queue.push(event);
    this.#size += size;
    if (this.#size > HIGH && !this.#paused) {
      this.#paused = true;
      this.stream.pause();
    }
    this.#rouse();
  }

  #finish(): void {
    // A stream that is reset ends too: what was cut must not look whole.
    const code = this.stream.rstCode ?? constants.NGHTTP2_NO_ERROR;
    if (code !== constants.NGHTTP2_NO_ERROR) {
      this.fail(new StreamReset(code));
      return;
    }
    try {
      const trailers = trailersOf(this.#trailers);
      this.#take(trailers === Fields.NONE ? END : { type: 'end', trailers }, 0);
      this.#done = true;
    } catch (error) {
      this.fail(error as Error);
    }
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

/** Ends a stream with its trailers, or cuts it: an error thrown here, in an event of the stream, would end the process. */
export function sendTrailers(stream: Http2Stream, trailers: Fields): void {
  try {
    stream.sendTrailers(outgoingHeaders(new OutgoingFields(trailers, TRAILERS), headersObject()));
  } catch (error) {
    stream.destroy(error as Error);
  }
}

const ABORTED = AbortSignal.abort();

/**
 * Cuts a stream off with CANCEL. Not by `close()`, which ends it in peace first: what is cut must not look whole. A signal
 * that has fired already does it; one for each stream to fire later costs more than the rest of the stream (hot-path.md).
 */
export function cut(stream: Http2Stream): void {
  addAbortSignal(ABORTED, stream);
}

/** Writes with backpressure: resolves when the peer can take more, or is gone. */
export function written(stream: Http2Stream, bytes: Buffer): Promise<void> | null {
  if (stream.destroyed || stream.write(bytes)) return null;
  return new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

const NAMES = new Map(
  Object.entries(constants)
    .filter(([name]) =>
      /^NGHTTP2_(?:NO_ERROR|[A-Z0-9]+_ERROR|CANCEL|REFUSED_STREAM|ENHANCE_YOUR_CALM|HTTP_1_1_REQUIRED|STREAM_CLOSED|INADEQUATE_SECURITY|CONNECT_ERROR|SETTINGS_TIMEOUT)$/.test(
        name,
      ),
    )
    .map(([name, code]) => [code as number, name.replace('NGHTTP2_', '')]),
);

function nameOf(code: number): string {
  return NAMES.get(code) ?? String(code);
}
