import type { Socket } from 'node:net';
import { Denial } from '../model/denial.ts';
import type { BodyFacts, Facts } from '../model/facts.ts';
import { NO_CHANGED_TOOLS } from '../policy/content/tools.ts';
import type { Outcome } from '../model/outcome.ts';
import { canonicalPath } from '../model/path.ts';
import { makeTarget } from '../model/target.ts';
import { guard } from '../network/guard.ts';
import { decideConnection } from '../policy/decide.ts';
import { conclude } from './conclude.ts';
import type { Tunnel } from './tunnel.ts';
import { dial } from './dial.ts';
import { giveBack, judge, keep, openExchange, type Exchange } from './exchange.ts';
import type { Peer } from './message.ts';
import { admit, enforce } from './permit.ts';
import { both } from './pause.ts';
import { record } from './record.ts';
import { reserve } from './reserve.ts';
import { grantsOf } from './principal.ts';
import { outcomeOf } from './refusal.ts';
import type { Services } from './services.ts';

/**
 * Carries a tunnel that a rule opens without inspection (`scheme: tcp`, or TLS that is not intercepted): one exchange from
 * CONNECT to close.
 */
export async function serveOpaque(socket: Socket, peer: Peer, tunnel: Tunnel, services: Services): Promise<void> {
  const { host, port } = tunnel.target;
  const target = tunnel.opaque === 'tcp' ? makeTarget('tcp', host, port) : tunnel.target;
  const exchange = openExchange(peer, { ...tunnel, target }, null, services);
  const outcome = await carryOpaque(socket, exchange, services).catch((thrown: unknown) =>
    outcomeOf(thrown, exchange, exchange.upstreamSent !== null),
  );
  services.inFlight.leave(exchange);
  giveBack(exchange, services);
  conclude(exchange, outcome, null, services);
}

/** What passes unread is no body. */
const NO_BODY: BodyFacts = { kind: 'none' };

/** The steps that every request takes, with the tunnel itself as what is judged. */
async function carryOpaque(socket: Socket, exchange: Exchange, services: Services): Promise<Outcome> {
  const { tunnel, peer, now } = exchange;
  if (tunnel === null) throw new Error('an opaque exchange without a tunnel');
  const facts: Facts = {
    agent: tunnel.agent,
    source: peer.source,
    target: tunnel.target,
    method: 'CONNECT',
    websocket: false,
    path: canonicalPath('/'),
    query: null,
    headers: [],
    body: NO_BODY,
    changedTools: NO_CHANGED_TOOLS,
    granted: grantsOf(tunnel.session),
  };
  exchange.facts = facts;
  services.inFlight.enter(exchange);
  // The agent chose how long to wait before its first bytes: what opened the tunnel must still be so.
  const strict = services.halts.enforces(tunnel.agent);
  const decision = decideConnection(tunnel.agent, tunnel.target, now.policy, facts.granted);
  const connection = admit(decision, tunnel.target, strict);
  if (!(tunnel.opaque === 'tls' ? connection.passThrough : connection.opaque))
    throw new Denial('host-not-allowed', 'the rules no longer let this pass unread');
  const permit = enforce(await judge(facts, exchange, services), facts, null, strict);
  keep(permit, exchange, services);
  const { lease } = await reserve(permit, exchange, services.leases);
  const address = await guard(permit, services.names, now.network);
  const witness = await record(exchange, permit, address, services.audit);
  const upstream = await dial(address, witness, {
    timeout: services.timeouts.connect,
    trust: services.upstreamTrust,
    sessions: services.upstreamSessions,
    cancellation: exchange.cancellation,
    protocols: [],
    // The bytes that pass are TLS already, where they are.
    secure: false,
    forwarded: false,
  });
  exchange.upstreamSent = performance.now();
  await Promise.all([
    copy(socket, upstream.socket, (size) => {
      exchange.sent += size;
      // What nobody reads is all new.
      return lease === null ? null : both(lease.upload(size), lease.novel(size));
    }),
    copy(upstream.socket, socket, (size) => {
      exchange.received += size;
      return lease?.download(size) ?? null;
    }),
  ]);
  return { kind: 'delivered', status: 200, transfer: { sent: exchange.sent, received: exchange.received } };
}

/**
 * Copies one direction with backpressure; the end of one side ends the other, an error destroys it. `pass` counts bytes before
 * they go on: where it takes time the rest waits, and where it rejects both sides end.
 */
async function copy(from: Socket, to: Socket, pass: (size: number) => Promise<void> | null): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    from.on('data', (bytes: Buffer) => {
      const due = pass(bytes.length);
      if (due === null) {
        if (!to.write(bytes)) from.pause();
        return;
      }
      from.pause();
      due.then(
        () => {
          if (to.write(bytes)) from.resume();
        },
        (error: unknown) => {
          from.destroy();
          to.destroy();
          reject(error as Error);
        },
      );
    });
    to.on('drain', () => from.resume());
    from.on('end', () => {
      to.end();
      resolve();
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      if (!from.readableEnded) to.destroy();
      resolve();
    });
    from.resume();
  });
}
