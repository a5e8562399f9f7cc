import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Http1Error } from '../../http1/error.ts';
import { TRAILERS, type Fields } from '../../http1/fields.ts';
import { parseResponseHead, type ResponseHead } from '../../http1/head.ts';
import { MessageReader, type MessageEvent } from '../../http1/reader.ts';
import { chunk, headText, headWith, lastChunk, requestLine } from '../../http1/write.ts';
import { CHUNKED } from '../../http1/head.ts';
import { Denial } from '../../model/denial.ts';
import type { UpstreamExchange } from '../message.ts';
import { refusedCredentials, type Forwarding } from '../parent.ts';
import type { UpstreamRequest } from '../prepare.ts';
import { Wire } from './wire.ts';

/** Methods that may be sent again when a kept connection turns out closed (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** Where a connection goes when its exchange has ended cleanly. */
export interface ConnectionKeeper {
  put(connection: Http1Upstream): void;
}

export interface Http1UpstreamOptions {
  readonly agent: string;
  readonly target: string;
  readonly address: string;
  /** Null: the other end is the target itself, or looks like it. */
  readonly forwarding: Forwarding | null;
}

/** One HTTP/1 connection to an upstream; carries one exchange at a time. */
export class Http1Upstream implements UpstreamExchange {
  /** Whose it is and where it leads; a connection never serves another agent or target. */
  readonly agent: string;
  readonly target: string;
  readonly address: string;
  readonly #forwarding: Forwarding | null;
  readonly #wire: Wire<ResponseHead>;
  readonly #socket: Socket;
  #method = 'GET';
  #chunked = false;
  #sentAll = true;
  #answered = false;
  /** Tells the pool that the connection is lost; null while it is in use. */
  #forget: ((connection: Http1Upstream) => void) | null = null;
  /** Exchanges begun. */
  #used = 0;
  readonly #keeper: ConnectionKeeper;
  restingSince = 0;
  /** Milliseconds the upstream promised to keep an idle connection; null when it said nothing. */
  promised: number | null = null;

  constructor(socket: Socket, { agent, target, address, forwarding }: Http1UpstreamOptions, keeper: ConnectionKeeper) {
    this.#keeper = keeper;
    this.agent = agent;
    this.target = target;
    this.address = address;
    this.#forwarding = forwarding;
    this.#socket = socket;
    this.#wire = new Wire(socket, new MessageReader((text) => parseResponseHead(text, this.#method)));
    this.#wire.onSilence = () =>
      this.#wire.fail(new Denial('upstream-timeout', 'the upstream was silent for too long'));
    socket.setNoDelay(true);
  }

  /** True when the connection can carry another exchange: any byte behind the answer is nobody's, and disqualifies it. */
  get reusable(): boolean {
    return (
      this.#answered &&
      this.#sentAll &&
      this.#wire.resting &&
      this.#wire.buffered === 0 &&
      !this.#wire.ended &&
      !this.#wire.gone
    );
  }

  get gone(): boolean {
    return this.#wire.gone || this.#wire.ended;
  }

  /** Milliseconds without traffic after which the exchange fails. */
  patience(milliseconds: number): void {
    this.#wire.wait(milliseconds);
  }

  /** Sends the head, and as much of the body as is held. */
  send(request: UpstreamRequest): void {
    const { method, framing, body } = request;
    this.#method = method;
    this.#answered = false;
    this.#chunked = framing === CHUNKED;
    this.#sentAll = body.rest === null;
    if (this.#used++ > 0) this.#wire.proceed();
    const upgrade = request.websocketKey === null ? '' : upgradeLines(request.websocketKey);
    const forwarding = this.#forwarding;
    const target = forwarding === null ? request.target : forwarding.prefix + request.target;
    const lines = `\r\nHost: ${request.authority}${forwarding?.lines ?? ''}${request.fields.text()}${upgrade}`;
    const text = headText(requestLine(method, target), lines, framing);
    const { pieces } = body;
    const first = pieces[0] ?? null;
    if (this.#chunked || (first !== null && first.length > 64 * 1024)) {
      this.#socket.write(text, 'latin1');
      for (const bytes of pieces) this.#write(bytes);
    } else {
      this.#socket.write(headWith(text, first));
      for (let i = 1; i < pieces.length; i++) this.#write(pieces[i] as Buffer);
    }
    if (this.#sentAll && this.#chunked) this.#socket.write(lastChunk(body.trailers.text(TRAILERS)));
  }

  /** Sends a further piece of the body; resolves when the upstream can take more, or is gone. */
  async write(bytes: Buffer): Promise<void> {
    if (this.#write(bytes) || this.gone) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done).off('close', done);
        resolve();
      };
      this.#socket.on('drain', done).on('close', done);
    });
  }

