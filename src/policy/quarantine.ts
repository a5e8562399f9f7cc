import {
  CONTAINMENTS,
  WATCH_KINDS,
  parseThreshold,
  type Containment,
  type QuarantineTerms,
  type Threshold,
} from '../model/quarantine.ts';
import { parseDuration } from '../model/units.ts';
import { problemAt, type Problem } from './problem.ts';
import type { QuarantineSpec } from './schema.ts';
import { rangeOf, type Source } from './source.ts';

/** What a file says of quarantine, read; what it leaves out is for `defaults` to say. */
export interface QuarantineParts {
  readonly thresholds: readonly Threshold[];
  readonly duration: number | null;
  readonly does: Containment | null;
  /** There is none, whatever `defaults` say. */
  readonly off: boolean;
}

export const NO_QUARANTINE: QuarantineParts = { thresholds: [], duration: null, does: null, off: false };
const MINUTE = 60_000;
const LONGEST = 31 * 24 * 60 * MINUTE;
const DURATION = 30 * MINUTE;

/** Reads the `quarantine` that stands at `path`; what is wrong with it is added to the problems. */
export function parseQuarantine(
  spec: QuarantineSpec | undefined,
  source: Source,
  path: readonly PropertyKey[],
  problems: Problem[],
): QuarantineParts {
  if (spec === undefined) return NO_QUARANTINE;
  if (spec === 'off') return { ...NO_QUARANTINE, off: true };
  const wrong = (key: string, message: string, hint: string): void => {
    problems.push(problemAt(source, rangeOf(source, [...path, key]), message, { hint }));
  };
  const thresholds = WATCH_KINDS.flatMap((kind): Threshold[] => {
    const text = spec[kind];
    if (text === undefined) return [];
    const threshold = parseThreshold(kind, String(text));
    if (threshold !== null) return [threshold];
    const form = kind === 'findings' ? 'a number such as 1, or a rate such as 3/hour' : 'a rate such as 20/minute';
    wrong(kind, `"${text}" is not a number of ${kind}`, `write ${form}`);
    return [];
  });
  const duration = spec.for === undefined ? null : parseDuration(spec.for);
  if (spec.for !== undefined && (duration === null || duration < 1000 || duration > LONGEST))
    wrong('for', `"${spec.for}" is not how long a quarantine lasts`, 'write a duration such as 30m');
  return { thresholds, duration, does: containmentOf(spec.do), off: false };
}

/** The arrow may be typed as two characters. */
function containmentOf(text: string | undefined): Containment | null {
  return CONTAINMENTS.find((each) => each === text?.replace('->', '→')) ?? null;
}

/** When an agent is contained: what it says itself, and for the rest what `defaults` say. Null: never. */
export function quarantineOf(own: QuarantineParts, everybody: QuarantineParts): QuarantineTerms | null {
  if (own.off) return null;
  const named = new Set(own.thresholds.map(({ kind }) => kind));
  const thresholds = [...own.thresholds, ...everybody.thresholds.filter(({ kind }) => !named.has(kind))];
  if (thresholds.length === 0) return null;
  return {
    thresholds,
    duration: own.duration ?? everybody.duration ?? DURATION,
    does: own.does ?? everybody.does ?? 'halt-agent',
  };
}
