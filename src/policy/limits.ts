import { LIMIT_KINDS, limitForm, parseLimit, type Limit, type LimitKind } from '../model/limit.ts';
import { parseDuration } from '../model/units.ts';
import { problemAt, type Problem } from './problem.ts';
import type { LimitsSpec } from './schema.ts';
import { rangeOf, type Source } from './source.ts';

/** Reads the limits that stand at `path`; what is wrong with one is added to the problems. */
export function parseLimits(
  spec: LimitsSpec | undefined,
  source: Source,
  path: readonly PropertyKey[],
  problems: Problem[],
): Limit[] {
  if (spec === undefined) return [];
  return LIMIT_KINDS.flatMap((kind) => {
    const given = spec[kind];
    if (given === undefined) return [];
    const texts = [given].flat();
    const limits = texts.flatMap((text, index): Limit[] => {
      const limit = parseLimit(kind, String(text));
      if (limit !== null) return [limit];
      const range = rangeOf(source, Array.isArray(given) ? [...path, kind, index] : [...path, kind]);
      problems.push(
        problemAt(source, range, `"${text}" is not a limit of ${kind}`, { hint: `write ${limitForm(kind)}` }),
      );
      return [];
    });
    const repeated = limits.find((limit, index) => limits.findIndex(({ window }) => window === limit.window) !== index);
    if (repeated !== undefined) {
      const message = `${kind} has two limits for the same time`;
      problems.push(problemAt(source, rangeOf(source, [...path, kind]), message, { hint: 'keep the smaller one' }));
    }
    return limits;
  });
}

/** How long sessions may last, in milliseconds; null where nothing is said, or what is said is added to the problems. */
export function parseSessionTime(
  spec: LimitsSpec | undefined,
  source: Source,
  path: readonly PropertyKey[],
  problems: Problem[],
): number | null {
  if (spec?.session === undefined) return null;
  const time = parseDuration(spec.session);
  if (time !== null && time >= 1000) return time;
  const hint = 'write a duration such as 5m, of a second at least';
  problems.push(
    problemAt(source, rangeOf(source, [...path, 'session']), `"${spec.session}" is not how long a session lasts`, {
      hint,
    }),
  );
  return null;
}

/** An agent's own limits, and for kinds it names none of, those of everybody. */
export function withDefaults(own: readonly Limit[], everybody: readonly Limit[]): Limit[] {
  const named = new Set<LimitKind>(own.map(({ kind }) => kind));
  return [...own, ...everybody.filter(({ kind }) => !named.has(kind))];
}
