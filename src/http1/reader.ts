import { Http1Error } from './error.ts';
import { Fields } from './fields.ts';
import { CHUNKED, UNTIL_CLOSE, parseTrailers, type Framing } from './head.ts';

/** What a reader finds in the bytes, in order: one head, any number of bodies, one end; then the next message. */
export type MessageEvent<Head> =
  | { readonly type: 'head'; readonly head: Head }
  | { readonly type: 'body'; readonly bytes: Buffer }
  | { readonly type: 'end'; readonly trailers: Fields };

/** Longest head, in bytes: above what real clients send (cookies, tokens), below what fills memory. */
export const MAX_HEAD = 64 * 1024;
const MAX_CHUNK_LINE = 256;
const MAX_TRAILERS = 8 * 1024;
const END: { readonly type: 'end'; readonly trailers: Fields } = { type: 'end', trailers: Fields.NONE };
const EMPTY = Buffer.alloc(0);
const CR = 0x0d;
const LF = 0x0a;

type State =
  'head' | 'length' | 'until-close' | 'chunk-line' | 'chunk-data' | 'chunk-end' | 'trailers' | 'end' | 'idle';

interface Framed {
  readonly framing: Framing;
}

/**
 * Bytes in, events out, for either side of HTTP/1 (RFC 9112). Pure: no socket, no clock. Pull-driven, so that a request
 * that came too early stays bytes until it is asked for. After `end` it rests until `proceed()`.
 */
export class MessageReader<Head extends Framed> {
  readonly #parseHead: (text: string) => Head;
  #buffer: Buffer = EMPTY;
  #position = 0;
  /** Buffers behind the one at hand: a body that waits for a slow reader is not copied together. */
  readonly #queue: Buffer[] = [];
  #queued = 0;
  /** Bytes of an unfinished head already searched for its end. */
  #searched = 0;
  #state: State = 'head';
  #remaining = 0;

  constructor(parseHead: (text: string) => Head) {
    this.#parseHead = parseHead;
  }

  /** Bytes received and not yet handed out. */
  get buffered(): number {
    return this.#here + this.#queued;
  }

