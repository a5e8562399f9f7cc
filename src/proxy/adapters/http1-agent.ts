import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Http1Error } from '../../http1/error.ts';
import { Fields, TRAILERS, type OutgoingFields } from '../../http1/fields.ts';
import { CHUNKED, UNTIL_CLOSE, parseRequestHead, type RequestHead } from '../../http1/head.ts';
import { MessageReader } from '../../http1/reader.ts';
import { chunk, headText, lastChunk } from '../../http1/write.ts';
import { equalsIgnoringCase } from '../../http1/grammar.ts';
import type { AgentConnection, AgentRequest, Answer, AnswerHead, BodyStream } from '../message.ts';
import { acceptFor } from '../websocket.ts';
import { Wire } from './wire.ts';

/** From the first byte of a head to its last: longer is a slow-loris, not a slow line. */
const HEAD_TIMEOUT = 30_000;
/** Rest of a refused upload that is read so that the connection can be used again. */
const DRAIN_LIMIT = 64 * 1024;
/** A closing connection swallows this much, this long, so that the refusal is not lost to a TCP reset. */
const LINGER_BYTES = 4 * 1024 * 1024;
const LINGER_TIME = 2_000;
/** Pieces smaller than this are gathered into one write. */
const GATHER = 16 * 1024;

/** The agent's end of an HTTP/1 connection: requests one after another, each with its way back. */
export class Http1Agent implements AgentConnection {
  readonly sequential = true;
  readonly wire: Wire<RequestHead>;
  #current: Http1Request | null = null;
  /** True while the gate, not the agent, is the one to act. */
  #busy = false;

  readonly #idle: number;

  /** `first`: milliseconds until the first request has begun; `idle`: silence after it. */
  constructor(socket: Duplex, options: { first: number; idle: number; endIsAbort: boolean }) {
    this.#idle = options.idle;
    this.wire = new Wire(socket, new MessageReader(parseRequestHead));
    this.wire.wait(options.first);
    // While the agent rightly waits for us, silence is ours.
    this.wire.onSilence = () => {
      if (!this.#busy || this.#current?.waitsForAgent === true)
        this.wire.fail(new Http1Error('the connection was idle for too long', 408));
    };
    if (options.endIsAbort) socket.on('end', () => this.#current?.onAbort?.());
    this.wire.onGone = () => this.#current?.onAbort?.();
  }

  get idle(): boolean {
    return !this.#busy;
  }

  retire(): void {
    if (this.#busy) this.#current?.answer.close();
    else this.destroy();
  }

  destroy(): void {
    this.wire.socket.destroy();
  }

  /** Gives the connection away, for it speaks HTTP no more (CONNECT). */
  release(): Socket {
    return this.wire.release() as Socket;
  }

  /** The next request; null when there will be none. Bytes that are no request come back as one with a flaw. */
  async next(): Promise<Http1Request | null> {
    const before = this.#current;
    // The common case first, without a promise: the exchange read its request to the end.
    if (before !== null && before.answer.keepAlive && before.body.finished && !this.wire.gone) this.wire.proceed();
    else if (before !== null && !(await this.#settle(before))) return null;
    this.#current = null;
    this.#busy = false;
    let timer: NodeJS.Timeout | undefined;
    try {
      for (;;) {
        const event = this.wire.poll();
        if (event?.type === 'head') return this.#begin(event.head, null);
        if (this.wire.ended) break;
        if (this.wire.buffered > 0) timer ??= this.#headTimer();
        await this.wire.more();
      }
    } catch (error) {
      if (error instanceof Http1Error && !this.wire.gone) return this.#begin(null, error);
      this.wire.socket.destroy();
      return null;
    } finally {
      if (timer !== undefined) clearTimeout(timer);
    }
    this.wire.socket.end();
    return null;
  }

  #begin(head: RequestHead | null, flaw: Http1Error | null): Http1Request {
    this.wire.wait(this.#idle);
    this.#busy = true;
    this.#current = new Http1Request(this.wire, head, flaw);
    return this.#current;
  }

  #headTimer(): NodeJS.Timeout {
    return setTimeout(() => this.wire.fail(new Http1Error('the head did not arrive in time', 408)), HEAD_TIMEOUT);
  }

  /** Brings a finished exchange to where the next request may begin; false when the connection ends instead. */
  async #settle(request: Http1Request): Promise<boolean> {
    if (this.wire.gone || request.answer.upgraded) return false;
    if (request.answer.keepAlive && (await request.body.drain(DRAIN_LIMIT).catch(() => false))) {
      this.wire.proceed();
      return true;
    }
    await this.#linger();
    return false;
  }

  async #linger(): Promise<void> {
    const { socket } = this.wire;
    if (socket.destroyed) return;
    this.wire.release();
    await new Promise<void>((resolve) => {
      let swallowed = 0;
      const timer = setTimeout(() => socket.destroy(), LINGER_TIME);
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => {
        swallowed += bytes.length;
        if (swallowed > LINGER_BYTES) socket.destroy();
      });
      socket.once('end', () => socket.end(() => socket.destroy()));
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.end();
      socket.resume();
    });
  }
}

class Http1Request implements AgentRequest {
  readonly method: string;
  readonly target: string;
  readonly authority: string | null;
  readonly fields: Fields;
  readonly connection: readonly string[];
  readonly protocol = 'http/1.1';
  readonly wantsTrailers = false;
  readonly expect: string | null;
  readonly upgrade: string | null;
  readonly via: string | null;
  readonly credentials: readonly string[];
  readonly flaw: Http1Error | null;
  readonly body: Http1Body;
  readonly answer: Http1Answer;
  /** Called when the agent is gone before the exchange has ended. */
  onAbort: (() => void) | null = null;

