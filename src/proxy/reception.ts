import type { Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import type { Config } from '../config/config.ts';
import { Denial } from '../model/denial.ts';
import { parseAddress, parseHost } from '../model/host.ts';
import type { LeafCache } from '../tls/leaves.ts';
import { serveConnection } from './connection.ts';
import type { Connections } from './connections.ts';
import type { Seat } from './crowd.ts';
import { concludeEntry } from './exchange.ts';
import { bracketed, type Way } from './entries.ts';
import type { Peer } from './message.ts';
import type { Services } from './services.ts';
import { serveSocks } from './socks.ts';
import { serveTransparent } from './transparent.ts';
import { readPem } from './trust.ts';

/** TLS of an HTTPS proxy listener. */
interface OwnTls {
  /** Fresh credentials of the gate itself; with `ca`, agents may present certificates it has signed. */
  readonly credentials: () => { readonly cert: string; readonly key: string; readonly ca?: string };
}

/** The gate's own certificate is made anew this often, in milliseconds: far below its life. */
const RENEWAL = 7 * 86_400_000;

const SERVE: Record<Exclude<Way, 'https'>, typeof serveConnection> = {
  proxy: serveConnection,
  unix: serveConnection,
  socks: serveSocks,
  transparent: serveTransparent,
};

/** What becomes of connections once somebody has accepted them; what they ask for takes one path whatever the way. */
export interface Reception {
  /** Serves a connection that came in by this way. */
  receive(way: Way, socket: Socket): void;
  /** Makes the gate's own certificate anew, under the CA of this moment. */
  renew(): void;
  close(): void;
}

/** Gets ready for connections. Throws ConfigError for a CA of client certificates that cannot be read. */
export function openReception({ listen }: Config, connections: Connections, services: Services): Reception {
  const tls =
    listen.https === null ? null : openTls(ownTls(listen, listen.https, services.leaves), connections, services);
  return {
    receive: (way, socket) => {
      // An agent that has said all may still listen; TLS has a goodbye of its own.
      socket.allowHalfOpen = way !== 'https';
      if (way === 'https') tls?.server.emit('connection', socket);
      else {
        const known = { names: NO_NAMES, seat: services.crowd.enter(socket) };
        accept(socket, peerOf(socket, way, known), way, connections, services);
      }
    },
    renew: () => tls?.renew(),
    close: () => tls?.close(),
  };
}

/** TLS before the same proxy protocol, and client certificates where a CA for them is set. */
function openTls(
  { credentials }: OwnTls,
  connections: Connections,
  services: Services,
): { readonly server: TlsServer; renew(): void; close(): void } {
  const options = {
    ...credentials(),
    // Judged below: an agent without a certificate may have a token.
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: 15_000,
    minVersion: 'TLSv1.2' as const,
  };
  const refuse = (socket: Socket, reason: 'agent-unknown' | 'request-malformed', detail: string): void => {
    const peer = peerOf(socket, 'https', { names: NO_NAMES, seat: NOWHERE });
    if (peer !== null) concludeEntry(peer, null, new Denial(reason, detail), services);
    socket.destroy();
  };
  // A connection has its seat from its first moment, long before its handshake is done.
  const seats = new Map<string, Seat>();
  const seatOf = (socket: Socket): Seat => seats.get(endOf(socket)) ?? services.crowd.enter(socket);
  const server = createTlsServer({ ...options, requestCert: options.ca !== undefined }, (socket) => {
    const names = certificateNames(socket);
    // A certificate that does not verify is worse than none: somebody claims to be an agent.
    if (names === null) refuse(socket, 'agent-unknown', 'the client certificate does not verify');
    else accept(socket, peerOf(socket, 'https', { names, seat: seatOf(socket) }), 'proxy', connections, services);
  });
  server.on('connection', (socket: Socket) => {
    const end = endOf(socket);
    seats.set(end, services.crowd.enter(socket));
    socket.once('close', () => seats.delete(end));
  });
  server.on('tlsClientError', (error, socket) =>
    refuse(socket, 'request-malformed', `the TLS handshake failed: ${(error as NodeJS.ErrnoException).code ?? ''}`),
  );
  const renew = (): void => server.setSecureContext({ ...options, ...credentials() });
  const renewal = setInterval(renew, RENEWAL).unref();
  return { server, renew, close: () => clearInterval(renewal) };
}

function ownTls({ clientCa, names }: Config['listen'], at: { readonly host: string }, leaves: LeafCache): OwnTls {
  const own = parseHost(bracketed(at.host));
  const hosts = [...names, ...(own === null ? [] : [own])];
  const ca = clientCa === null ? {} : { ca: readPem('listen.client-ca', clientCa) };
  return { credentials: () => ({ ...leaves.credentialsFor(hosts), ...ca }) };
}

const NO_NAMES: readonly string[] = [];
/** Of a connection that is over already. */
const NOWHERE: Seat = { owner: null, claim: () => undefined };

/** The far end of a connection: no two that are open share one. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? ''}`;
}

/** The names a client certificate proves; none where there is none, null where it does not verify. */
function certificateNames(socket: TLSSocket): readonly string[] | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return NO_NAMES;
  if (!socket.authorized) return null;
  const uris = (certificate.subjectAltName ?? '').split(', ').filter((each) => each.startsWith('URI:'));
  const subject = certificate.subject.split('\n').reverse().join(', ');
  return [...uris.map((each) => each.slice('URI:'.length)), subject];
}

/** What is known of a caller before it has said anything. */
interface Known {
  readonly names: readonly string[];
  readonly seat: Seat;
}

function peerOf(socket: Socket, way: Way, { names, seat }: Known): Peer | null {
  const source = way === 'unix' ? 'unix' : parseAddress(socket.remoteAddress ?? '')?.text;
  return source === undefined ? null : { source, certificate: names, transparent: way === 'transparent', seat };
}

function accept(
  socket: Socket,
  peer: Peer | null,
  way: keyof typeof SERVE,
  connections: Connections,
  services: Services,
): void {
  if (peer === null) {
    socket.destroy();
    return;
  }
  SERVE[way](socket, peer, connections, services).catch((error: unknown) => {
    services.log.error({ err: error }, 'a connection failed');
    socket.destroy();
  });
}
