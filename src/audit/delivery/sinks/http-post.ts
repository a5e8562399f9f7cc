import { readFileSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import { errorCode } from '../../../model/error-code.ts';
import type { HttpReceiver } from '../../../model/sink.ts';
import { Refused } from '../event.ts';
import { readSecret, readSecretFile } from './secret-file.ts';

/** Milliseconds a receiver may be silent. */
const PATIENCE = 10_000;
/** Bytes of an answer that are read. */
const MOST_ANSWER = 64 * 1024;
/** Statuses that may be others another time: whoever runs the receiver mends its address, its token or its load. */
const LATER = new Set([401, 403, 404, 405, 407, 408, 409, 421, 423, 425, 429]);

/** Posts JSON to a receiver, over connections that stay open. */
export class HttpPoster {
  readonly #receiver: HttpReceiver;
  readonly #plain = new HttpAgent({ keepAlive: true, maxSockets: 1 });
  readonly #secure: HttpsAgent;

  /** Throws where the file of CA certificates cannot be read. */
  constructor(receiver: HttpReceiver) {
    this.#receiver = receiver;
    this.#secure = new HttpsAgent({ keepAlive: true, maxSockets: 1, ...trusted(receiver.ca) });
  }

  /** The body of a successful answer. Rejects with Refused where the receiver says that it will never take this, else with one line. */
  async post(body: string, fields: Readonly<Record<string, string>> = {}): Promise<string> {
    const { url: secret, tokenFile } = this.#receiver;
    const url = new URL(readSecret(secret));
    const { status, text } = await this.#exchange(url, body, {
      'Content-Type': 'application/json',
      'User-Agent': 'sallyport',
      ...(tokenFile === null ? {} : { Authorization: `Bearer ${readSecretFile(tokenFile)}` }),
      ...fields,
    });
    if (status >= 200 && status <= 299) return text;
    // What a receiver says of a request may repeat it: only its status is told.
    const what = `${url.host} answered ${status}`;
    if (status >= 400 && status <= 499 && !LATER.has(status)) throw new Refused(what);
    throw new Error(what);
  }

  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }

  #exchange(
    url: URL,
    body: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const isSecure = url.protocol === 'https:';
    const options = {
      method: 'POST',
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
      agent: isSecure ? this.#secure : this.#plain,
      timeout: PATIENCE,
    };
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => reject(new Error(`${url.host}: ${failure(error)}`, { cause: error }));
      const request = (isSecure ? httpsRequest : httpRequest)(url, options, (response) => {
        readText(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), failed);
      });
      request.on('timeout', () => request.destroy(new Error('no answer for 10 s')));
      request.on('error', failed);
      request.end(body);
    });
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    if (size < MOST_ANSWER) chunks.push(chunk);
    size += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, MOST_ANSWER).toString('utf8');
}

/** CA certificates beside those Node brings. Throws an Error with one line. */
export function trusted(file: string | null): { readonly ca?: string[] } {
  if (file === null) return {};
  try {
    return { ca: [...rootCertificates, readFileSync(file, 'utf8')] };
  } catch (error) {
    throw new Error(`${file} cannot be read: ${errorCode(error)}`, { cause: error });
  }
}

/** What went wrong with a connection, in a few words. */
export function failure(error: unknown): string {
  const code = errorCode(error);
  return code === 'unknown error' && error instanceof Error ? error.message : code;
}
