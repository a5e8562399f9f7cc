import { Agent as HttpAgent, request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { SecureContext } from 'node:tls';
import { errorCode } from '../model/error-code.ts';
import type { DecisionPoint } from './decision-point.ts';

export interface OpaOptions {
  /** Where the server listens; a path in it is a prefix. */
  readonly url: URL;
  /** Rule to ask for, as `sallyport/allow`. */
  readonly path: string;
  /** Milliseconds until it must have answered. */
  readonly timeout: number;
  readonly trust: SecureContext;
}

/** Connections kept to the server: one request each at a time. */
const CONNECTIONS = 64;
/** Longest answer, in bytes: far above what says yes or no. */
const MAX_ANSWER = 1024 * 1024;

/**
 * An Open Policy Agent server, asked by its Data API (`POST /v1/data/<path>` with `{"input": …}`). Whatever is not an answer
 * in time is thrown, and so denied.
 */
export class OpaServer implements DecisionPoint {
  readonly name = 'opa';
  readonly #options: OpaOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #url: URL;
  /** Bearer token; null: none. */
  token: string | null = null;

  constructor(options: OpaOptions) {
    this.#options = options;
    const { url, path, trust } = options;
    const kept = { keepAlive: true, maxSockets: CONNECTIONS, maxFreeSockets: CONNECTIONS, scheduling: 'lifo' } as const;
    this.#agent = url.protocol === 'https:' ? new HttpsAgent({ ...kept, secureContext: trust }) : new HttpAgent(kept);
    const prefix = url.pathname.replace(/\/$/, '');
    this.#url = new URL(`${prefix}/v1/data/${path}`, url);
  }

  async ask(input: string): Promise<unknown> {
    const body = Buffer.from(`{"input":${input}}`, 'utf8');
    const deadline = AbortSignal.timeout(this.#options.timeout);
    try {
      return resultOf(await this.#post(body, deadline));
    } catch (error) {
      if (!deadline.aborted) throw error;
      throw new Error(`no answer within ${this.#options.timeout} ms`, { cause: error });
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  /** A kept connection may have been closed at the other end: what was never read there is asked once more. */
  async #post(body: Buffer, deadline: AbortSignal): Promise<string> {
    for (;;) {
      const request = this.#open(body.length, deadline);
      try {
        return await answerOf(request, body);
      } catch (error) {
        const code = errorCode(error);
        if (!request.reusedSocket || deadline.aborted || (code !== 'ECONNRESET' && code !== 'EPIPE')) throw error;
      }
    }
  }

  #open(length: number, signal: AbortSignal): ClientRequest {
    const { token } = this;
    const send = this.#url.protocol === 'https:' ? requestHttps : requestHttp;
    return send(this.#url, {
      method: 'POST',
      agent: this.#agent,
      signal,
      headers: {
        'Content-Type': 'application/json',
        'Content-Length': length,
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      },
    });
  }
}

function answerOf(request: ClientRequest, body: Buffer): Promise<string> {
  return new Promise<string>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response: IncomingMessage) => {
      const pieces: Buffer[] = [];
      let size = 0;
      response.on('data', (piece: Buffer) => {
        pieces.push(piece);
        size += piece.length;
        if (size > MAX_ANSWER) request.destroy(new Error(`its answer is longer than ${MAX_ANSWER} bytes`));
      });
      response.on('error', reject);
      response.on('aborted', () => reject(new Error('its answer broke off')));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(pieces, size).toString('utf8'));
        else reject(new Error(`it answered with status ${response.statusCode ?? 0}`));
      });
    });
    request.end(body);
  });
}

/** `{"result": …}`; without it the policy has no answer for this input (OPA, "Get a Document (with Input)"). */
function resultOf(text: string): unknown {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (error) {
    throw new Error('its answer is not JSON', { cause: error });
  }
  if (typeof answer !== 'object' || answer === null) throw new Error('its answer is not an object');
  return 'result' in answer ? answer.result : undefined;
}
