import { z } from 'zod';
import { problemAt, type Problem } from './problem.ts';
import { keyRangeOf, rangeOf, type Source } from './source.ts';
import {
  agent,
  body,
  capability,
  defaults,
  endpointMap,
  graphql,
  jsonrpc,
  limits,
  mcp,
  quarantineMap,
  rulesFile,
  tenant,
  type RulesFile,
} from './schema.ts';
import { detector, scanMap } from './scan-schema.ts';
import { didYouMean } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** Checks a file against the schema. Null when it has problems, which are added with their places. */
export function checkShape(source: Source, problems: Problem[]): RulesFile | null {
  const result = rulesFile.safeParse(source.value ?? {});
  if (result.success) return result.data;
  for (const issue of result.error.issues) reportIssue(source, issue, [], problems);
  return null;
}

function reportIssue(source: Source, issue: Issue, base: PropertyKey[], problems: Problem[]): void {
  const path = [...base, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const hint = didYouMean(key, knownKeys(path));
      problems.push(problemAt(source, keyRangeOf(source, path, key), `unknown key "${key}"`, { hint }));
    }
    return;
  }
  if (issue.code === 'invalid_union') {
    const branch = nearestBranch(issue.errors);
    if (branch !== null) {
      for (const inner of branch) reportIssue(source, inner, path, problems);
      return;
    }
  }
  if (issue.code === 'invalid_key') {
    const key = String(issue.path.at(-1));
    const message = issue.issues[0]?.message ?? issue.message;
    problems.push(problemAt(source, keyRangeOf(source, path.slice(0, -1), key), `"${key}" is not a name: ${message}`));
    return;
  }
  problems.push(
    problemAt(source, rangeOf(source, path), messageOf(source, issue, path), { hint: hintOf(source, issue, path) }),
  );
}

/** The branch that the author meant: the one that did not fail on the type of the value itself. */
function nearestBranch(errors: ReadonlyArray<readonly Issue[]>): readonly Issue[] | null {
  const failsAtRoot = (branch: readonly Issue[], codes: readonly string[]): boolean =>
    branch.some((issue) => issue.path.length === 0 && codes.includes(issue.code));
  // A map where a word might stand too is meant as a map, though it is none of the words; and as the map whose keys it has.
  const codes = ['invalid_type', 'invalid_value', 'invalid_union', 'unrecognized_keys'];
  for (let count = codes.length; count > 0; count--) {
    const near = errors.find((branch) => !failsAtRoot(branch, codes.slice(0, count)));
    if (near !== undefined) return near;
  }
  return null;
}

function messageOf(source: Source, issue: Issue, path: PropertyKey[]): string {
  const key =
    path
      .map(String)
      .filter((part) => !/^\d+$/.test(part))
      .at(-1) ?? 'the file';
  const missing = valueAt(source.value, path) === undefined;
  if (issue.code === 'invalid_type' && missing) return `"${key}" is missing`;
  if (issue.code === 'invalid_type') return `"${key}" must be ${article(issue.expected)}`;
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String).join(', ');
    if (!missing && issue.values.length > MANY)
      return `"${key}": "${String(valueAt(source.value, path))}" is not known here`;
    return missing ? `"${key}" is missing` : `"${key}" must be ${issue.values.length > 1 ? 'one of ' : ''}${values}`;
  }
  if (issue.code === 'too_small' && issue.origin === 'array') return `"${key}" must not be empty`;
  if (issue.code === 'invalid_union') return `"${key}" has the wrong type`;
  return `"${key}": ${issue.message}`;
}

/** More words than this are not told one by one. */
const MANY = 8;

function hintOf(source: Source, issue: Issue, path: PropertyKey[]): string | null {
  if (path.length === 1 && path[0] === 'version') return 'every rule file starts with "version: 1"';
  if (issue.code === 'invalid_value' && issue.values.length > MANY)
    return didYouMean(String(valueAt(source.value, path)), issue.values.map(String));
  if (issue.code === 'invalid_value' && issue.values.length > 1)
    return `known here: ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_type' && issue.expected === 'array') return 'write a list: [a, b], or one "- a" a line';
  return null;
}

function article(expected: string): string {
  const words: Record<string, string> = {
    array: 'a list',
    object: 'a map',
    record: 'a map',
    string: 'text',
    int: 'a whole number',
  };
  return words[expected] ?? `a ${expected}`;
}

function valueAt(value: unknown, path: PropertyKey[]): unknown {
  return path.reduce<unknown>((at, step) => (at as Record<PropertyKey, unknown> | null | undefined)?.[step], value);
}

/** The keys that may stand in the map at this path, for hints. */
function knownKeys(path: PropertyKey[]): string[] {
  const last = path.at(-1);
  if (path.length === 0) return Object.keys(rulesFile.shape);
  if (path[0] === 'defaults' && path.length === 1) return Object.keys(defaults.shape);
  if (path[0] === 'agents' && path.length === 2) return Object.keys(agent.shape);
  if (path[0] === 'capabilities' && path.length === 2) return Object.keys(capability.shape);
  if (path[0] === 'tenants' && path.length === 2) return Object.keys(tenant.shape);
  if (last === 'limits') return Object.keys(limits.shape);
  if (last === 'scan') return Object.keys(scanMap.shape);
  if (path[0] === 'detectors' && path.length === 2) return Object.keys(detector.shape);
  if (last === 'quarantine') return Object.keys(quarantineMap.shape);
  if (last === 'identity') return ['token', 'certificate', 'networks'];
  if (typeof last === 'number' && path.at(-2) === 'capabilities') return ['use', 'with', 'mode'];
  if (typeof last === 'number') return Object.keys(endpointMap.shape);
  if (typeof path.at(-2) === 'number' && typeof last === 'string') return PART_KEYS[last] ?? PREDICATE_KEYS;
  if (path.at(-2) === 'parameters') return ['type', 'description', 'default'];
  return PREDICATE_KEYS;
}

/** Keys of the parts of an endpoint that are maps of their own. */
const PART_KEYS: Readonly<Record<string, string[]>> = {
  body: Object.keys(body.shape),
  graphql: Object.keys(graphql.shape),
  jsonrpc: Object.keys(jsonrpc.shape),
  mcp: Object.keys(mcp.shape),
  websocket: ['messages', 'max'],
};
const PREDICATE_KEYS = [
  'equals',
  'one-of',
  'glob',
  'matches',
  'minimum',
  'maximum',
  'max-length',
  'type',
  'absent',
  'optional',
];
