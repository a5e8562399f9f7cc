import { createServer as createHttp, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createSecureServer as createHttp2, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTls, type SecureVersion } from 'node:tls';
import type { Pair } from './certificates.ts';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly httpVersion: string;
}

export interface Origin {
  readonly port: number;
  /** Every request that arrived whole. */
  readonly requests: SeenRequest[];
  /** Connections ever taken: for "the origin saw nothing". */
  readonly connections: () => number;
  close(): Promise<void>;
}

type Http2Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;
type Answer = (request: SeenRequest, response: ServerResponse, raw: IncomingMessage) => void;

/** A real HTTP(S) origin on a free port; with `clientCa` it demands a client certificate. Without `answer` it says 200 and what it saw. */
export async function startOrigin(
  options: {
    /** Protocols offered (ALPN); HTTP/2 is served by the same listener. */
    protocols?: 'h2' | 'both';
    tls?: Pair;
    clientCa?: string;
    tlsVersion?: SecureVersion;
    answer?: Answer;
    streaming?: RequestListener;
  } = {},
): Promise<Origin> {
  const requests: SeenRequest[] = [];
  const listener: RequestListener = (request, response) => {
    if (options.streaming !== undefined) {
      options.streaming(request, response);
      return;
    }
    const pieces: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (bytes: Buffer) => pieces.push(bytes));
    request.on('end', () => {
      const seen = {
        method: request.method ?? '',
        url: request.url ?? '',
        rawHeaders: request.rawHeaders,
        headers: request.headers,
        body: Buffer.concat(pieces),
        httpVersion: request.httpVersion,
      };
      requests.push(seen);
      if (options.answer !== undefined) options.answer(seen, response, request);
      else {
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ method: seen.method, url: seen.url, size: seen.body.length }));
      }
    });
  };
  const server =
    options.tls === undefined
      ? createHttp(listener)
      : options.protocols !== undefined
        ? createHttp2(
            {
              cert: options.tls.certificate,
              key: options.tls.key,
              allowHTTP1: options.protocols === 'both',
            },
            listener as unknown as Http2Listener,
          )
        : createHttps(
            {
              cert: options.tls.certificate,
              key: options.tls.key,
              ...(options.clientCa === undefined
                ? {}
                : { requestCert: true, rejectUnauthorized: true, ca: options.clientCa }),
              ...(options.tlsVersion === undefined ? {} : { maxVersion: options.tlsVersion }),
            },
            listener,
          );
  return { requests, ...(await serve(server as unknown as Server)) };
}

/** An origin that speaks raw bytes. */
export async function startRawOrigin(handle: (socket: Socket) => void, tls?: Pair): Promise<Omit<Origin, 'requests'>> {
  const taken = (socket: Socket): void => {
    socket.on('error', () => undefined);
    handle(socket);
  };
  return serve(
    tls === undefined
      ? createTcp({ allowHalfOpen: true }, taken)
      : createTls({ cert: tls.certificate, key: tls.key }, taken),
  );
}

async function serve(server: Server): Promise<{ port: number; connections: () => number; close: () => Promise<void> }> {
  let connections = 0;
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections++;
    open.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** An origin whose answers begin with `first`, and on paths that end with `/stream` do not end. */
export function startStreamingOrigin(tls: Pair): Promise<Origin> {
  return startOrigin({
    tls,
    streaming: (request, response) => {
      response.write('first');
      if (!request.url?.endsWith('/stream')) response.end();
    },
  });
}
