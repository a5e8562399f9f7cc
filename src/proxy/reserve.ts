import type { Demand } from '../limits/store.ts';
import type { Denial } from '../model/denial.ts';
import { LIMIT_KINDS, type Limit } from '../model/limit.ts';
import { parseSessionLimit, type Session } from '../model/session.ts';
import type { AgentPolicy } from '../policy/policy.ts';
import type { Exchange } from './exchange.ts';
import { Lease, chunkOf, refusal, unavailable, type Claim, type LeaseTerms } from './lease.ts';
import type { Leases } from './leases.ts';
import type { Permit } from './permit.ts';

declare const reserved: unique symbol;

/** Proof that a request has room under every limit. Made only here: no body is asked for without it. */
export interface Reservation {
  /** Null where nothing limits it. */
  readonly lease: Lease | null;
  readonly [reserved]: true;
}

/** A place that nobody speaks up for is free again after so many milliseconds: its gate is gone. */
export const LIFETIME = 60_000;
const UNLIMITED = mintReservation(null);

/**
 * Takes what the request needs of every limit that holds for it, all or nothing, in one round trip. Throws the denial where a
 * limit is reached; an observing or warning mode keeps it for the record instead, and lets the request go on.
 */
export function reserve(permit: Permit, exchange: Exchange, leases: Leases): Reservation | Promise<Reservation> {
  exchange.trace?.step('reserve');
  const claims = claimsOf(permit, exchange);
  return claims.length === 0 ? UNLIMITED : take(claims, permit, exchange, leases);
}

async function take(
  claims: readonly Claim[],
  permit: Permit,
  exchange: Exchange,
  leases: Leases,
): Promise<Reservation> {
  const note = ({ reason, message }: Denial): void => {
    exchange.softened ??= { reason, detail: message };
  };
  const terms = { store: leases.store, id: exchange.id, soften: permit.mode === 'enforce' ? null : note };
  const answer = await ask(claims, terms).catch((denial: Denial) => denial);
  if (answer instanceof Lease) {
    leases.enter(answer);
    exchange.lease = answer;
    return mintReservation(answer);
  }
  if (permit.mode === 'enforce') throw answer;
  note(answer);
  return UNLIMITED;
}

async function ask(claims: readonly Claim[], terms: LeaseTerms): Promise<Lease> {
  const demands = claims.map(({ demand }) => demand);
  const answer = await terms.store.reserve(terms.id, demands).catch(unavailable);
  if (answer.ok) return new Lease(terms, claims, answer.grants);
  throw refusal(claims, answer.demand.key, answer.left, answer.wait);
}

/** Everything that limits a request: what its agent, its capability and its tenant may use up. */
function claimsOf(permit: Permit, exchange: Exchange): Claim[] {
  const agent = exchange.now.policy.agents.get(permit.agent);
  if (agent === undefined) return [];
  const { limits: own, tenantLimits } = agent;
  const granted = permit.decision.kind === 'allow' ? permit.decision.obligations.limits : [];
  const { session } = exchange;
  const ofSession = session === null ? NO_LIMITS : limitsOf(session);
  if (own.length === 0 && tenantLimits.length === 0 && granted.length === 0 && ofSession.length === 0) return [];
  // One tag for all keys of a request: they share a slot of a Redis Cluster, and no tenant shares a key with another.
  const tag = `{${agent.tenant === null ? `agent/${agent.name}` : `tenant/${agent.tenant}`}}`;
  const base = `${tag}/${agent.name}`;
  return [
    ...claims(own, base, agent.name, permit, exchange),
    ...(session === null
      ? []
      : claims(ofSession, `${base}/session/${session.id}`, `session ${session.id}`, permit, exchange)),
    ...claims(granted, `${base}/${permit.capability ?? ''}`, permit.capability ?? agent.name, permit, exchange),
    ...claims(tenantLimits, tag, tenantName(agent), permit, exchange),
  ];
}

/** Bytes that are taken of a limit on what is new before it is known how much is. */
const NOVEL = 256;
const NO_LIMITS: readonly Limit[] = [];
const ofSessions = new WeakMap<Session, readonly Limit[]>();

/** A session's own limits, read once for each. */
function limitsOf(session: Session): readonly Limit[] {
  let found = ofSessions.get(session);
  if (found === undefined) {
    found = LIMIT_KINDS.flatMap((kind) => {
      const text = session.limits[kind];
      const limit = text === undefined ? null : parseSessionLimit(kind, text);
      return limit === null ? [] : [limit];
    });
    ofSessions.set(session, found);
  }
  return found;
}

function tenantName({ tenant }: AgentPolicy): string {
  return `tenant ${tenant ?? ''}`;
}

function claims(limits: readonly Limit[], base: string, whose: string, permit: Permit, exchange: Exchange): Claim[] {
  return limits.flatMap((limit) => {
    const demand = demandOf(limit, `${base}/${limit.kind}/${limit.window}`, permit, exchange);
    return demand === null ? [] : [{ limit, whose, demand }];
  });
}

function demandOf(limit: Limit, key: string, permit: Permit, exchange: Exchange): Demand | null {
  const { kind, count, window } = limit;
  if (kind === 'requests') return { kind: 'event', key, limit: count, window };
  if (kind === 'concurrency') return { kind: 'place', key, limit: count, lifetime: LIFETIME };
  if (kind === 'hosts') return { kind: 'member', key, limit: count, window, member: permit.target.key };
  // How many tokens an answer takes is known when it has ended: there must be some left, and then they are counted.
  if (kind === 'tokens') return { kind: 'amount', key, limit: count, window, amount: 0, least: 1, group: kind };
  if (kind === 'upload' && !sends(exchange)) return null;
  // Most of what is said has been said before: little is taken for what may be new.
  const amount = kind === 'novel-upload' ? Math.min(NOVEL, chunkOf(limit)) : chunkOf(limit);
  return { kind: 'amount', key, limit: count, window, amount, least: 1, group: kind };
}

/** Whether bytes may leave behind the head. */
function sends({ facts, tunnel }: Exchange): boolean {
  return facts?.body.kind !== 'none' || facts.websocket || (tunnel?.opaque ?? null) !== null;
}

function mintReservation(lease: Lease | null): Reservation {
  return { lease } as Reservation;
}