  /** Bytes that can be read without joining buffers. */
  get #here(): number {
    return this.#buffer.length - this.#position;
  }

  /** True between messages. */
  get resting(): boolean {
    return this.#state === 'idle' || (this.#state === 'head' && this.buffered === 0);
  }

  push(bytes: Buffer): void {
    if (this.buffered > 0) {
      this.#queue.push(bytes);
      this.#queued += bytes.length;
      return;
    }
    this.#buffer = bytes;
    this.#position = 0;
  }

  /** Brings one more received buffer within reach; joins it only to what is left of the one before. False: there is none. */
  #extend(): boolean {
    const next = this.#queue.shift();
    if (next === undefined) return false;
    this.#queued -= next.length;
    this.#buffer = this.#here === 0 ? next : Buffer.concat([this.#buffer.subarray(this.#position), next]);
    this.#position = 0;
    return true;
  }

  /** Lets the reader go on to the next message. */
  proceed(): void {
    if (this.#state !== 'idle') throw new Error('proceed() before the message ended');
    this.#state = 'head';
  }

  /** Bytes behind the head of a request that ends HTTP on this connection (CONNECT). */
  takeRest(): Buffer {
    while (this.#queue.length > 0) this.#extend();
    const rest = this.#buffer.subarray(this.#position);
    this.#buffer = EMPTY;
    this.#position = 0;
    return rest;
  }

  /** The next event, or null when more bytes are needed. Throws Http1Error; the reader is of no use afterwards. */
  next(): MessageEvent<Head> | null {
    for (;;) {
      if (this.#state === 'idle') return null;
      const before = this.#state;
      const event = this.#step();
      if (event !== null) return event;
      // A step that neither found an event nor moved on needs more bytes.
      if (this.#state === before && !this.#extend()) return null;
    }
  }

  #step(): MessageEvent<Head> | null {
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'length':
      case 'chunk-data':
      case 'until-close':
        return this.#readBody();
      case 'end':
        this.#state = 'idle';
        return END;
      case 'chunk-line':
        this.#readChunkLine();
        return null;
      case 'chunk-end':
        this.#readChunkEnd();
        return null;
      case 'trailers':
        return this.#readTrailers();
      case 'idle':
        return null;
    }
  }

  /** The peer will send no more. Returns the event this completes, if any; throws when it cuts a message short. */
  finish(): MessageEvent<Head> | null {
    if (this.#state === 'until-close') {
      this.#state = 'idle';
      return END;
    }
    if (this.resting) return null;
    throw new Http1Error('the connection ended within a message');
  }

  #readHead(): MessageEvent<Head> | null {
    const from = this.#position;
    if (this.#here === 0) return null;
    const end = this.#buffer.indexOf('\r\n\r\n', from + Math.max(0, this.#searched - 3), 'latin1');
    if (end === -1 ? this.#here > MAX_HEAD : end - from > MAX_HEAD) throw new Http1Error('the head is too large', 431);
    if (end === -1) {
      this.#refuseBareLineFeeds(from + this.#searched);
      this.#searched = this.#here;
      return null;
    }
    this.#searched = 0;
    // Stray CR and LF need no search here: the field grammar refuses both as control characters.
    const head = this.#parseHead(this.#buffer.toString('latin1', from, end));
    this.#position = end + 4;
    this.#frame(head.framing);
    return { type: 'head', head };
  }

  /** A head with bare line feeds may never end by our grammar: refuse at once rather than at a timeout. */
  #refuseBareLineFeeds(from: number): void {
    for (let at = this.#buffer.indexOf(LF, from); at !== -1; at = this.#buffer.indexOf(LF, at + 1)) {
      if (at === this.#position || this.#buffer[at - 1] !== CR) throw new Http1Error('a line ends in a bare line feed');
    }
  }

  #frame(framing: Framing): void {
    if (framing === CHUNKED) this.#state = 'chunk-line';
    else if (framing === UNTIL_CLOSE) this.#state = 'until-close';
    else if (framing === 0) this.#state = 'end';
    else this.#state = 'length';
    this.#remaining = framing > 0 ? framing : 0;
  }

  #readBody(): MessageEvent<Head> | null {
    const available = this.#here;
    if (available === 0) return null;
    const take = this.#state === 'until-close' ? available : Math.min(available, this.#remaining);
    const bytes = this.#buffer.subarray(this.#position, this.#position + take);
    this.#position += take;
    if (this.#state !== 'until-close') {
      this.#remaining -= take;
      if (this.#remaining === 0) this.#state = this.#state === 'length' ? 'end' : 'chunk-end';
    }
    return { type: 'body', bytes };
  }

  /** chunk-size [ chunk-ext ] CRLF (RFC 9112 §7.1); extensions are read over, never passed on. */
  #readChunkLine(): void {
    const line = this.#takeLine(MAX_CHUNK_LINE, 'a chunk size line is too long');
    if (line === null) return;
    const match = /^([0-9A-Fa-f]{1,12})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
    if (match === null) throw new Http1Error('a chunk size is malformed');
    this.#remaining = Number.parseInt(match[1] ?? '', 16);
    this.#state = this.#remaining === 0 ? 'trailers' : 'chunk-data';
  }

  #readChunkEnd(): void {
    if (this.#here < 2) {
      if (this.#here === 1 && this.#buffer[this.#position] !== CR) throw new Http1Error('a chunk overruns its size');
      return;
    }
    if (this.#buffer[this.#position] !== CR || this.#buffer[this.#position + 1] !== LF) {
      throw new Http1Error('a chunk overruns its size');
    }
    this.#position += 2;
    this.#state = 'chunk-line';
  }

  #readTrailers(): MessageEvent<Head> | null {
    if (this.#here < 2) return null;
    if (this.#buffer[this.#position] === CR && this.#buffer[this.#position + 1] === LF) {
      this.#position += 2;
      this.#state = 'idle';
      return END;
    }
    const end = this.#buffer.indexOf('\r\n\r\n', this.#position, 'latin1');
    if (end === -1 ? this.#here > MAX_TRAILERS : end - this.#position > MAX_TRAILERS) {
      throw new Http1Error('the trailers are too large', 431);
    }
    if (end === -1) {
      this.#refuseBareLineFeeds(this.#position);
      return null;
    }
    const trailers = parseTrailers(this.#buffer.toString('latin1', this.#position, end));
    this.#position = end + 4;
    this.#state = 'idle';
    return { type: 'end', trailers };
  }

  #takeLine(limit: number, tooLong: string): string | null {
    const end = this.#buffer.indexOf('\r\n', this.#position, 'latin1');
    if (end === -1 ? this.#here > limit : end - this.#position > limit) throw new Http1Error(tooLong);
    if (end === -1) {
      this.#refuseBareLineFeeds(this.#position);
      return null;
    }
    const line = this.#buffer.toString('latin1', this.#position, end);
    this.#position = end + 2;
    return line;
  }
}
