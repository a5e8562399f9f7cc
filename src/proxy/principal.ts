import { identify, type Caller } from '../identity/identify.ts';
import { Denial } from '../model/denial.ts';
import type { Session } from '../model/session.ts';
import type { Services } from './services.ts';
import type { Snapshot } from './snapshot.ts';

/** Who calls, in which session, and the rules that hold for it. */
export interface Principal {
  readonly agent: string;
  /** Null: the agent itself, in none. */
  readonly session: Session | null;
  readonly now: Snapshot;
}

/**
 * Says who calls, by the agent's own proof or that of a session. Throws the denial for nobody; a session that is over is refused
 * where its requests are judged, for there its agent's client shows what it is told.
 */
export function principalOf(caller: Caller, services: Services): Principal {
  const { generations, throttle, sessions, halts } = services;
  const { identities } = generations.stable;
  const { agent, session } = identify(caller, identities, throttle, (token) => sessions.read(token));
  const now = generations.snapshotFor(agent, session?.id ?? caller.source);
  if (session === null && now.policy.agents.get(agent)?.sessionsRequired === true)
    throw new Denial('agent-unknown', `${agent} is let in with a session only (sallyport session create)`);
  if (session !== null && !halts.stops({ kind: 'session', name: session.id })) sessions.enter(session);
  return { agent, session, now };
}

const grants = new WeakMap<Session, ReadonlySet<string>>();

/** What a session holds of its agent's capabilities; null: all. Made once for each, for every request asks. */
export function grantsOf(session: Session | null): ReadonlySet<string> | null {
  if (session === null || session.capabilities === null) return null;
  let found = grants.get(session);
  if (found === undefined) grants.set(session, (found = new Set(session.capabilities)));
  return found;
}

/** The session of a tunnel may have ended since it was opened. */
export function refuseExpired(session: Session | null, { sessions }: Services): void {
  if (session !== null && sessions.isOver(session)) throw expired(session);
}

function expired({ id }: Session): Denial {
  return new Denial('session-expired', `session ${id} is over`);
}
