import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Pair } from './certificates.ts';

export interface ReceivedRequest {
  readonly url: string;
  readonly fields: IncomingMessage['headers'];
  readonly text: string;
}

export interface Receiver {
  readonly url: string;
  /** Every request that arrived whole. */
  readonly requests: ReceivedRequest[];
  close(): void;
}

/** What is answered to a request; `null`: its connection is cut. */
export type Reply = { readonly status?: number; readonly text?: string } | null;

/** A real HTTP receiver on a free port, as a webhook's other end. */
export async function startReceiver(
  reply: (request: ReceivedRequest) => Reply = () => ({}),
  tls?: Pair,
): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const server = tls === undefined ? createServer() : createSecureServer({ cert: tls.certificate, key: tls.key });
  server.on('request', (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (bytes: Buffer) => pieces.push(bytes));
    request.on('end', () => {
      const received = {
        url: request.url ?? '',
        fields: request.headers,
        text: Buffer.concat(pieces).toString('utf8'),
      };
      requests.push(received);
      const answer = reply(received);
      if (answer === null) request.socket.destroy();
      else response.writeHead(answer.status ?? 200).end(answer.text ?? '');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
