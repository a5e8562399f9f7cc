import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { openTunnel } from './client.ts';
import type { TestGate } from './gate.ts';

/** An HTTP/2 session inside a tunnel of the gate, the leaf verified. */
export async function openSession(gate: TestGate, authority = 'api.test:443'): Promise<ClientHttp2Session> {
  const tunnel = await openTunnel(gate, authority);
  tunnel.socket.removeAllListeners('data');
  const host = authority.replace(/:\d+$/, '');
  const tls = connectTls({ socket: tunnel.socket, ca: gate.ca, servername: host, ALPNProtocols: ['h2'] });
  await new Promise<void>((resolve, reject) => tls.once('secureConnect', resolve).once('error', reject));
  if (tls.alpnProtocol !== 'h2') throw new Error('the gate did not agree on h2');
  const session = connectHttp2(`https://${authority}`, { createConnection: () => tls });
  session.on('error', () => undefined);
  return session;
}

export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders | null;
  /** Statuses of interim answers. */
  readonly interim: readonly number[];
  readonly text: string;
  /** Error code the stream was closed with (RFC 9113 §7). */
  readonly code: number;
}

/** One request and its whole answer. */
export function askHttp2(
  session: ClientHttp2Session,
  headers: Record<string, string | string[]>,
  options: { body?: string | Buffer; trailers?: Record<string, string> } = {},
): Promise<Http2Answer> {
  const { body, trailers } = options;
  const stream = session.request(
    { ':method': 'GET', ':path': '/', ...headers },
    { endStream: body === undefined && trailers === undefined, waitForTrailers: trailers !== undefined },
  );
  if (trailers !== undefined) stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  if (body !== undefined || trailers !== undefined) stream.end(body);
  return new Promise((resolve) => {
    const interim: number[] = [];
    let answer: Pick<Http2Answer, 'headers' | 'trailers'> = { headers: {}, trailers: null };
    let text = '';
    stream.on('headers', (got) => interim.push(Number(got[':status'])));
    stream.on('response', (got) => (answer = { ...answer, headers: got }));
    stream.on('trailers', (got) => (answer = { ...answer, trailers: got }));
    stream.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
    stream.on('error', () => undefined);
    stream.on('close', () =>
      resolve({
        ...answer,
        interim,
        status: Number(answer.headers[':status'] ?? 0),
        text,
        code: stream.rstCode ?? -1,
      }),
    );
  });
}
