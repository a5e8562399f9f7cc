import type { Fields } from '../http1/fields.ts';
import type { Framing } from '../http1/head.ts';

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
  readonly expect: string | null;
  readonly upgrade: string | null;
  readonly via: string | null;
  /** Values of `Proxy-Authorization`. */
  readonly credentials: readonly string[];
  /** What is wrong with the bytes, where they are no request; the other members are then empty. */
  readonly flaw: { readonly message: string; readonly status: number } | null;
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
  inform(status: number, fieldText: string): void;
  /** Gives the head; it leaves with the first bytes behind it or at `flush`. */
  begin(head: AnswerHead): void;
  /** Gives a piece of the body. A promise is returned when the agent must catch up first. */
  write(bytes: Buffer): Promise<void> | null;
  /** Sends what was given so far. */
  flush(): void;
  end(trailerText: string): void;
  /** Ends the connection so that what was sent looks cut off, as it is. */
  destroy(): void;
  /** Ends the connection once what was sent has been taken, without reading the rest of the request. */
  close(): void;
}

export interface AnswerHead {
  readonly status: number;
  readonly phrase: string;
  /** Field lines, each with the CRLF before it; framing is the adapter's own. */
  readonly fieldText: string;
  /** Null: this answer has no body (HEAD, 204, 304). */
  readonly framing: Framing | null;
  /** Content-Length that an answer without a body announces all the same. */
  readonly declared: number | null;
}
