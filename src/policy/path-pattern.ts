import { canonicalPath } from '../model/path.ts';
import { globMatches, globsOverlap } from './glob.ts';
import type { Parsed } from './parsed.ts';

/** A path pattern as segments; `**` stands for any number of them, `*` for one or a part of one. */
export interface PathPattern {
  readonly text: string;
  readonly segments: readonly string[];
  /** Characters that are not wildcards: the longer, the more specific. */
  readonly literalLength: number;
}

export const ANY_PATH: PathPattern = { text: '/**', segments: ['**'], literalLength: 1 };

/** Parses a pattern. Unless `raw`, it is held to the canonical form, for nothing else can ever match it. */
export function parsePathPattern(text: string, raw: boolean): Parsed<PathPattern> {
  const wrong = (message: string, hint: string): Parsed<PathPattern> => ({ ok: false, message, hint });
  if (!text.startsWith('/')) return wrong(`the path "${text}" does not start with "/"`, `write "/${text}"`);
  if (/[?#]/.test(text)) return wrong(`the path "${text}" holds a query or fragment`, 'use "query:" in the long form');
  if (text.split('/').some((segment) => segment.includes('**') && segment !== '**')) {
    return wrong(
      `"**" in "${text}" is not a whole segment`,
      'write "*" for part of a segment, "/**" for any number of them',
    );
  }
  let canonical = text;
  if (!raw) {
    const parsed = canonicalPath(text);
    if (parsed.canonical === null) {
      return wrong(
        `the path "${text}" can never match: ${parsed.flaw ?? 'it is malformed'}`,
        'write the path in its plain form, or set paths-raw: true',
      );
    }
    canonical = parsed.canonical;
  }
  const segments = canonical.slice(1).split('/');
  return { ok: true, value: { text: canonical, segments, literalLength: canonical.replaceAll('*', '').length } };
}

interface Node<T> {
  literals: Map<string, Node<T>> | null;
  globs: Array<{ readonly pattern: string; readonly node: Node<T> }> | null;
  /** Reached by `**`, which may go on to swallow segments. */
  rest: Node<T> | null;
  readonly swallows: boolean;
  values: T[] | null;
}

/** All path patterns of one host, walked together: the cost is that of the request's path, not of the number of rules. */
export class PathTrie<T> {
  readonly #root: Node<T> = makeNode(false);
  readonly #active: Array<Node<T>> = [];
  readonly #next: Array<Node<T>> = [];

  add(pattern: PathPattern, value: T): void {
    let node = this.#root;
    for (const segment of pattern.segments) node = child(node, segment);
    node.values ??= [];
    node.values.push(value);
  }

  /** Every value whose pattern matches. */
  match(path: string): readonly T[] {
    // Two lists in turn, kept from call to call: this is on the path of every request.
    let active = this.#active;
    let next = this.#next;
    active.length = 0;
    activate(this.#root, active);
    let start = 1;
    for (;;) {
      const slash = path.indexOf('/', start);
      const segment = slash === -1 ? path.slice(start) : path.slice(start, slash);
      next.length = 0;
      for (let i = 0; i < active.length; i++) step(active[i] as Node<T>, segment, next);
      [active, next] = [next, active];
      if (slash === -1 || active.length === 0) break;
      start = slash + 1;
    }
    return valuesOf(active);
  }
}

/** True when some path matches both patterns. */
export function pathsOverlap(a: readonly string[], b: readonly string[]): boolean {
  const seen = new Set<number>();
  const overlap = (i: number, j: number): boolean => {
    const state = i * (b.length + 1) + j;
    if (seen.has(state)) return false;
    seen.add(state);
    const left = a[i];
    const right = b[j];
    if (left === undefined && right === undefined) return true;
    if (left === '**') return overlap(i + 1, j) || (right !== undefined && overlap(i, j + 1));
    if (right === '**') return overlap(i, j + 1) || (left !== undefined && overlap(i + 1, j));
    return left !== undefined && right !== undefined && globsOverlap(left, right) && overlap(i + 1, j + 1);
  };
  return overlap(0, 0);
}

/** True when `outer` surely matches every path that `inner` does; may say false where a proof would take more. */
export function pathCovers(outer: PathPattern, inner: PathPattern): boolean {
  if (outer.text === inner.text || outer.text === '/**') return true;
  if (outer.segments.at(-1) !== '**') return false;
  const prefix = outer.segments.slice(0, -1);
  return prefix.every((segment, index) => {
    const other = inner.segments[index];
    return other !== undefined && other !== '**' && (segment === '*' || segment === other);
  });
}

function makeNode<T>(swallows: boolean): Node<T> {
  return { literals: null, globs: null, rest: null, swallows, values: null };
}

function child<T>(node: Node<T>, segment: string): Node<T> {
  if (segment === '**') return (node.rest ??= makeNode(true));
  if (!segment.includes('*')) {
    node.literals ??= new Map();
    let next = node.literals.get(segment);
    if (next === undefined) node.literals.set(segment, (next = makeNode(false)));
    return next;
  }
  node.globs ??= [];
  let found = node.globs.find((glob) => glob.pattern === segment);
  if (found === undefined) node.globs.push((found = { pattern: segment, node: makeNode(false) }));
  return found.node;
}

const NOTHING: readonly never[] = [];

function valuesOf<T>(nodes: ReadonlyArray<Node<T>>): readonly T[] {
  let found: readonly T[] = NOTHING;
  for (let i = 0; i < nodes.length; i++) {
    const { values } = nodes[i] as Node<T>;
    if (values !== null) found = found.length === 0 ? values : [...found, ...values];
  }
  return found;
}

/** Adds a node and what it reaches without a segment. */
function activate<T>(node: Node<T>, active: Array<Node<T>>): void {
  if (active.includes(node)) return;
  active.push(node);
  if (node.rest !== null) activate(node.rest, active);
}

function step<T>(node: Node<T>, segment: string, next: Array<Node<T>>): void {
  if (node.swallows) activate(node, next);
  const literal = node.literals?.get(segment);
  if (literal !== undefined) activate(literal, next);
  if (node.globs === null) return;
  for (const glob of node.globs) {
    if (segment === '' && glob.pattern === '*') continue; // a whole-segment star stands for a segment, not for nothing
    if (globMatches(glob.pattern, segment)) activate(glob.node, next);
  }
}
