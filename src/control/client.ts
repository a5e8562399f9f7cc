import { request as requestHttp } from 'node:http';
import { errorCode } from '../model/error-code.ts';

/** Where a gate is asked, and what it is shown. */
export interface AdminAccess {
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

/** The gate cannot be reached or said no: one line for people. */
export class AdminError extends Error {
  override name = 'AdminError';
}

/** Milliseconds a gate may take to answer. */
const TIMEOUT = 10_000;

/** Asks a running gate, over its admin listener. Resolves with the JSON it answered; rejects with AdminError. */
export async function askGate(
  access: AdminAccess,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<unknown> {
  const { status, text } = await send(access, method, path, body === undefined ? '' : JSON.stringify(body));
  if (status !== 200)
    throw new AdminError(text.trim() === '' ? `the gate answered with status ${status}` : text.trim());
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new AdminError('the gate did not answer with JSON: is this its admin listener?', { cause: error });
  }
}

function send(
  { host, port, token }: AdminAccess,
  method: string,
  path: string,
  body: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    const fail = (error: unknown): void =>
      reject(new AdminError(`no gate answers on ${where}: ${errorCode(error)}`, { cause: error }));
    const headers = { Authorization: `Bearer ${token}`, 'Content-Length': Buffer.byteLength(body) };
    const request = requestHttp({ host, port, method, path, headers, timeout: TIMEOUT }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', fail);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }),
      );
    });
    request.on('timeout', () => request.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })));
    request.on('error', fail);
    request.end(body);
  });
}
