import {
  constants,
  performServerHandshake,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { Http1Error } from '../../http1/error.ts';
import { Fields, type OutgoingFields } from '../../http1/fields.ts';
import type { AgentConnection, AgentRequest, Answer, AnswerHead, BodyStream } from '../message.ts';
import { headersObject, outgoingHeaders, readHttp2Head, type Http2Head } from './http2-head.ts';
import { StreamReader, sendTrailers, written } from './http2-stream.ts';
import { idleClock, ticks, type Watched } from './idle.ts';

/** Requests at once on one connection: what browsers and gRPC clients use, and what one agent may hold of our memory. */
const MAX_STREAMS = 128;
/** A stream's window: what one upload may be ahead of a slow upstream. */
const WINDOW = 256 * 1024;
/** The connection's window: room for several uploads at once. */
const CONNECTION_WINDOW = 1024 * 1024;
/** Longest header list, in bytes: what HTTP/1 may send too. */
const MAX_HEADER_LIST = 64 * 1024;
const MAX_FIELDS = 200;
/** Memory one session may take, in megabytes, before it is ended (node:http2 counts for us). */
const MAX_SESSION_MEMORY = 32;
/** How often, in milliseconds, an answer that waits for the agent's window is looked at: nothing tells when it has left. */
const LEAVING = 20;
/** Frames that cost the gate work and their sender nothing: more than this many in ten seconds is a flood. Ordinary
 * clients send a handful of each; a browser that leaves a page resets a hundred streams at once. */
const MAX_RESETS = 400;
const MAX_PINGS = 100;
const MAX_SETTINGS = 50;
const FLOOD_WINDOW = 10_000;

/** The agent's end of an HTTP/2 connection: requests as they come, many at a time. */
export class Http2Agent implements AgentConnection, Watched {
  readonly sequential = false;
  heard = 0;
  patience = 0;
  readonly #session: ServerHttp2Session;
  readonly #waiting: Http2Request[] = [];
  readonly #floods = { resets: 0, pings: 0, settings: 0, since: 0 };
  #open = 0;
  #over = false;
  #wake: (() => void) | null = null;

  constructor(socket: TLSSocket, options: { idle: number }) {
    this.#session = performServerHandshake(socket, {
      settings: {
        maxConcurrentStreams: MAX_STREAMS,
        initialWindowSize: WINDOW,
        maxHeaderListSize: MAX_HEADER_LIST,
        enablePush: false,
        enableConnectProtocol: true,
      },
      maxHeaderListPairs: MAX_FIELDS,
      maxSessionMemory: MAX_SESSION_MEMORY,
    });
    this.#session.setLocalWindowSize(CONNECTION_WINDOW);
    this.#session.on('stream', (stream, _headers, flags, raw?: readonly string[]) =>
      this.#take(stream, flags, raw ?? []),
    );
    this.#session.on('error', () => undefined);
    // Sockets here stay half open, so nothing else ends the session of an agent that left without a GOAWAY.
    socket.on('end', () => this.retire());
    this.#session.on('ping', () => this.#count('pings', MAX_PINGS));
    this.#session.on('remoteSettings', () => this.#count('settings', MAX_SETTINGS));
    this.#session.on('close', () => {
      this.#over = true;
      idleClock.forget(this);
      this.#rouse();
    });
    this.patience = ticks(options.idle);
    idleClock.watch(this);
  }

  get idle(): boolean {
    return this.#open === 0;
  }

  async next(): Promise<AgentRequest | null> {
    for (;;) {
      const request = this.#waiting.shift();
      if (request !== undefined) return request;
      if (this.#over) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  onSilence(): void {
    if (this.#open === 0) this.#session.close();
  }

  /** GOAWAY without an error: streams that are open go on to their end (RFC 9113 §6.8). */
  retire(): void {
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
  }

  destroy(): void {
    if (!this.#session.destroyed) this.#session.destroy();
  }

  #take(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    this.heard = idleClock.now;
    this.#open++;
    stream.on('close', () => {
      this.#open--;
      this.heard = idleClock.now;
    });
    stream.on('aborted', () => this.#count('resets', MAX_RESETS));
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    this.#waiting.push(requestOf(stream, raw, ended));
    this.#rouse();
  }

  /** Ends a connection that makes work for nothing (RFC 9113 §10.5). */
  #count(what: 'resets' | 'pings' | 'settings', limit: number): void {
    const now = performance.now();
    if (now - this.#floods.since > FLOOD_WINDOW)
      Object.assign(this.#floods, { resets: 0, pings: 0, settings: 0, since: now });
    if (++this.#floods[what] <= limit || this.#session.destroyed) return;
    // A turn later: within the frame that was one too many, the farewell would not be sent.
    setImmediate(() => {
      if (!this.#session.destroyed)
        this.#session.destroy(new Error(`a flood of ${what}`), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

/** What the frames of a request say, or why they are no request. */
function requestOf(stream: ServerHttp2Stream, raw: readonly string[], ended: boolean): Http2Request {
  try {
    return new Http2Request(stream, readRequestHead(raw), null, ended);
  } catch (error) {
    // Thrown here, an unexpected error would end the process: whatever it is, the request is none.
    const flaw = error instanceof Http1Error ? error : new Http1Error('the request cannot be read');
    return new Http2Request(stream, null, flaw, ended);
  }
}

/** Pseudo-header fields of a request (RFC 9113 §8.3.1); the path of a request judges what they say. */
function readRequestHead(raw: readonly string[]): Http2Head {
  const head = readHttp2Head(raw);
  const { pseudo, block } = head;
  const method = pseudo.get(':method');
  if (method === undefined) throw new Http1Error('no :method');
  // Extended CONNECT (RFC 8441) names a resource like every request; plain CONNECT is refused where requests are judged.
  if (method === 'CONNECT' && !pseudo.has(':protocol')) return head;
  const path = pseudo.get(':path');
  if (path === undefined || path === '' || !(path.startsWith('/') || path === '*'))
    throw new Http1Error('the :path is not a path');
  if (pseudo.get(':scheme') !== 'https') throw new Http1Error('the :scheme is not https');
  const authority = pseudo.get(':authority');
  if (authority === undefined && block.host === null) throw new Http1Error('neither :authority nor Host');
  if (authority !== undefined && block.host !== null && authority !== block.host)
    throw new Http1Error('the :authority and the Host field name different hosts', 421, 'authority-mismatch');
  return head;
}

class Http2Request implements AgentRequest {
  readonly protocol = 'h2';
  readonly method: string;
  readonly target: string;
  readonly authority: string | null;
  readonly fields: Fields;
  readonly connection: readonly string[] = NO_NAMES;
  readonly expect: string | null;
  readonly upgrade: string | null;
  readonly via: string | null;
  readonly credentials: readonly string[];
  readonly wantsTrailers: boolean;
  readonly flaw: Http1Error | null;
  readonly body: BodyStream;
  readonly answer: Http2Answer;
  onAbort: (() => void) | null = null;

  constructor(stream: ServerHttp2Stream, head: Http2Head | null, flaw: Http1Error | null, ended: boolean) {
    const block = head?.block;
    this.upgrade = head?.pseudo.get(':protocol') ?? null;
    // RFC 8441 §5: what GET with Upgrade is in HTTP/1.
    this.method = this.upgrade === null ? (head?.pseudo.get(':method') ?? '') : 'GET';
    this.target = head?.pseudo.get(':path') ?? '';
    this.authority = head?.pseudo.get(':authority') ?? block?.host ?? null;
    this.fields = block?.fields ?? Fields.NONE;
    this.expect = block?.expect ?? null;
    this.via = block?.via ?? null;
    this.credentials = block?.credentials ?? NO_NAMES;
    this.wantsTrailers = (block?.fields.values('te').length ?? 0) > 0;
    this.flaw = flaw;
    this.body = this.upgrade === null ? new Http2Body(stream, block?.length ?? null, ended) : NO_BODY;
    this.answer = new Http2Answer(stream, block?.expect ?? null, () => this.upgrade === null && this.body.finished);
    stream.on('close', () => {
      if (!this.answer.ended) this.onAbort?.();
    });
  }
}

const NO_NAMES: readonly string[] = [];
/** What flows on the stream of a WebSocket is no body. */
const NO_BODY: BodyStream = {
  length: 0,
  present: false,
  finished: true,
  trailers: Fields.NONE,
  read: () => Promise.resolve(null),
};

class Http2Body implements BodyStream {
  readonly length: number | null;
  readonly present: boolean;
  finished: boolean;
  trailers = Fields.NONE;
  readonly #reader: StreamReader;

  constructor(stream: ServerHttp2Stream, length: number | null, ended: boolean) {
    this.#reader = new StreamReader(stream, true);
    this.length = length;
    this.present = !ended;
    this.finished = ended;
    // Bytes are taken when somebody asks for them: a request that is refused never sends its body past one window.
    if (!ended) stream.pause();
  }

  async read(): Promise<Buffer | null> {
    if (this.finished) return null;
    if (this.#reader.stream.isPaused()) this.#reader.stream.resume();
    for (;;) {
      const event = this.#reader.poll();
      if (event === null) await this.#reader.more();
      else if (event.type === 'body') return event.bytes;
      else if (event.type === 'end') {
        this.trailers = event.trailers;
        this.finished = true;
        return null;
      }
    }
  }
}

class Http2Answer implements Answer {
  begun = false;
  /** The last of it has been given. */
  ended = false;
  readonly #stream: ServerHttp2Stream;
  /** Whether the request has been read to its end. */
  readonly #isWhole: () => boolean;
  #awaitsContinue: boolean;
  #trailers: Fields = Fields.NONE;

  constructor(stream: ServerHttp2Stream, expect: string | null, isWhole: () => boolean) {
    this.#stream = stream;
    this.#isWhole = isWhole;
    this.#awaitsContinue = expect?.toLowerCase() === '100-continue';
    stream.on('wantTrailers', () => {
      sendTrailers(stream, this.#trailers);
      // A turn later, for node:http2 takes the trailers back from a stream that is closed at once.
      setImmediate(() => this.#declineRest());
    });
  }

  get backlog(): number {
    return this.#stream.writableLength;
  }

  proceed(): void {
    if (!this.#awaitsContinue || this.#gone) return;
    this.#awaitsContinue = false;
    this.#stream.additionalHeaders({ ':status': 100 });
  }

  inform(status: number, fields: OutgoingFields): void {
    if (!this.#gone) this.#stream.additionalHeaders(outgoingHeaders(fields, statusHeaders(status)));
  }

  begin(head: AnswerHead): void {
    const { framing, declared } = head;
    const length = declared ?? (framing !== null && framing > 0 ? framing : null);
    // An answer that is all head ends with it: gRPC tells errors so, and looks for them nowhere else.
    const bare = framing === null || framing === 0;
    const headers = statusHeaders(head.status);
    outgoingHeaders(head.fields, headers);
    if (length !== null) headers['content-length'] = String(length);
    this.begun = true;
    if (this.#gone) return;
    if (bare) this.#stream.once('finish', () => this.#declineRest());
    this.#stream.respond(headers, { endStream: bare, waitForTrailers: !bare });
  }

  upgrade(fields: OutgoingFields): Duplex {
    this.begun = true;
    this.ended = true;
    this.#stream.respond(outgoingHeaders(fields, statusHeaders(200)));
    return this.#stream;
  }

  write(bytes: Buffer): Promise<void> | null {
    return this.#gone ? null : written(this.#stream, bytes);
  }

  flush(): void {
    // A frame leaves as soon as it is written.
  }

  end(trailers: Fields): void {
    this.ended = true;
    this.#trailers = trailers;
    if (this.#gone) return;
    if (!this.#stream.writableEnded) this.#stream.end();
  }

  /** Not with `close()`, which would end the stream in peace first: what is cut must look cut. */
  destroy(): void {
    this.ended = true;
    this.#stream.destroy(new Error('the answer was cut off'));
  }

  close(): void {
    // A stream is no more than one request: its connection and the other streams go on.
  }

  /**
   * RFC 9113 §8.1: what is still being sent of a request that has its answer is not wanted any more. But a reset goes before
   * DATA that waits for the agent's window, and takes that with it: so only once the answer has left whole.
   */
  #declineRest(): void {
    if (this.#gone || this.#isWhole()) return;
    const { localClose, remoteClose } = this.#stream.state;
    if (remoteClose === 1) return;
    if (localClose === 1) this.#stream.close(constants.NGHTTP2_NO_ERROR);
    else setTimeout(() => this.#declineRest(), LEAVING).unref();
  }

  get #gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }
}

function statusHeaders(status: number): OutgoingHttpHeaders {
  const headers = headersObject();
  headers[':status'] = status;
  return headers;
}
