import { parseLimit, type Limit, type LimitKind } from './limit.ts';

/** An agent's task: a part of what the agent may do, for a time. */
export interface Session {
  readonly id: string;
  readonly agent: string;
  /** Capabilities it holds of those granted to the agent; null: all that the agent may. */
  readonly capabilities: readonly string[] | null;
  /** Names and values of whoever made it, for the record. */
  readonly labels: Readonly<Record<string, string>>;
  /** What it may use up, beside what its agent may, as `requests` → `100/session`; none where it is empty. */
  readonly limits: Readonly<Partial<Record<LimitKind, string>>>;
  /** Milliseconds since 1970. */
  readonly issued: number;
  readonly expires: number;
}

/** Longest life of a session, in milliseconds. */
export const LONGEST_SESSION = 7 * 86_400_000;

/** What a session has used, as far as it has ended. */
export interface SessionUse {
  readonly requests: number;
  /** Of those, the ones that were refused. */
  readonly denied: number;
  /** Body bytes from and to upstreams. */
  readonly received: number;
  readonly sent: number;
}

export const NO_USE: SessionUse = { requests: 0, denied: 0, received: 0, sent: 0 };

/** Reads a limit of a session: as those of rules, or `100/session` for as long as it lasts. Null when it is not one of that kind. */
export function parseSessionLimit(kind: LimitKind, text: string): Limit | null {
  const limit = parseLimit(kind, text.replace(/\/ *session *$/, `/${LONGEST_SESSION / 86_400_000}d`));
  return limit === null ? null : { ...limit, text };
}
