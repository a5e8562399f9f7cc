import type { Socket } from 'node:net';
import { Denial, asDenial } from '../model/denial.ts';
import { makeTarget, parseAuthority, type Target } from '../model/target.ts';
import { Http1Agent } from './adapters/http1-agent.ts';
import type { Connections } from './connections.ts';
import { concludeConnect, serveExchange } from './exchange.ts';
import type { AgentRequest, Peer } from './message.ts';
import { principalOf } from './principal.ts';
import type { Services } from './services.ts';
import { FIRST_REQUEST, IDLE, openTunnel, serveTunnel, type Tunnel } from './tunnel.ts';

/** Serves one agent connection to its end: plain requests one after another, until a CONNECT makes it a tunnel. */
export async function serveConnection(
  socket: Socket,
  peer: Peer,
  connections: Connections,
  services: Services,
): Promise<void> {
  const agent = new Http1Agent(socket, { first: FIRST_REQUEST, idle: IDLE, endIsAbort: false });
  const leave = connections.enter(agent, null);
  try {
    for (let request = await agent.next(); request !== null; request = await agent.next()) {
      if (request.method === 'CONNECT') {
        const tunnel = await answerConnect(request, peer, services);
        if (tunnel !== null) {
          const inside = agent.release();
          inside.write('HTTP/1.1 200 Connection established\r\n\r\n', 'latin1');
          await serveTunnel(inside, peer, tunnel, connections, services);
          return;
        }
      } else await serveExchange(request, peer, null, services);
      if (connections.draining) agent.retire();
    }
  } finally {
    leave();
  }
}

/** The tunnel that a CONNECT asks for; null when it was refused outside any, for want of an agent or a target. */
async function answerConnect(request: AgentRequest, peer: Peer, services: Services): Promise<Tunnel | null> {
  let agent: string | null = null;
  try {
    const principal = principalOf({ ...peer, credentials: request.credentials }, services);
    agent = principal.agent;
    peer.seat.claim(agent);
    const target = parseConnectTarget(request);
    return await openTunnel(principal, target, contradiction(request, target), services);
  } catch (error) {
    concludeConnect(request, peer, agent, asDenial(error), services);
    return null;
  }
}

function parseConnectTarget(request: AgentRequest): Target {
  if (request.flaw !== null)
    throw new Denial(request.flaw.reason, request.flaw.message, { status: request.flaw.status });
  if (request.body.present) throw new Denial('request-malformed', 'a CONNECT with a body');
  const authority = parseAuthority(request.target);
  if (authority === null || authority.port === null)
    throw new Denial('request-malformed', 'the target of CONNECT is not host:port');
  return makeTarget('https', authority.host, authority.port);
}

/** `Host` of a CONNECT may leave the port out, as some clients do; it may not name another host. */
function contradiction(connect: AgentRequest, target: Target): Denial | null {
  if (connect.authority === null) return null;
  const host = parseAuthority(connect.authority);
  if (host === null) return new Denial('request-malformed', 'the Host field is malformed');
  if (host.host.text === target.host.text && (host.port === null || host.port === target.port)) return null;
  return new Denial('authority-mismatch', 'CONNECT and its Host field name different hosts');
}