  finish(trailers: Fields): void {
    if (this.#chunked) this.#socket.write(lastChunk(trailers.text(TRAILERS)));
    this.#sentAll = true;
  }

  /** The next response head, interim ones included; null when it is not here yet. */
  takeHead(): ResponseHead | null {
    const event = this.#wire.poll();
    if (event === null) {
      if (this.#wire.ended) throw new Http1Error('the connection ended before an answer');
      return null;
    }
    if (event.type !== 'head') throw new Http1Error('a body without a head');
    // The parent's challenge is for the gate; an agent would take it for the gate's own.
    if (event.head.status === 407 && this.#forwarding !== null) throw refusedCredentials(this.#forwarding.by);
    if (event.head.status < 200 && event.head.status !== 101) {
      // An interim answer has no body: its end is here with it, and the next head follows.
      this.#wire.poll();
      this.#wire.proceed();
    } else if (this.#used === 1) this.promised = promisedBy(event.head);
    return event.head;
  }

  /** Resolves when there is something new to take. */
  more(): Promise<void> {
    return this.#wire.more();
  }

  poll(): MessageEvent<ResponseHead> | null {
    return this.#noting(this.#wire.poll());
  }

  /** Puts the connection to rest; any byte from now on is unsolicited and ends it. */
  rest(now: number, forget: (connection: Http1Upstream) => void): void {
    this.restingSince = now;
    this.#forget = forget;
    this.#wire.onUnsolicited = this.#onUnsolicited;
    this.#wire.onGone = this.#onGone;
    this.patience(0);
  }

  wake(): void {
    this.#forget = null;
    this.#wire.onUnsolicited = null;
    this.#wire.onGone = null;
  }

  readonly #onUnsolicited = (): void => {
    this.#forget?.(this);
    this.#socket.destroy();
  };

  readonly #onGone = (): void => this.#forget?.(this);

  surrender(): Duplex {
    return this.#wire.release();
  }

  release(): void {
    this.#keeper.put(this);
  }

  /** A kept connection that was closed as we used it brought the upstream nothing, and the request is safe to repeat. */
  isUnseen(error: unknown, request: UpstreamRequest): boolean {
    return this.#used > 1 && isReset(error) && request.body.rest === null && IDEMPOTENT.has(request.method);
  }

  destroy(reason?: Error): void {
    if (reason === undefined) this.#socket.destroy();
    else this.#wire.fail(reason);
  }

  #write(bytes: Buffer): boolean {
    this.#wire.touch();
    return this.#socket.write(this.#chunked ? chunk(bytes) : bytes);
  }

  #noting(event: MessageEvent<ResponseHead> | null): MessageEvent<ResponseHead> | null {
    if (event?.type === 'end') this.#answered = true;
    return event;
  }
}

/** The handshake's own fields (RFC 6455 §4.1). */
function upgradeLines(key: string): string {
  return `\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}`;
}

/** `Keep-Alive: timeout=n`, less a second for the way. */
function promisedBy(head: ResponseHead): number | null {
  if (!head.keepAlive) return 0;
  const match = /\btimeout=(\d{1,6})\b/.exec(head.fields.values('keep-alive')[0] ?? '');
  return match === null ? null : Math.max(0, Number(match[1]) - 1) * 1000;
}

function isReset(error: unknown): boolean {
  return !(error instanceof Denial) && !(error instanceof Http1Error && !/ended before/.test(error.message));
}
