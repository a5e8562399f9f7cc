import { compareDecimals, isInteger } from '../../model/decimal.ts';
import { JsonNumber, isArray, isObject, type Json } from '../../model/json.ts';
import { globMatches } from '../glob.ts';
import { RuleError } from '../parsed.ts';
import { compileExpression } from '../predicate.ts';
import type { JsonFieldsSpec, JsonPredicateSpec } from '../schema.ts';

/** Stands in a pointer for every element or member. */
const EVERY: unique symbol = Symbol('*');
type Token = string | typeof EVERY;

/** Predicates on one JSON value. */
interface ValuePredicate {
  readonly absent: boolean;
  readonly optional: boolean;
  /** `loose`: as some server might take the value, which reads "5" for 5; for denies. */
  readonly holds: (value: Json, loose: boolean) => boolean;
}

interface Pointed {
  readonly text: string;
  readonly tokens: readonly Token[];
  readonly predicate: ValuePredicate;
}

/** What `body.json` and the arguments of tools ask: JSON Pointers (RFC 6901, `*` for all) with predicates. */
export class JsonPredicates {
  readonly #pointers: readonly Pointed[];
  readonly closed: boolean;

  /** Throws RuleError. */
  constructor(spec: JsonFieldsSpec) {
    this.closed = spec['closed'] === true;
    this.#pointers = Object.entries(spec)
      .filter(([text]) => text !== 'closed')
      .map(([text, each]) => compilePointer(text, each as JsonPredicateSpec));
  }

  get size(): number {
    return this.#pointers.length + (this.closed ? 1 : 0);
  }

