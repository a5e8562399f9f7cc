import type { Socket } from 'node:net';
import { identify } from '../identity/identify.ts';
import { Denial, asDenial } from '../model/denial.ts';
import { makeTarget, parseAuthority, type Target } from '../model/target.ts';
import { guard } from '../network/guard.ts';
import { decideConnection } from '../policy/decide.ts';
import { Http1Agent } from './adapters/http1-agent.ts';
import type { Connections } from './connections.ts';
import { concludeConnect, concludeTunnel, serveExchange } from './exchange.ts';
import { acceptTls, firstByte } from './handshake.ts';
import type { AgentRequest } from './message.ts';
import { serveOpaque } from './opaque.ts';
import { admit, type ConnectPermit, type Permit } from './permit.ts';
import type { Services } from './services.ts';
import type { Snapshot } from './snapshot.ts';

/** What was agreed at CONNECT: who, and to where. */
export interface Tunnel {
  readonly id: string;
  readonly agent: string;
  readonly target: Target;
  /** Why nothing may pass; told to the agent inside the TLS session, where clients show it. */
  readonly refusal: Denial | null;
  /** The TLS client named another host than CONNECT did. */
  readonly mismatch: string | null;
  /** Bytes pass uninspected (`scheme: tcp`). */
  readonly opaque: boolean;
  /** Permit of the last request; the next one mostly says the same. */
  latest: Permit | null;
}

/** An agent may keep a connection this long without using it, or without taking what it asked for. */
const IDLE = 300_000;
/** A TLS record of type handshake starts with this byte (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

/** Serves one agent connection to its end: plain requests one after another, until a CONNECT makes it a tunnel. */
export async function serveConnection(
  socket: Socket,
  source: string,
  connections: Connections,
  services: Services,
): Promise<void> {
  const agent = new Http1Agent(socket, { idle: IDLE, endIsAbort: false });
  const leave = connections.enter(agent, 'outside');
  try {
    for (let request = await agent.next(); request !== null; request = await agent.next()) {
      if (request.method !== 'CONNECT') await serveExchange(request, source, null, services);
      else if (await serveConnect(request, agent, source, connections, services)) return;
      if (connections.draining) request.answer.close();
    }
  } finally {
    leave();
  }
}

/**
 * Opens the way for a tunnel: may this agent reach this host at all, and at an address that may be dialled? In this order,
 * for a host name is itself a message, and resolving it delivers it.
 */
async function open(
  connect: AgentRequest,
  agent: string,
  target: Target,
  now: Snapshot,
  services: Services,
): Promise<ConnectPermit> {
  requireSameHost(connect, target);
  const permit = admit(decideConnection(agent, target, now.policy), target);
  await guard(permit, services.names, now.network);
  return permit;
}

/** Answers a CONNECT; true when the connection has become a tunnel and has been served to its end. */
async function serveConnect(
  request: AgentRequest,
  outer: Http1Agent,
  source: string,
  connections: Connections,
  services: Services,
): Promise<boolean> {
  const now = services.snapshot();
  let agent: string | null = null;
  let target: Target;
  try {
    agent = identify({ source, credentials: request.credentials }, now.identities, services.throttle);
    target = parseConnectTarget(request);
  } catch (error) {
    concludeConnect(request, source, agent, asDenial(error), services);
    return false;
  }
  const permit = await open(request, agent, target, now, services).catch(asDenial);
  const refusal = permit instanceof Denial ? permit : null;
  const opaque = !(permit instanceof Denial) && permit.opaque;
  const tunnel: Tunnel = { id: tunnelId(services), agent, target, refusal, mismatch: null, opaque, latest: null };
  const socket = outer.wire.release() as Socket;
  const leave = connections.enterTunnel(socket);
  try {
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n', 'latin1');
    if (opaque) await serveOpaque(socket, source, tunnel, services);
    else await intercept(socket, source, tunnel, connections, services);
  } finally {
    leave();
    socket.destroy();
  }
  return true;
}

/** Serves what comes out of a tunnel: TLS is terminated, plain HTTP is judged as HTTP, anything else is malformed. */
async function intercept(
  socket: Socket,
  source: string,
  tunnel: Tunnel,
  connections: Connections,
  services: Services,
): Promise<void> {
  const first = await firstByte(socket);
  if (first !== TLS_HANDSHAKE) {
    const target = makeTarget('http', tunnel.target.host, tunnel.target.port);
    if (first === null) concludeSilent(source, tunnel, services);
    else await serveRequests(socket, source, { ...tunnel, target }, connections, services);
    return;
  }
  const accepted = await acceptTls(socket, tunnel.target.host, services.leaves);
  if (accepted.socket === null) {
    const denial =
      tunnel.refusal ??
      new Denial(
        accepted.mismatch === null ? 'request-malformed' : 'authority-mismatch',
        accepted.mismatch ?? accepted.trouble,
      );
    concludeTunnel(source, tunnel, denial, services);
    return;
  }
  await serveRequests(accepted.socket, source, { ...tunnel, mismatch: accepted.mismatch }, connections, services);
}

async function serveRequests(
  socket: Socket,
  source: string,
  tunnel: Tunnel,
  connections: Connections,
  services: Services,
): Promise<void> {
  const agent = new Http1Agent(socket, { idle: IDLE, endIsAbort: true });
  const leave = connections.enter(agent, 'inside');
  let served = 0;
  try {
    for (let request = await agent.next(); request !== null; request = await agent.next()) {
      await serveExchange(request, source, tunnel, services);
      served++;
      if (connections.draining) request.answer.close();
    }
  } finally {
    leave();
    socket.destroy();
    if (served === 0) concludeSilent(source, tunnel, services);
  }
}

/** A tunnel that was refused leaves a record even when its agent hung up before asking anything. */
function concludeSilent(source: string, tunnel: Tunnel, services: Services): void {
  const denial =
    tunnel.refusal ?? (tunnel.mismatch === null ? null : new Denial('authority-mismatch', tunnel.mismatch));
  if (denial !== null) concludeTunnel(source, tunnel, denial, services);
}

function parseConnectTarget(request: AgentRequest): Target {
  if (request.flaw !== null)
    throw new Denial('request-malformed', request.flaw.message, { status: request.flaw.status });
  if (request.body.present) throw new Denial('request-malformed', 'a CONNECT with a body');
  const authority = parseAuthority(request.target);
  if (authority === null || authority.port === null)
    throw new Denial('request-malformed', 'the target of CONNECT is not host:port');
  return makeTarget('https', authority.host, authority.port);
}

/** `Host` of a CONNECT may leave the port out, as some clients do; it may not name another host. */
function requireSameHost(connect: AgentRequest, target: Target): void {
  if (connect.authority === null) return;
  const host = parseAuthority(connect.authority);
  if (host === null) throw new Denial('request-malformed', 'the Host field is malformed');
  if (host.host.text === target.host.text && (host.port === null || host.port === target.port)) return;
  throw new Denial('authority-mismatch', 'CONNECT and its Host field name different hosts');
}

let tunnels = 0;

function tunnelId(services: Services): string {
  return `${services.pseudonym}-t${++tunnels}`;
}
