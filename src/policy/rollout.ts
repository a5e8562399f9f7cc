import { createHash } from 'node:crypto';

/** How new rules come into force. */
export interface RolloutTerms {
  /** Share of sessions that get them first, above 0 and at most 1. */
  readonly share: number;
  /** Milliseconds until they hold for all. */
  readonly duration: number;
  /** How far the deny rate of those sessions may lie above that of the others, as a share of requests; null: not looked at. */
  readonly denyRate: number | null;
}

/** Requests under one generation of rules, and those of them that its rules refused. */
export interface Tally {
  readonly requests: number;
  readonly denied: number;
}

export const NO_REQUESTS: Tally = { requests: 0, denied: 0 };

/** Fewer requests than this say nothing about a rate. */
export const MIN_REQUESTS = 20;

/**
 * Whether a session is among those that get new rules first. The same for every gate, for as long as the rules are the same;
 * other sessions are picked for the next ones.
 */
export function isPicked(session: string, generation: string, share: number): boolean {
  const digest = createHash('sha256').update(`${generation}\n${session}`).digest();
  return digest.readUInt32BE(0) / 2 ** 32 < share;
}

/** Share of requests that were refused; 0 where there were none. */
export function denyRate({ requests, denied }: Tally): number {
  return requests === 0 ? 0 : denied / requests;
}

/**
 * What becomes of new rules now: null while it is too early to say. `before` is what the rules in force refused before the
 * rollout began, for the time in which too few requests meet them.
 */
export function verdictOn(
  terms: RolloutTerms,
  elapsed: number,
  canary: Tally,
  stable: Tally,
  before: Tally,
): 'promote' | 'abort' | null {
  const usual = denyRate(stable.requests >= MIN_REQUESTS ? stable : before);
  const worse = denyRate(canary) - usual;
  if (terms.denyRate !== null && canary.requests >= MIN_REQUESTS && worse > terms.denyRate) return 'abort';
  return elapsed >= terms.duration ? 'promote' : null;
}

/** `2.1 % of 1203`, for people. */
export function tallyText(tally: Tally): string {
  return `${(denyRate(tally) * 100).toFixed(1)} % of ${tally.requests}`;
}
