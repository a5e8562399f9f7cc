import type { Family, Severity } from './detector.ts';

/** Something was found. Never holds what was found: only where, how long, and a keyed fingerprint that tells two apart. */
export interface Finding {
  readonly detector: string;
  readonly family: Family;
  readonly severity: Severity;
  /** Where in the bytes as they came, and how many of them. What was decoded counts from the start of what was encoded. */
  readonly offset: number;
  readonly length: number;
  /** Decoders it was found through, outermost first. */
  readonly via: readonly string[];
  /** Hosts this credential belongs to. */
  readonly belongsTo: readonly string[];
  /** It may stand where somebody authenticates, to whatever host. */
  readonly authenticates: boolean;
  readonly fingerprint: string;
}
