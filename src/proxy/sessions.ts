import { randomBytes } from 'node:crypto';
import { SESSION_PREFIX, readSession, signSession } from '../identity/session-token.ts';
import type { SessionEvent } from '../model/audit-event.ts';
import { LIMIT_KINDS, limitForm } from '../model/limit.ts';
import { LONGEST_SESSION, NO_USE, parseSessionLimit, type Session, type SessionUse } from '../model/session.ts';
import type { Policy } from '../policy/policy.ts';
import type { SessionFile } from './session-file.ts';
import type { SessionKeys } from './session-keys.ts';

/** What a session is to be. */
export interface SessionRequest {
  readonly agent: string;
  /** Milliseconds; null: as long as the agent's sessions may last, else an hour. */
  readonly ttl: number | null;
  /** Null: all that the agent may. */
  readonly capabilities: readonly string[] | null;
  readonly labels: Readonly<Record<string, string>>;
  /** As its maker wrote them. */
  readonly limits: Readonly<Record<string, string>>;
}

/** A session, with what it has used. */
export type UsedSession = Session & SessionUse;

interface Known {
  readonly session: Session;
  readonly timer: NodeJS.Timeout;
  use: SessionUse;
}

/** A session was asked for that cannot be. */
export class SessionRequestError extends Error {
  override name = 'SessionRequestError';
}

export interface SessionsOptions {
  readonly keys: SessionKeys;
  /** Where sessions that are made here are listed; null: another process does. */
  readonly file: SessionFile | null;
  readonly clock: () => number;
}

/** Told when a session ends by its time, or when all are revoked. */
export interface SessionListener {
  end(session: Session, how: 'expired' | 'revoked'): void;
  record(event: SessionEvent): void;
  /** Somebody has come in a session that was not known here. */
  entered(session: Session): void;
}

const HOUR = 3_600_000;
/** Longest time a timer is set for. */
const MAX_TIMER = 2 ** 31 - 1;

/** Makes sessions, knows their tokens, and ends them when their time is over. */
export class Sessions {
  readonly #options: SessionsOptions;
  /** Sessions that have not ended, as far as this gate has made or seen them. */
  readonly #known = new Map<string, Known>();
  #listener: SessionListener = { end: () => undefined, record: () => undefined, entered: () => undefined };

  constructor(options: SessionsOptions) {
    this.#options = options;
    for (const session of options.file?.read(options.clock()) ?? []) this.#note(session);
  }

  listen(listener: SessionListener): void {
    this.#listener = listener;
  }

