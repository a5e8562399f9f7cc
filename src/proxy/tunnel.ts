import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Denial, asDenial } from '../model/denial.ts';
import type { Session } from '../model/session.ts';
import { makeTarget, type Target } from '../model/target.ts';
import { guard } from '../network/guard.ts';
import { decideConnection } from '../policy/decide.ts';
import { Http1Agent } from './adapters/http1-agent.ts';
import { Http2Agent } from './adapters/http2-agent.ts';
import type { Connections } from './connections.ts';
import { concludeTunnel, serveExchange } from './exchange.ts';
import { acceptTls, contradictionOf, firstByte, peekHello } from './handshake.ts';
import { Inspection, type Subject } from './inspection.ts';
import type { AgentConnection, Peer } from './message.ts';
import { serveOpaque } from './opaque.ts';
import { admit, type ConnectPermit, type Permit } from './permit.ts';
import { grantsOf, refuseExpired, type Principal } from './principal.ts';
import { refuseHalted } from './refuse-halted.ts';
import { scanHost } from './scan-host.ts';
import type { Services } from './services.ts';
import { COST } from './turns.ts';

/** What was agreed when a tunnel was opened: who, and to where. */
export interface Tunnel {
  readonly id: string;
  readonly agent: string;
  /** The session it was opened in. */
  readonly session: Session | null;
  readonly target: Target;
  /** Why nothing may pass; told to the agent inside the TLS session, where clients show it. */
  readonly refusal: Denial | null;
  /** The TLS client named another host than the tunnel's. */
  readonly mismatch: string | null;
  /** Bytes pass uninspected: `tcp` whatever they are, `tls` once their ClientHello names the tunnel's host. */
  readonly opaque: 'tcp' | 'tls' | null;
  /** What was found in the name of the host, and what of it was not enforced; on record with the first exchange. */
  found: Pick<Subject, 'findings' | 'softened'>;
  /** Permit of the last request; the next one mostly says the same. */
  latest: Permit | null;
}

/** An agent may keep a connection this long without using it, or without taking what it asked for. */
export const IDLE = 300_000;
/** A new connection must have begun to ask for something within this time: whoever opens one has something to ask. */
export const FIRST_REQUEST = 30_000;
/** A TLS record of type handshake starts with this byte (RFC 8446 §5.1). */
export const TLS_HANDSHAKE = 0x16;

/** Opens a tunnel, if only to refuse inside it: an agent's client shows what it is told there. */
export async function openTunnel(
  principal: Principal,
  target: Target,
  contradiction: Denial | null,
  services: Services,
): Promise<Tunnel> {
  const { agent, session } = principal;
  const subject: Subject = { ...principal, findings: null, softened: null, transcript: null };
  const permit = contradiction ?? (await open(subject, agent, target, services).catch(asDenial));
  const refused = permit instanceof Denial;
  return {
    id: `${services.instance}-t${++tunnels}`,
    agent,
    session,
    target,
    refusal: refused ? permit : null,
    mismatch: null,
    opaque: refused ? null : permit.opaque ? 'tcp' : permit.passThrough ? 'tls' : null,
    found: subject,
    latest: null,
  };
}

let tunnels = 0;

/**
 * May this agent reach this host at all, and at an address that may be dialled? In this order, for a host name is itself a
 * message, and resolving it delivers it.
 */
async function open(subject: Subject, agent: string, target: Target, services: Services): Promise<ConnectPermit> {
  const { session, now } = subject;
  refuseExpired(session, services);
  refuseHalted({ agent, session, capability: null }, now, services);
  const decision = decideConnection(agent, target, now.policy, grantsOf(session));
  const permit = admit(decision, target, services.halts.enforces(agent));
  scanHost(new Inspection({ agent, decision, mode: permit.mode, target }, subject, services));
  await guard(permit, services.names, now.network);
  return permit;
}

