import { RE2JS } from 're2js';
import { globMatches } from './glob.ts';
import type { PredicateSpec } from './schema.ts';

/** A compiled predicate on one text value. */
export interface Predicate {
  readonly absent: boolean;
  readonly optional: boolean;
  readonly holds: (value: string) => boolean;
}

/** A map of names to predicates; `closed` denies names that are not listed. */
export interface FieldPredicates {
  readonly closed: boolean;
  readonly byName: ReadonlyMap<string, Predicate>;
}

/** Compiles a predicate. Throws an Error whose message is for the author of the rule. */
export function compilePredicate(spec: PredicateSpec): Predicate {
  if (typeof spec !== 'object') return { absent: false, optional: false, holds: (value) => value === String(spec) };
  const tests: Array<(value: string) => boolean> = [];
  if (spec.equals !== undefined) tests.push((value) => value === String(spec.equals));
  if (spec['one-of'] !== undefined) {
    const allowed = new Set(spec['one-of'].map(String));
    tests.push((value) => allowed.has(value));
  }
  if (spec.glob !== undefined) {
    const pattern = spec.glob;
    tests.push((value) => globMatches(pattern, value));
  }
  if (spec.matches !== undefined) tests.push(compileExpression(spec.matches));
  if (spec.minimum !== undefined || spec.maximum !== undefined) {
    const least = spec.minimum ?? -Infinity;
    const most = spec.maximum ?? Infinity;
    tests.push((value) => isNumber(value) && Number(value) >= least && Number(value) <= most);
  }
  if (spec['max-length'] !== undefined) {
    const most = spec['max-length'];
    tests.push((value) => value.length <= most);
  }
  if (spec.type !== undefined) tests.push(typeTest(spec.type));
  return {
    absent: spec.absent === true,
    optional: spec.optional === true,
    holds: (value) => tests.every((test) => test(value)),
  };
}

/** True when the values of every listed name hold, and, if closed, no other name occurs. */
export function fieldsHold(
  predicates: FieldPredicates,
  pairs: readonly string[],
  exempt: ReadonlySet<string> | null,
): boolean {
  const seen = new Set<string>();
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] as string;
    const predicate = predicates.byName.get(name);
    if (predicate === undefined) {
      if (predicates.closed && exempt?.has(name) !== true) return false;
      continue;
    }
    if (predicate.absent || !predicate.holds(pairs[i + 1] as string)) return false;
    seen.add(name);
  }
  for (const [name, predicate] of predicates.byName) {
    if (!seen.has(name) && !predicate.absent && !predicate.optional) return false;
  }
  return true;
}

/**
 * True when some server could read the pairs as what a deny names: one occurrence of a name is enough, for servers differ on
 * which of several counts, and names that are not listed change nothing, closed or not.
 */
export function fieldsMayHold(predicates: FieldPredicates, pairs: readonly string[]): boolean {
  for (const [name, predicate] of predicates.byName) {
    const values = pairs.filter((_, index) => index % 2 === 1 && pairs[index - 1] === name);
    const missing = values.length === 0 && (predicate.absent || predicate.optional);
    if (!missing && (predicate.absent || !values.some((value) => predicate.holds(value)))) return false;
  }
  return true;
}

/**
 * Name, value pairs of a query, percent-decoded once, `+` read as a space. Null when a percent sign lacks its digits or
 * the bytes are not UTF-8: servers disagree on what such a query says.
 */
export function queryPairs(query: string | null): string[] | null {
  if (query === null || query === '') return [];
  const pairs: string[] = [];
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    const name = decode(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? '' : decode(part.slice(equals + 1));
    if (name === null || value === null) return null;
    pairs.push(name, value);
  }
  return pairs;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function isNumber(value: string): boolean {
  return /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/.test(value);
}

function typeTest(type: 'string' | 'number' | 'integer' | 'boolean'): (value: string) => boolean {
  if (type === 'number') return isNumber;
  if (type === 'integer') return (value) => /^-?(?:0|[1-9][0-9]*)$/.test(value);
  if (type === 'boolean') return (value) => value === 'true' || value === 'false';
  return () => true;
}

/** RE2 syntax and linear time (re2js): an agent's bytes can never make a rule slow. The whole value must match. */
export function compileExpression(source: string): (value: string) => boolean {
  const expression = RE2JS.compile(source);
  return (value) => expression.matcher(value).matches();
}
