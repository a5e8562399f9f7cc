import type { OutcomeEvent } from '../model/audit-event.ts';
import type { Facts } from '../model/facts.ts';
import { NO_CHANGED_TOOLS } from './content/tools.ts';
import { parseHost } from '../model/host.ts';
import { canonicalPath } from '../model/path.ts';
import { isFloor, REASONS, type Reason } from '../model/reason.ts';
import { makeTarget, type Scheme } from '../model/target.ts';
import { decide, readsMoreThanRecorded } from './decide.ts';
import type { Policy } from './policy.ts';

/** What rules say of a recorded request. `unknown`: some of them read what is not on record (values, headers, bodies). */
export type Verdict = 'allow' | 'deny' | 'would-deny' | 'unknown';

/** One recorded request under other rules. */
export interface Replayed {
  readonly agent: string;
  readonly before: Verdict;
  readonly after: Verdict;
  /** Reason of the denial, after where there is one, else before. */
  readonly reason: string;
  /** The capability that decides, after where there is one, else before. */
  readonly capability: string;
}

/**
 * Decides a recorded request under these rules. Null for what rules do not decide: requests that were malformed, of nobody,
 * or refused for an address or an upstream.
 */
export function replay(event: OutcomeEvent, policy: Policy): Replayed | null {
  const facts = factsOf(event);
  if (facts === null || !isOfRules(event)) return null;
  const before = { agent: facts.agent, before: event.decision };
  if (readsMoreThanRecorded(facts, policy))
    return { ...before, after: 'unknown', reason: event.reason ?? '', capability: event.capability ?? '' };
  const decision = decide(facts, policy);
  // What a session held is not on record: it may have been refused what its agent was allowed.
  if (decision.kind === 'allow' && event.session !== undefined && event.decision !== 'allow')
    return { ...before, after: 'unknown', reason: event.reason ?? '', capability: event.capability ?? '' };
  if (decision.kind === 'allow') {
    const capability = decision.obligations.capability ?? '';
    return { ...before, after: 'allow', reason: event.reason ?? '', capability };
  }
  const enforced = decision.mode === 'enforce' || isFloor(decision.reason);
  const capability = decision.capability ?? event.capability ?? '';
  return { ...before, after: enforced ? 'deny' : 'would-deny', reason: decision.reason, capability };
}

/** Whatever the rules allow: counters and external policies say these. */
const DECIDED_ELSEWHERE: ReadonlySet<string> = new Set<Reason>([
  'rate-exceeded',
  'budget-exhausted',
  'store-unavailable',
  'decision-point-denied',
  'decision-point-unavailable',
]);

/** Denials that rules decide; all others would be the same whatever the rules say. */
export function isOfRules({ decision, reason }: OutcomeEvent): boolean {
  if (reason !== undefined && DECIDED_ELSEWHERE.has(reason)) return false;
  if (decision !== 'deny' || reason === undefined) return true;
  return (
    !(reason in REASONS) || !isFloor(reason as Reason) || reason === 'path-malformed' || reason === 'body-too-large'
  );
}

const SCHEMES: ReadonlySet<string> = new Set(['http', 'https', 'tcp']);

/** What a record says of a request; null where it is not enough to decide it. */
export function factsOf(event: OutcomeEvent): Facts | null {
  const { agent, scheme, host, port, method, path, query } = event;
  const parsed = host === undefined ? null : parseHost(host.includes(':') ? `[${host}]` : host);
  if (agent === null || parsed === null || port === undefined || method === undefined || path === undefined)
    return null;
  if (scheme === undefined || !SCHEMES.has(scheme)) return null;
  return {
    agent,
    source: event.source,
    target: makeTarget(scheme as Scheme, parsed, port),
    method,
    websocket: event.websocket === true,
    path: canonicalPath(path),
    query: query === undefined ? null : query.map(({ name }) => name).join('&'),
    headers: [],
    body: { kind: 'unread' },
    changedTools: NO_CHANGED_TOOLS,
    granted: null,
  };
}

/** Requests that changed in the same way. */
export interface Change extends Replayed {
  readonly count: number;
  /** `METHOD scheme://host:port/path` of the first of them. */
  readonly example: string;
}

/** Counts replayed events; its size is that of the kinds of change, not of the log. */
export class ReplayTally {
  readonly #changes = new Map<string, { replayed: Replayed; count: number; example: string }>();
  replayed = 0;
  /** Events that rules do not decide. */
  skipped = 0;
  unknown = 0;

  add(event: OutcomeEvent, result: Replayed | null): void {
    if (result === null) {
      this.skipped++;
      return;
    }
    this.replayed++;
    if (result.after === 'unknown') this.unknown++;
    if (result.after === result.before || result.after === 'unknown') return;
    const { agent, before, after, reason, capability } = result;
    const key = JSON.stringify([agent, before, after, reason, capability]);
    const known = this.#changes.get(key);
    if (known !== undefined) known.count++;
    else this.#changes.set(key, { replayed: result, count: 1, example: exampleOf(event) });
  }

  /** What would change, most frequent first. */
  changes(): Change[] {
    return [...this.#changes.values()]
      .map(({ replayed, count, example }) => ({ ...replayed, count, example }))
      .sort((a, b) => b.count - a.count || a.example.localeCompare(b.example));
  }
}

function exampleOf({ method, scheme, host, port, path }: OutcomeEvent): string {
  return `${method ?? ''} ${scheme ?? ''}://${host ?? ''}:${port ?? ''}${path ?? ''}`;
}
