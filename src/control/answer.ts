import type { Halt } from '../model/halt.ts';
import type { Session, SessionUse } from '../model/session.ts';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the admin listener may know of the gate, and ask of it. */
export interface Control {
  /** Why the gate should get no traffic; null when it is ready. */
  readonly unready: () => string | null;
  readonly metricsText: () => Promise<string>;
  readonly metricsType: string;
  /** What whoever asks for more than health and metrics has to show. */
  readonly token: string;
  readonly policy: PolicyControl;
  readonly halts: HaltControl;
  readonly sessions: SessionControl;
}

/** Agents' tasks. */
export interface SessionControl {
  list(): ReadonlyArray<Session & SessionUse>;
  /** Throws RequestError for what cannot be. */
  create(
    asked: Omit<Session, 'id' | 'issued' | 'expires' | 'limits'> & {
      readonly ttl: number | null;
      readonly limits: Readonly<Record<string, string>>;
    },
    by: string,
  ): unknown;
  rotateKeys(by: string): void;
  revokeAll(by: string): void;
}

/** What is stopped, and is to be. */
export interface HaltControl {
  list(): readonly Halt[];
  kill(what: Pick<Halt, 'kind' | 'name'>, reason: string, by: string): Promise<void>;
  /** False where it was not stopped. */
  revive(what: Pick<Halt, 'kind' | 'name'>, reason: string, by: string): Promise<boolean>;
}

/** Which rules are in force, and which are to be. */
export interface PolicyControl {
  status(): unknown;
  /** Throws RequestError where there is nothing to promote. */
  promote(by: string): void;
  /** Throws RequestError where there is nothing to go back to. */
  rollback(by: string): void;
}

/** What was asked for cannot be done; its message is for who asked. */
export class RequestError extends Error {
  override name = 'RequestError';
  readonly status: number;

  constructor(status: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.status = status;
  }
}

/** Answers one path. */
export type Route = (control: Control, response: ServerResponse, request: IncomingMessage) => Promise<void> | void;

/** A plain-text answer. */
export function text(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}

export function json(response: ServerResponse, status: number, value: unknown): void {
  text(response, status, `${JSON.stringify(value, null, 2)}\n`, 'application/json');
}

/** Longest body of a request, in bytes. */
const MAX_BODY = 64 * 1024;

/** The JSON object a request holds. Throws RequestError. */
export async function objectIn(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > MAX_BODY) throw new RequestError(413, `a request holds ${MAX_BODY} bytes at most`);
    pieces.push(piece);
  }
  try {
    const value = JSON.parse(Buffer.concat(pieces).toString('utf8')) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new RequestError(400, 'the body is not a JSON object');
}