  /** Null when every pointer holds and, if closed, nothing else is there; otherwise what does not, in the words of the rule. */
  flaw(value: Json): string | null {
    for (const { text, tokens, predicate } of this.#pointers)
      if (!allHold(value, tokens, 0, predicate))
        return `${text === '' ? 'the value' : text} is not what the rule allows`;
    if (!this.closed) return null;
    const lists = this.#pointers.filter(({ predicate }) => !predicate.absent).map(({ tokens }) => tokens);
    return isListed(value, lists, 0) ? null : 'a member is not listed';
  }

  /** Whether some server could read the value as what a deny names. */
  mayHold(value: Json): boolean {
    return this.#pointers.every(({ tokens, predicate }) => someHolds(value, tokens, 0, predicate));
  }
}

function compilePointer(text: string, spec: JsonPredicateSpec): Pointed {
  if (text !== '' && !text.startsWith('/'))
    throw new RuleError(`"${text}" is not a JSON Pointer: it starts with "/"`, [text]);
  if (/~(?![01])/.test(text))
    throw new RuleError(`"${text}" is not a JSON Pointer: "~" is written "~0" (RFC 6901)`, [text]);
  const tokens = text
    .split('/')
    .slice(1)
    .map((part) => (part === '*' ? EVERY : part.replaceAll('~1', '/').replaceAll('~0', '~')));
  try {
    return { text, tokens, predicate: compileValue(spec) };
  } catch (error) {
    throw new RuleError(`the predicate for ${text}: ${(error as Error).message}`, [text]);
  }
}

/** A path that leads nowhere holds only for predicates that say so. */
function missing(predicate: ValuePredicate): boolean {
  return predicate.absent || predicate.optional;
}

function allHold(value: Json, tokens: readonly Token[], at: number, predicate: ValuePredicate): boolean {
  if (at === tokens.length) return !predicate.absent && predicate.holds(value, false);
  const children = childrenOf(value, tokens[at] as Token);
  if (children.length === 0) return missing(predicate);
  return children.every((child) => allHold(child, tokens, at + 1, predicate));
}

function someHolds(value: Json, tokens: readonly Token[], at: number, predicate: ValuePredicate): boolean {
  if (at === tokens.length) return !predicate.absent && predicate.holds(value, true);
  const children = childrenOf(value, tokens[at] as Token);
  if (children.length === 0) return missing(predicate);
  return children.some((child) => someHolds(child, tokens, at + 1, predicate));
}

function childrenOf(value: Json, token: Token): readonly Json[] {
  if (isObject(value)) {
    if (token === EVERY) return [...value.values()];
    const member = value.get(token);
    return member === undefined ? [] : [member];
  }
  if (!isArray(value)) return [];
  if (token === EVERY) return value;
  const element = /^(?:0|[1-9][0-9]{0,8})$/.test(token) ? value[Number(token)] : undefined;
  return element === undefined ? [] : [element];
}

/** Whether all of a value lies on the way to, at or below a listed pointer. */
function isListed(value: Json, lists: readonly (readonly Token[])[], at: number): boolean {
  if (lists.some((tokens) => tokens.length <= at)) return true;
  const entries = isObject(value)
    ? [...value]
    : isArray(value)
      ? value.map((each, index) => [String(index), each] as const)
      : null;
  // A scalar where the rule expects something deeper is not what is listed.
  if (entries === null) return false;
  return entries.every(([name, child]) => {
    const on = lists.filter((tokens) => tokens[at] === EVERY || tokens[at] === name);
    return on.length > 0 && isListed(child, on, at + 1);
  });
}

function compileValue(spec: JsonPredicateSpec): ValuePredicate {
  if (spec === null || typeof spec !== 'object') {
    refuseRounded(spec);
    return { absent: false, optional: false, holds: (value, loose) => equals(spec, value, loose) };
  }
  const tests: Array<(value: Json, loose: boolean) => boolean> = [];
  const { equals: wanted, glob, matches, minimum, maximum, type } = spec;
  if (wanted !== undefined) {
    refuseRounded(wanted);
    tests.push((value, loose) => equals(wanted, value, loose));
  }
  const list = spec['one-of'];
  if (list !== undefined) {
    list.forEach(refuseRounded);
    tests.push((value, loose) => list.some((each) => equals(each, value, loose)));
  }
  if (glob !== undefined) tests.push((value, loose) => textTest(value, loose, (text) => globMatches(glob, text)));
  if (matches !== undefined) {
    const expression = compileExpression(matches);
    tests.push((value, loose) => textTest(value, loose, expression));
  }
  if (minimum !== undefined) tests.push((value, loose) => numberTest(value, loose, minimum, (order) => order >= 0));
  if (maximum !== undefined) tests.push((value, loose) => numberTest(value, loose, maximum, (order) => order <= 0));
  const most = spec['max-length'];
  if (most !== undefined) tests.push((value, loose) => textTest(value, loose, (text) => text.length <= most));
  if (type !== undefined) tests.push((value) => isOfType(value, type));
  return {
    absent: spec.absent === true,
    optional: spec.optional === true,
    holds: (value, loose) => tests.every((test) => test(value, loose)),
  };
}

/** YAML numbers are doubles: an integer that has lost digits already would compare with another one. */
function refuseRounded(wanted: string | number | boolean | null): void {
  if (typeof wanted === 'number' && Number.isInteger(wanted) && !Number.isSafeInteger(wanted))
    throw new Error('the number is too large to be exact in YAML, and would be compared as another one');
}

function equals(wanted: string | number | boolean | null, value: Json, loose: boolean): boolean {
  if (typeof wanted === 'number') return numberTest(value, loose, wanted, (order) => order === 0);
  if (value === wanted) return true;
  if (!loose || isArray(value) || isObject(value)) return false;
  return (value instanceof JsonNumber ? value.text : String(value)) === String(wanted);
}

function textTest(value: Json, loose: boolean, test: (text: string) => boolean): boolean {
  if (typeof value === 'string') return test(value);
  return loose && value instanceof JsonNumber && test(value.text);
}

function numberTest(value: Json, loose: boolean, bound: number, test: (order: number) => boolean): boolean {
  const text = value instanceof JsonNumber ? value.text : loose && typeof value === 'string' ? value.trim() : null;
  const order = text === null ? null : compareDecimals(text, String(bound));
  return order !== null && test(order);
}

type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'object' | 'array';

function isOfType(value: Json, type: JsonType): boolean {
  switch (type) {
    case 'number':
      return value instanceof JsonNumber;
    case 'integer':
      return value instanceof JsonNumber && isInteger(value.text);
    case 'null':
      return value === null;
    case 'object':
      return isObject(value);
    case 'array':
      return isArray(value);
    default:
      return typeof value === type;
  }
}