  constructor(wire: Wire<RequestHead>, head: RequestHead | null, flaw: Http1Error | null) {
    this.method = head?.method ?? '';
    this.target = head?.target ?? '';
    this.authority = head?.host ?? null;
    this.fields = head?.fields ?? Fields.NONE;
    this.connection = head?.connection ?? [];
    this.expect = head?.expect ?? null;
    this.upgrade = head?.upgrade ?? null;
    this.via = head?.via ?? null;
    this.credentials = head?.credentials ?? [];
    this.flaw = flaw;
    this.answer = new Http1Answer(wire, head);
    this.body = new Http1Body(wire, head, this.answer);
  }

  get waitsForAgent(): boolean {
    return this.body.waiting || this.answer.waiting;
  }
}

class Http1Body implements BodyStream {
  readonly length: number | null;
  readonly present: boolean;
  waiting = false;
  finished: boolean;
  trailers = Fields.NONE;
  readonly #wire: Wire<RequestHead>;
  readonly #answer: Http1Answer;

  constructor(wire: Wire<RequestHead>, head: RequestHead | null, answer: Http1Answer) {
    this.#wire = wire;
    this.#answer = answer;
    const framing = head?.framing ?? 0;
    this.length = framing === CHUNKED ? null : framing;
    this.present = framing !== 0;
    this.finished = false;
    // A message without a body ends here and now; a flawed one never does.
    if (head !== null && framing === 0) this.finished = wire.poll()?.type === 'end';
  }

  async read(): Promise<Buffer | null> {
    if (this.finished) return null;
    let event = this.#wire.poll();
    if (event === null) {
      this.waiting = true;
      event = await this.#wire.next();
      this.waiting = false;
    }
    if (event === null) throw new Http1Error('the connection ended within a message');
    if (event.type === 'body') return event.bytes;
    if (event.type === 'end') this.trailers = event.trailers;
    this.finished = true;
    return null;
  }

  /** Reads the rest if it is small; false when it is not, or will not come. */
  async drain(limit: number): Promise<boolean> {
    if (this.finished) return true;
    if (this.#answer.awaitsContinue || (this.length !== null && this.length > limit)) return false;
    let read = 0;
    for (let bytes = await this.read(); bytes !== null; bytes = await this.read()) {
      read += bytes.length;
      if (read > limit) return false;
    }
    return true;
  }
}

class Http1Answer implements Answer {
  begun = false;
  waiting = false;
  /** The connection is a WebSocket now. */
  upgraded = false;
  keepAlive: boolean;
  awaitsContinue: boolean;
  readonly #wire: Wire<RequestHead>;
  readonly #request: RequestHead | null;
  readonly #minor: 0 | 1;
  #framing = 0;
  /** The head, until it leaves with the first bytes of the body. */
  #head = '';
  #gathered: Buffer[] = [];
  #gatheredSize = 0;