  /** A new session and its token, which is told this once. Throws SessionRequestError. */
  create(asked: SessionRequest, policy: Policy, by: string): { readonly session: Session; readonly token: string } {
    const agent = policy.agents.get(asked.agent);
    if (agent === undefined) throw new SessionRequestError(`the rules know no agent "${asked.agent}"`);
    const longest = Math.min(agent.sessionTime ?? LONGEST_SESSION, LONGEST_SESSION);
    const ttl = asked.ttl ?? Math.min(longest, agent.sessionTime ?? HOUR);
    if (ttl < 1000 || ttl > longest)
      throw new SessionRequestError(`a session of ${agent.name} lasts one second to ${longest / 1000} seconds`);
    const missing = (asked.capabilities ?? []).filter((name) => !agent.capabilities.has(name));
    if (missing.length > 0)
      throw new SessionRequestError(
        `${agent.name} is not granted ${missing.join(', ')}: a session can hold less, not more`,
      );
    const issued = this.#options.clock();
    const { capabilities, labels } = asked;
    const limits = limitsOf(asked.limits);
    const id = randomBytes(8).toString('hex');
    const session: Session = { id, agent: agent.name, capabilities, labels, limits, issued, expires: issued + ttl };
    const token = signSession(session, this.#options.keys.signing());
    this.#note(session);
    this.#options.file?.add(session);
    this.#listener.record(eventOf('created', session, by, issued));
    return { session, token };
  }

  /** The session of a token; null for one that is none of ours. */
  read(token: string): Session | null {
    if (!token.startsWith(SESSION_PREFIX)) return null;
    return readSession(token, this.#options.keys.all);
  }

  /** Somebody has come in a session: it is ended when its time is over. */
  enter(session: Session): void {
    if (this.isOver(session) || this.#known.has(session.id)) return;
    this.#note(session);
    this.#listener.entered(session);
  }

  isOver({ expires }: Session): boolean {
    return this.#options.clock() >= expires;
  }

  /** Sessions this gate has made or seen that have not ended, oldest first. */
  list(): UsedSession[] {
    return [...this.#known.values()]
      .map(({ session, use }) => ({ ...session, ...use }))
      .sort((a, b) => a.issued - b.issued);
  }

  /** Adds to what a session has used. */
  use(id: string, more: SessionUse): void {
    const known = this.#known.get(id);
    if (known === undefined) return;
    const { requests, denied, received, sent } = known.use;
    known.use = {
      requests: requests + more.requests,
      denied: denied + more.denied,
      received: received + more.received,
      sent: sent + more.sent,
    };
  }

  /** What sessions have used since this was last asked, for another process to add up. */
  takeUse(): Array<readonly [string, SessionUse]> {
    const used = [...this.#known].filter(([, { use }]) => use !== NO_USE);
    return used.map(([id, known]) => {
      const { use } = known;
      known.use = NO_USE;
      return [id, use];
    });
  }

  rotateKeys(by: string): void {
    this.#options.keys.rotate();
    this.#listener.record(this.#keysEvent('keys-rotated', by));
  }

  /** Ends every session there is. */
  revokeAll(by: string): void {
    this.#options.keys.revokeAll();
    this.endAll();
    this.#listener.record(this.#keysEvent('keys-revoked', by));
  }

  /** Ends what runs in any session, for their keys are gone. */
  endAll(): void {
    for (const { session } of this.#known.values()) this.#end(session, 'revoked');
  }

  /** Forgets a session that was revoked; who is cut off is for whoever revoked it. */
  forget(id: string): void {
    clearTimeout(this.#known.get(id)?.timer);
    this.#known.delete(id);
  }

  close(): void {
    for (const { timer } of this.#known.values()) clearTimeout(timer);
  }

  #note(session: Session): void {
    const left = Math.min(MAX_TIMER, session.expires - this.#options.clock());
    const timer = setTimeout(() => this.#end(session, 'expired'), left).unref();
    this.#known.set(session.id, { session, timer, use: NO_USE });
  }

  #end(session: Session, how: 'expired' | 'revoked'): void {
    this.forget(session.id);
    this.#listener.end(session, how);
    if (how === 'expired') this.#listener.record(eventOf('expired', session, 'gate', this.#options.clock()));
  }

  #keysEvent(action: SessionEvent['action'], by: string): SessionEvent {
    return { action, by, kind: 'session', time: new Date(this.#options.clock()).toISOString() };
  }
}

function eventOf(action: SessionEvent['action'], session: Session, by: string, now: number): SessionEvent {
  const { agent, capabilities, expires, id, labels, limits } = session;
  return {
    action,
    agent,
    by,
    ...(capabilities === null ? {} : { capabilities }),
    expires: new Date(expires).toISOString(),
    kind: 'session',
    labels,
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
    session: id,
    time: new Date(now).toISOString(),
  };
}

/** Limits that were asked for, by their kind. Throws SessionRequestError. */
function limitsOf(asked: Readonly<Record<string, string>>): Session['limits'] {
  for (const [name, text] of Object.entries(asked)) {
    const kind = LIMIT_KINDS.find((each) => each === name);
    if (kind === undefined)
      throw new SessionRequestError(`"${name}" cannot be limited: write ${LIMIT_KINDS.join(', ')}`);
    if (parseSessionLimit(kind, text) === null)
      throw new SessionRequestError(`"${text}" is not a limit of ${kind}: write ${limitForm(kind)}, or with /session`);
  }
  return asked;
}
