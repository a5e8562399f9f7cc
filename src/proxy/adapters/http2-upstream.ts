import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Fields } from '../../http1/fields.ts';
import type { ResponseHead } from '../../http1/head.ts';
import type { MessageEvent } from '../../http1/reader.ts';
import { Http1Error } from '../../http1/error.ts';
import { Denial } from '../../model/denial.ts';
import type { UpstreamExchange } from '../message.ts';
import type { UpstreamRequest } from '../prepare.ts';
import { headersObject, outgoingHeaders, responseHeadOf } from './http2-head.ts';
import { StreamReader, StreamReset, cut, sendTrailers, written } from './http2-stream.ts';
import { idleClock, ticks, type Watched } from './idle.ts';

/** A stream's window: what one answer may be ahead of a slow agent. */
const WINDOW = 256 * 1024;
/** The connection's window: room for several streams at once. */
const CONNECTION_WINDOW = 4 * 1024 * 1024;
/** Streams at once until the upstream has said how many it takes; the least that RFC 9113 §6.5.2 advises to allow. */
const UNSAID = 100;
/** A session without streams is closed after this long, in milliseconds. */
const UNUSED = 60_000;

/** One HTTP/2 connection to an upstream; carries the exchanges of one agent, many at a time. */
export class Http2Upstream implements Watched {
  heard = 0;
  patience = 0;
  readonly address: string;
  readonly #session: ClientHttp2Session;
  #streams = 0;
  #used = 0;
  #leaving = false;

  constructor(socket: Socket, authority: string, address: string) {
    this.address = address;
    socket.setNoDelay(true);
    this.#session = connect(`https://${authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW },
    });
    this.#session.on('error', () => (this.#leaving = true));
    this.#session.on('goaway', () => (this.#leaving = true));
    this.#session.on('connect', () => {
      if (!this.#session.destroyed) this.#session.setLocalWindowSize(CONNECTION_WINDOW);
    });
    this.#session.on('close', () => {
      this.#leaving = true;
      idleClock.forget(this);
    });
    this.patience = ticks(UNUSED);
    idleClock.watch(this);
  }

  /** True when no further exchange can begin here, ever. */
  get gone(): boolean {
    return this.#leaving || this.#session.closed || this.#session.destroyed;
  }

  /** True when another exchange can begin now. */
  get hasRoom(): boolean {
    const limit = this.#session.remoteSettings.maxConcurrentStreams ?? UNSAID;
    return !this.gone && this.#streams < limit;
  }

  /** Begins an exchange. */
  open(): UpstreamExchange {
    this.#streams++;
    this.#used++;
    return new Http2Exchange(this.#session, this.address, this.#used > 1, () => {
      this.#streams--;
      this.heard = idleClock.now;
    });
  }

  onSilence(): void {
    if (this.#streams === 0) this.#session.close();
  }

  destroy(): void {
    this.#session.destroy();
  }
}

/** Methods that may be sent again when a kept session turns out closed (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

class Http2Exchange implements UpstreamExchange {
  readonly address: string;
  readonly #session: ClientHttp2Session;
  readonly #reused: boolean;
  readonly #leave: () => void;
  #reader: StreamReader | null = null;
  #stream: ClientHttp2Stream | null = null;
  #trailers: Fields | null = null;
  #patience = 0;
  #answered = false;
  #left = false;

  constructor(session: ClientHttp2Session, address: string, reused: boolean, leave: () => void) {
    this.#session = session;
    this.address = address;
    this.#reused = reused;
    this.#leave = leave;
  }

  get gone(): boolean {
    return this.#reader?.over ?? false;
  }

  patience(milliseconds: number): void {
    this.#patience = milliseconds;
    this.#reader?.wait(milliseconds);
  }

  send(request: UpstreamRequest): void {
    const { method, target, authority, framing, body } = request;
    if (request.websocketKey !== null)
      throw new Denial(
        'upstream-malformed',
        `${authority} speaks HTTP/2 alone, over which the gate opens no WebSocket`,
      );
    const headers = headersObject();
    headers[':method'] = method;
    headers[':scheme'] = 'https';
    headers[':authority'] = authority;
    headers[':path'] = target;
    outgoingHeaders(request.fields, headers);
    if (request.wantsTrailers) headers['te'] = 'trailers';
    if (framing !== null && framing >= 0) headers['content-length'] = String(framing);
    const bare = body.size === 0 && body.rest === null && body.trailers.size === 0;
    const stream = this.#session.request(headers, { endStream: bare, waitForTrailers: !bare });
    this.#stream = stream;
    this.#listen(stream, method);
    if (bare) return;
    for (const bytes of body.pieces) stream.write(bytes);
    if (body.rest === null) this.finish(body.trailers);
  }

  async write(bytes: Buffer): Promise<void> {
    this.#reader?.touch();
    if (this.#stream !== null) await written(this.#stream, bytes);
  }

  finish(trailers: Fields): void {
    this.#trailers = trailers;
    this.#stream?.end();
  }

  takeHead(): ResponseHead | null {
    const event = this.#reader?.poll() ?? null;
    if (event === null) return null;
    if (event.type !== 'head') throw new Http1Error('a body without a head');
    return event.head;
  }

  poll(): MessageEvent<ResponseHead> | null {
    return this.#reader?.poll() ?? null;
  }

  more(): Promise<void> {
    return this.#reader?.more() ?? Promise.resolve();
  }

  /** REFUSED_STREAM says it outright (RFC 9113 §8.7); a session that was closed as we used it has seen nothing. */
  isUnseen(error: unknown, request: UpstreamRequest): boolean {
    if (request.body.rest !== null || error instanceof Denial || error instanceof Http1Error) return false;
    if (error instanceof StreamReset && error.code === constants.NGHTTP2_REFUSED_STREAM) return true;
    return this.#reused && !this.#answered && IDEMPOTENT.has(request.method) && this.#session.destroyed;
  }

  surrender(): Duplex {
    throw new Error('a stream is never surrendered');
  }

  release(): void {
    this.#end();
    // An answer that came before the whole request: the rest of that is nobody's.
    if (this.#stream?.writableEnded === false) cut(this.#stream);
  }

  destroy(reason?: Error): void {
    this.#end();
    if (reason !== undefined) this.#reader?.fail(reason);
    if (this.#stream !== null) cut(this.#stream);
  }

  #listen(stream: ClientHttp2Stream, method: string): void {
    const reader = new StreamReader(stream, false);
    this.#reader = reader;
    reader.onSilence = () => {
      reader.fail(new Denial('upstream-timeout', 'the upstream was silent for too long'));
      cut(stream);
    };
    reader.wait(this.#patience);
    const onHead = (_headers: object, flags: number, raw: readonly string[]): void => {
      try {
        const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
        const head = responseHeadOf(raw, method, ended);
        this.#answered = true;
        reader.head(head);
      } catch (error) {
        reader.fail(error as Error);
        cut(stream);
      }
    };
    stream.on('headers', onHead);
    stream.on('response', onHead);
    stream.on('wantTrailers', () => sendTrailers(stream, this.#trailers ?? Fields.NONE));
    stream.on('close', () => this.#end());
  }

  #end(): void {
    if (this.#left) return;
    this.#left = true;
    this.#leave();
  }
}
