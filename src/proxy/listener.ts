import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { Denial } from '../model/denial.ts';
import { parseAddress } from '../model/host.ts';
import { serveConnection } from './connection.ts';
import type { Connections } from './connections.ts';
import type { Place } from './crowd.ts';
import { concludeEntry } from './exchange.ts';
import type { Peer } from './message.ts';
import type { Services } from './services.ts';
import { serveSocks } from './socks.ts';
import { serveTransparent } from './transparent.ts';

/** How agents come in on a listener; what they ask for takes one path whatever the way. */
export type Way = 'http' | 'socks' | 'transparent';

/** TLS of an HTTPS proxy listener. */
export interface ListenerTls {
  /** Fresh credentials of the gate itself; with `ca`, agents may present certificates it has signed. */
  readonly credentials: () => { readonly cert: string; readonly key: string; readonly ca?: string };
  /** Called once with what puts fresh credentials in place, for whoever replaces the CA. */
  readonly onRenew: (renew: () => void) => void;
}

/** The gate's own certificate is made anew this often, in milliseconds: far below its life. */
const RENEWAL = 7 * 86_400_000;

export type ListenTarget = { readonly host: string; readonly port: number } | { readonly path: string };

const SERVE: Record<Way, typeof serveConnection> = {
  http: serveConnection,
  socks: serveSocks,
  transparent: serveTransparent,
};

/** Takes agent connections on a TCP port or a Unix socket, in the clear. */
export function listen(at: ListenTarget, way: Way, connections: Connections, services: Services): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
    const peer = peerOf(socket, 'path' in at, way, { names: NO_NAMES, place: services.crowd.enter(socket) });
    accept(socket, peer, way, connections, services);
  });
  return started(server, at, services);
}

/** Takes agent connections over TLS: the same proxy protocol inside, and client certificates where a CA for them is set. */
export function listenTls(
  at: ListenTarget,
  { credentials, onRenew }: ListenerTls,
  connections: Connections,
  services: Services,
): Promise<Server> {
  const options = {
    ...credentials(),
    // Judged below: an agent without a certificate may have a token.
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: 15_000,
    minVersion: 'TLSv1.2' as const,
  };
  const refuse = (socket: Socket, reason: 'agent-unknown' | 'request-malformed', detail: string): void => {
    const peer = peerOf(socket, false, 'http', { names: NO_NAMES, place: NOWHERE });
    if (peer !== null) concludeEntry(peer, null, new Denial(reason, detail), services);
    socket.destroy();
  };
  // A connection has its place from its first moment, long before its handshake is done.
  const places = new Map<string, Place>();
  const placeOf = (socket: Socket): Place => places.get(endOf(socket)) ?? services.crowd.enter(socket);
  const server = createTlsServer({ ...options, requestCert: options.ca !== undefined }, (socket) => {
    const names = certificateNames(socket);
    // A certificate that does not verify is worse than none: somebody claims to be an agent.
    if (names === null) refuse(socket, 'agent-unknown', 'the client certificate does not verify');
    else
      accept(socket, peerOf(socket, false, 'http', { names, place: placeOf(socket) }), 'http', connections, services);
  });
  server.on('connection', (socket: Socket) => {
    const end = endOf(socket);
    places.set(end, services.crowd.enter(socket));
    socket.once('close', () => places.delete(end));
  });
  server.on('tlsClientError', (error, socket) =>
    refuse(socket, 'request-malformed', `the TLS handshake failed: ${(error as NodeJS.ErrnoException).code ?? ''}`),
  );
  const renew = (): void => server.setSecureContext({ ...options, ...credentials() });
  const renewal = setInterval(renew, RENEWAL);
  renewal.unref();
  onRenew(renew);
  server.on('close', () => clearInterval(renewal));
  return started(server, at, services);
}

/** The port a server listens on. */
export function portOf(server: { address(): AddressInfo | string | null }): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function started<S extends Server>(server: S, at: ListenTarget, services: Services): Promise<S> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen('path' in at ? { path: at.path } : { host: at.host, port: at.port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => services.log.error({ err: error }, 'a listener failed'));
  return server;
}

const NO_NAMES: readonly string[] = [];
/** Of a connection that is over already. */
const NOWHERE: Place = { owner: null, claim: () => undefined };

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
  readonly place: Place;
}

function peerOf(socket: Socket, unix: boolean, way: Way, { names, place }: Known): Peer | null {
  const source = unix ? 'unix' : parseAddress(socket.remoteAddress ?? '')?.text;
  return source === undefined ? null : { source, certificate: names, transparent: way === 'transparent', place };
}

function accept(socket: Socket, peer: Peer | null, way: Way, connections: Connections, services: Services): void {
  if (peer === null) {
    socket.destroy();
    return;
  }
  SERVE[way](socket, peer, connections, services).catch((error: unknown) => {
    services.log.error({ err: error }, 'a connection failed');
    socket.destroy();
  });
}
