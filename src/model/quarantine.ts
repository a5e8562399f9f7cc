import { parseLimit } from './limit.ts';
import { FINDING_REASONS, MISCONDUCT_REASONS, type Reason } from './reason.ts';

/** What the gate watches by itself. */
export const WATCH_KINDS = ['denials', 'findings', 'unknown-hosts'] as const;
export type WatchKind = (typeof WATCH_KINDS)[number];

/** So many within so long are too many. */
export interface Threshold {
  readonly kind: WatchKind;
  readonly count: number;
  /** Milliseconds. */
  readonly window: number;
  /** As its author wrote it. */
  readonly text: string;
}

/** What the gate does about it. */
export const CONTAINMENTS = ['kill-session', 'halt-agent', 'observe→enforce'] as const;
export type Containment = (typeof CONTAINMENTS)[number];

/** When the gate contains an agent by itself, how, and for how long. */
export interface QuarantineTerms {
  readonly thresholds: readonly Threshold[];
  /** Milliseconds. */
  readonly duration: number;
  readonly does: Containment;
}

/** A number that says no time counts in any day. */
const PLAIN_WINDOW = 'day';

/** Reads `20/minute`; for findings a number such as `1` will do. Null when it is neither. */
export function parseThreshold(kind: WatchKind, text: string): Threshold | null {
  const whole = kind === 'findings' && /^[0-9]+$/.test(text.trim()) ? `${text}/${PLAIN_WINDOW}` : text;
  const rate = parseLimit('requests', whole);
  return rate === null ? null : { kind, count: rate.count, window: rate.window, text };
}

/**
 * What a denial counts as. Nothing where it says more of the gate, the upstream or the agent's limits than of the agent: a gate
 * that contained on those would make every trouble worse.
 */
export function watched(reason: Reason): readonly WatchKind[] {
  if (FINDING_REASONS.has(reason)) return FOUND;
  if (reason === 'host-not-allowed') return STRANGE;
  return MISCONDUCT_REASONS.has(reason) ? DENIED : NOTHING;
}

const NOTHING: readonly WatchKind[] = [];
const DENIED: readonly WatchKind[] = ['denials'];
const FOUND: readonly WatchKind[] = ['denials', 'findings'];
const STRANGE: readonly WatchKind[] = ['denials', 'unknown-hosts'];
