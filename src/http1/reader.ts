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
  /** Bytes of an unfinished head already searched for its end. */
  #searched = 0;
  #state: State = 'head';
  #remaining = 0;

  constructor(parseHead: (text: string) => Head) {
    this.#parseHead = parseHead;
  }

  /** Bytes received and not yet handed out. */
  get buffered(): number {
    return this.#buffer.length - this.#position;
  }

  /** True between messages. */
  get resting(): boolean {
    return this.#state === 'idle' || (this.#state === 'head' && this.buffered === 0);
  }

  push(bytes: Buffer): void {
    if (this.buffered === 0) this.#buffer = bytes;
    else this.#buffer = Buffer.concat([this.#buffer.subarray(this.#position), bytes]);
    this.#position = 0;
  }

  /** Lets the reader go on to the next message. */
  proceed(): void {
    if (this.#state !== 'idle') throw new Error('proceed() before the message ended');
    this.#state = 'head';
  }

  /** Bytes behind the head of a request that ends HTTP on this connection (CONNECT). */
  takeRest(): Buffer {
    const rest = this.#buffer.subarray(this.#position);
    this.#buffer = EMPTY;
    this.#position = 0;
    return rest;
  }

  /** The next event, or null when more bytes are needed. Throws Http1Error; the reader is of no use afterwards. */
  next(): MessageEvent<Head> | null {
    for (;;) {
      switch (this.#state) {
        case 'idle':
          return null;
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
          if (!this.#readChunkLine()) return null;
          break;
        case 'chunk-end':
          if (!this.#readChunkEnd()) return null;
          break;
        case 'trailers':
          return this.#readTrailers();
      }
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
    if (this.buffered === 0) return null;
    const end = this.#buffer.indexOf('\r\n\r\n', from + Math.max(0, this.#searched - 3), 'latin1');
    if (end === -1 ? this.buffered > MAX_HEAD : end - from > MAX_HEAD)
      throw new Http1Error('the head is too large', 431);
    if (end === -1) {
      this.#refuseBareLineFeeds(from + this.#searched);
      this.#searched = this.buffered;
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
    const available = this.buffered;
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
  #readChunkLine(): boolean {
    const line = this.#takeLine(MAX_CHUNK_LINE, 'a chunk size line is too long');
    if (line === null) return false;
    const match = /^([0-9A-Fa-f]{1,12})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?$/.exec(line);
    if (match === null) throw new Http1Error('a chunk size is malformed');
    this.#remaining = Number.parseInt(match[1] ?? '', 16);
    this.#state = this.#remaining === 0 ? 'trailers' : 'chunk-data';
    return true;
  }

  #readChunkEnd(): boolean {
    if (this.buffered < 2) {
      if (this.buffered === 1 && this.#buffer[this.#position] !== CR) throw new Http1Error('a chunk overruns its size');
      return false;
    }
    if (this.#buffer[this.#position] !== CR || this.#buffer[this.#position + 1] !== LF) {
      throw new Http1Error('a chunk overruns its size');
    }
    this.#position += 2;
    this.#state = 'chunk-line';
    return true;
  }

  #readTrailers(): MessageEvent<Head> | null {
    if (this.buffered < 2) return null;
    if (this.#buffer[this.#position] === CR && this.#buffer[this.#position + 1] === LF) {
      this.#position += 2;
      this.#state = 'idle';
      return END;
    }
    const end = this.#buffer.indexOf('\r\n\r\n', this.#position, 'latin1');
    if (end === -1 ? this.buffered > MAX_TRAILERS : end - this.#position > MAX_TRAILERS) {
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
    if (end === -1 ? this.buffered > limit : end - this.#position > limit) throw new Http1Error(tooLong);
    if (end === -1) {
      this.#refuseBareLineFeeds(this.#position);
      return null;
    }
    const line = this.#buffer.toString('latin1', this.#position, end);
    this.#position = end + 2;
    return line;
  }
}