  constructor(wire: Wire<RequestHead>, head: RequestHead | null) {
    this.#wire = wire;
    this.#request = head;
    this.#minor = head?.minor ?? 1;
    this.keepAlive = head?.keepAlive ?? false;
    this.awaitsContinue =
      head?.expect !== null && head?.expect !== undefined && equalsIgnoringCase(head.expect, '100-continue');
  }

  get backlog(): number {
    return this.#wire.socket.writableLength;
  }

  proceed(): void {
    if (!this.awaitsContinue) return;
    this.awaitsContinue = false;
    if (this.#minor === 1) this.#wire.socket.write('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');
  }

  inform(status: number, fields: OutgoingFields): void {
    if (this.#minor === 0) return;
    this.#wire.socket.write(headText(`HTTP/1.1 ${status} ${PHRASES.get(status) ?? ''}`, fields.text(), null), 'latin1');
  }

  upgrade(fields: OutgoingFields): Duplex {
    this.begun = true;
    this.keepAlive = false;
    this.upgraded = true;
    const accept = acceptFor(this.#request?.fields.values('sec-websocket-key')[0] ?? '');
    const start = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}`;
    const socket = this.#wire.release();
    socket.write(headText(start, fields.text(), null), 'latin1');
    return socket;
  }

  begin(head: AnswerHead): void {
    this.begun = true;
    let framing = head.framing;
    // HTTP/1.0 knows no chunks, and HTTP/1.1 need not end with the connection.
    if (framing === CHUNKED || framing === UNTIL_CLOSE) framing = this.#minor === 0 ? UNTIL_CLOSE : CHUNKED;
    if (framing === UNTIL_CLOSE) this.keepAlive = false;
    this.#framing = framing ?? 0;
    let start = `HTTP/1.1 ${head.status} ${head.phrase}`;
    if (!this.keepAlive) start += '\r\nConnection: close';
    else if (this.#minor === 0) start += '\r\nConnection: keep-alive';
    const text = headText(start, head.fields.text(), framing ?? head.declared);
    this.#head = text;
  }

  write(bytes: Buffer): Promise<void> | null {
    if (this.#framing === CHUNKED) this.#gather(chunk(bytes));
    else this.#gather(bytes);
    if (this.#gatheredSize < GATHER) return null;
    return this.#send() ? null : this.#drained();
  }

  flush(): void {
    if (this.#gatheredSize > 0 || this.#head !== '') this.#send();
  }

  end(trailers: Fields): void {
    if (this.#framing === CHUNKED) this.#gather(lastChunk(trailers.text(TRAILERS)));
    this.flush();
  }

  destroy(): void {
    this.keepAlive = false;
    this.#head = '';
    this.#gathered = [];
    this.#gatheredSize = 0;
    this.#wire.socket.destroy();
  }

  close(): void {
    this.keepAlive = false;
  }

  #gather(bytes: Buffer): void {
    this.#gathered.push(bytes);
    this.#gatheredSize += bytes.length;
  }

  /** Writes what was gathered: one buffer unless it is large, for one write is one record. False: the agent has to catch up. */
  #send(): boolean {
    const head = this.#head;
    const gathered = this.#gathered;
    const size = this.#gatheredSize;
    this.#head = '';
    this.#gathered = [];
    this.#gatheredSize = 0;
    const { socket } = this.#wire;
    if (socket.destroyed) return true;
    if (head === '' && gathered.length === 1) return socket.write(gathered[0]);
    if (size >= 2 * GATHER) {
      let ready = head === '' || socket.write(head, 'latin1');
      for (const bytes of gathered) ready = socket.write(bytes);
      return ready;
    }
    const whole = Buffer.allocUnsafe(head.length + size);
    let at = whole.write(head, 0, 'latin1');
    for (const bytes of gathered) at += bytes.copy(whole, at);
    return socket.write(whole);
  }

  async #drained(): Promise<void> {
    const { socket } = this.#wire;
    this.waiting = true;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
    this.waiting = false;
  }
}

const PHRASES = new Map([
  [102, 'Processing'],
  [103, 'Early Hints'],
]);
