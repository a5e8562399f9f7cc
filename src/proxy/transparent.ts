import type { Socket } from 'node:net';
import { Denial, asDenial } from '../model/denial.ts';
import { parseHost } from '../model/host.ts';
import { makeTarget, type Target } from '../model/target.ts';
import type { Hello } from '../tls/client-hello.ts';
import { serveConnection } from './connection.ts';
import type { Connections } from './connections.ts';
import { concludeEntry } from './exchange.ts';
import { firstByte, peekHello } from './handshake.ts';
import type { Peer } from './message.ts';
import { principalOf, type Principal } from './principal.ts';
import type { Services } from './services.ts';
import { TLS_HANDSHAKE, openTunnel, serveTunnel } from './tunnel.ts';

/**
 * Serves a connection that was brought here without its agent knowing. The original address is ignored: what the agent's
 * TLS or its `Host` names is where it goes, under the rules, or nowhere. Identity is the source network.
 */
export async function serveTransparent(
  socket: Socket,
  peer: Peer,
  connections: Connections,
  services: Services,
): Promise<void> {
  socket.on('error', () => undefined);
  const leave = connections.enterWaiting(socket);
  const first = await firstByte(socket);
  leave();
  if (first === null) socket.destroy();
  else if (first === TLS_HANDSHAKE) await serveHello(socket, peer, connections, services);
  else await serveConnection(socket, peer, connections, services);
}

async function serveHello(socket: Socket, peer: Peer, connections: Connections, services: Services): Promise<void> {
  let principal: Principal | null = null;
  let target: Target;
  try {
    principal = principalOf({ ...peer, credentials: [] }, services);
    peer.seat.claim(principal.agent);
    target = targetOf(await peekHello(socket));
  } catch (error) {
    concludeEntry(peer, principal?.agent ?? null, asDenial(error), services);
    socket.destroy();
    return;
  }
  const tunnel = await openTunnel(principal, target, null, services);
  await serveTunnel(socket, peer, tunnel, connections, services);
}

function targetOf(hello: Hello | null): Target {
  if (hello === null || hello.kind === 'incomplete')
    throw new Denial('request-malformed', 'the TLS handshake did not begin in time');
  if (hello.kind === 'malformed') throw new Denial('request-malformed', hello.detail);
  const host = hello.serverName === null ? null : parseHost(hello.serverName);
  if (host === null || host.kind !== 'name')
    throw new Denial('request-malformed', 'the TLS client does not say which host it wants');
  return makeTarget('https', host, 443);
}