/** Serves a tunnel to its end. */
export async function serveTunnel(
  socket: Socket,
  peer: Peer,
  tunnel: Tunnel,
  connections: Connections,
  services: Services,
): Promise<void> {
  const leave = connections.enterTunnel(socket, tunnel);
  try {
    socket.on('error', () => undefined);
    if (tunnel.opaque === 'tcp') await serveOpaque(socket, peer, tunnel, services);
    else if (tunnel.opaque === 'tls') await passThrough(socket, peer, tunnel, services);
    else await intercept(socket, peer, tunnel, connections, services);
  } finally {
    leave();
    socket.destroy();
  }
}

/** Lets TLS through undecrypted, if it is TLS for the host that was admitted. */
async function passThrough(socket: Socket, peer: Peer, tunnel: Tunnel, services: Services): Promise<void> {
  const denial = contradictionOf(await peekHello(socket), tunnel.target.host);
  if (denial === null) await serveOpaque(socket, peer, tunnel, services);
  else concludeTunnel(peer, tunnel, denial, services);
}

/** Serves what comes out of a tunnel: TLS is terminated, plain HTTP is judged as HTTP, anything else is malformed. */
async function intercept(
  socket: Socket,
  peer: Peer,
  tunnel: Tunnel,
  connections: Connections,
  services: Services,
): Promise<void> {
  // While the agent's first bytes are on their way, a leaf is made for them: a new host's handshake need not wait for it.
  const leaf = services.leaves.contextFor(tunnel.target.host);
  const first = await firstByte(socket);
  if (first === null) concludeSilent(peer, tunnel, services);
  else if (first !== TLS_HANDSHAKE) {
    const target = makeTarget('http', tunnel.target.host, tunnel.target.port);
    const agent = new Http1Agent(socket, { first: IDLE, idle: IDLE, endIsAbort: true });
    await serveRequests(agent, peer, { ...tunnel, target }, connections, services);
  } else {
    await services.turns.take(tunnel.agent, COST.handshake);
    const accepted = await acceptTls(socket, tunnel.target.host, leaf);
    const { socket: secure, mismatch } = accepted;
    if (secure !== null) await serveRequests(agentOn(secure), peer, { ...tunnel, mismatch }, connections, services);
    else concludeTunnel(peer, tunnel, tunnel.refusal ?? handshakeDenial(mismatch, accepted.trouble), services);
  }
}

/** What the client asked for in its handshake (ALPN) is what it is served. */
function agentOn(socket: TLSSocket): AgentConnection {
  if (socket.alpnProtocol === 'h2') return new Http2Agent(socket, { idle: IDLE });
  return new Http1Agent(socket, { first: IDLE, idle: IDLE, endIsAbort: true });
}

async function serveRequests(
  agent: AgentConnection,
  peer: Peer,
  tunnel: Tunnel,
  connections: Connections,
  services: Services,
): Promise<void> {
  const leave = connections.enter(agent, tunnel);
  const running = new Set<Promise<void>>();
  let served = 0;
  try {
    for (let request = await agent.next(); request !== null; request = await agent.next()) {
      const serving = serveExchange(request, peer, tunnel, services);
      served++;
      if (agent.sequential) await serving;
      else {
        running.add(serving);
        void serving.finally(() => running.delete(serving));
      }
      if (connections.draining) agent.retire();
    }
    await Promise.all(running);
  } finally {
    leave();
    agent.destroy();
    if (served === 0) concludeSilent(peer, tunnel, services);
  }
}

function handshakeDenial(mismatch: string | null, trouble: string): Denial {
  return mismatch === null ? new Denial('request-malformed', trouble) : new Denial('authority-mismatch', mismatch);
}

/** A tunnel that was refused leaves a record even when its agent hung up before asking anything. */
function concludeSilent(peer: Peer, tunnel: Tunnel, services: Services): void {
  const denial =
    tunnel.refusal ?? (tunnel.mismatch === null ? null : new Denial('authority-mismatch', tunnel.mismatch));
  if (denial !== null) concludeTunnel(peer, tunnel, denial, services);
}
