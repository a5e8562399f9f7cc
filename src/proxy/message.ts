import type { Seat } from './crowd.ts';
import type { Duplex } from 'node:stream';
import type { Fields, OutgoingFields } from '../http1/fields.ts';
import type { Framing, ResponseHead } from '../http1/head.ts';
import type { MessageEvent } from '../http1/reader.ts';
import type { Reason } from '../model/reason.ts';
import type { UpstreamRequest } from './prepare.ts';

/** The other end of an agent's connection, as far as the connection itself shows it. */
export interface Peer {
  /** Canonical address; `unix` for a Unix socket. */
  readonly source: string;
  /** Names that a verified client certificate proves: SPIFFE ids and other URIs, then the subject. */
  readonly certificate: readonly string[];
  /** It was brought here without knowing: it names its target as it would to the target itself. */
  readonly transparent: boolean;
  /** Its connection's seat among all. */
  readonly seat: Seat;
}

export type Protocol = 'http/1.1' | 'h2';

/** A body as it arrives. */
export interface BodyStream {
  /** Bytes announced; null when the length is not known. */
  readonly length: number | null;
  /** True when there is a body at all. */
  readonly present: boolean;
  /** True when its last byte has been read. */
  readonly finished: boolean;
  /** The next piece, null at the end. Throws Http1Error for malformed framing. */
  read(): Promise<Buffer | null>;
  /** Trailers, once the last byte has been read. */
  readonly trailers: Fields;
  /** Bytes of it that have been counted already. */
  readonly prepaid?: number;
}

/** A request as the path of a request sees it, whatever protocol it came by. */
export interface AgentRequest {
  readonly method: string;
  /** Request target as sent. */
  readonly target: string;
  /** `Host`; null where HTTP/1.0 left it out. */
  readonly authority: string | null;
  /** All fields as sent. */
  readonly fields: Fields;
  /** Names that `Connection` lists. */
  readonly connection: readonly string[];
  /** What the agent speaks; its upstream is asked for the same first. */
  readonly protocol: Protocol;
  /** It reads trailers (`TE: trailers` of HTTP/2). */
  readonly wantsTrailers: boolean;
  readonly expect: string | null;
  readonly upgrade: string | null;
  readonly via: string | null;
  /** Values of `Proxy-Authorization`. */
  readonly credentials: readonly string[];
  /** What is wrong with the bytes, where they are no request; the other members are then empty. */
  readonly flaw: { readonly message: string; readonly status: number; readonly reason: Reason } | null;
  readonly body: BodyStream;
  readonly answer: Answer;
  /** Called when the agent is gone before the exchange has ended. */
  onAbort: (() => void) | null;
}

/** The way back to the agent. */
export interface Answer {
  /** True once the head has been given: from then on nothing else can be said. */
  readonly begun: boolean;
  /** Bytes given to the agent's connection and not yet taken by it. */
  readonly backlog: number;
  /** Asks the agent to send its body (100 Continue), once, if it waits for that. */
  proceed(): void;
  /** Passes on an interim answer such as 103. */
  inform(status: number, fields: OutgoingFields): void;
  /** Gives the head; it leaves with the first bytes behind it or at `flush`. */
  begin(head: AnswerHead): void;
  /** Gives a piece of the body. A promise is returned when the agent must catch up first. */
  write(bytes: Buffer): Promise<void> | null;
  /** Sends what was given so far. */
  flush(): void;
  end(trailers: Fields): void;
  /** Agrees to a WebSocket; from now on the connection (or the stream) is the caller's. */
  upgrade(fields: OutgoingFields): Duplex;
  /** Ends the connection so that what was sent looks cut off, as it is. */
  destroy(): void;
  /** Ends the connection once what was sent has been taken, without reading the rest of the request. */
  close(): void;
}

export interface AnswerHead {
  readonly status: number;
  readonly phrase: string;
  /** What is said besides; framing is the adapter's own. */
  readonly fields: OutgoingFields;
  /** Null: this answer has no body (HEAD, 204, 304). */
  readonly framing: Framing | null;
  /** Content-Length that an answer without a body announces all the same. */
  readonly declared: number | null;
}

/** An agent's end of a connection, whatever it speaks. */
export interface AgentConnection {
  /** One request at a time, each answered before the next is taken (HTTP/1). */
  readonly sequential: boolean;
  /** True while no request is being served. */
  readonly idle: boolean;
  /** The next request; null when there will be none. What is no request comes back as one with a flaw. */
  next(): Promise<AgentRequest | null>;
  /** Takes no further request and ends once what is being served has ended. */
  retire(): void;
  destroy(): void;
}

/** One request's way to an upstream and its answer's way back, whatever the upstream speaks. Pull: nothing is pushed. */
export interface UpstreamExchange {
  /** Address at the other end. */
  readonly address: string;
  /** The connection is lost, or will bring nothing more. */
  readonly gone: boolean;
  /** Milliseconds without traffic after which the exchange fails; 0: none. */
  patience(milliseconds: number): void;
  /** Sends the head, and as much of the body as is held. */
  send(request: UpstreamRequest): void;
  /** Sends a further piece of the body; resolves when the upstream can take more, or is gone. */
  write(bytes: Buffer): Promise<void>;
  /** Says that the body is complete. */
  finish(trailers: Fields): void;
  /** The next response head, interim ones included; null when it is not here yet. */
  takeHead(): ResponseHead | null;
  /** What comes next of the answer; null when it is not here yet. Throws what the connection failed with. */
  poll(): MessageEvent<ResponseHead> | null;
  /** Resolves when there is something new to take. */
  more(): Promise<void>;
  /** The connection itself, which speaks another protocol after a 101. */
  surrender(): Duplex;
  /** True when the upstream has surely not acted on the request: it may be sent again. */
  isUnseen(error: unknown, request: UpstreamRequest): boolean;
  /** Ends an exchange that is complete; its connection may serve again. */
  release(): void;
  destroy(reason?: Error): void;
}
