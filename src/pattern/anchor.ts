import { setSize } from './byte-set.ts';
import type { Node } from './parse.ts';
import { longest } from './program.ts';

/**
 * A pattern as it is found by its literals: wherever one of `literals` ends, `before` (read backwards from the start of
 * the literal) and `from` (the literal again, and all behind it) decide whether it is a match.
 */
export interface Anchored {
  /** Lower-case, Latin-1. Never empty, none of them empty. */
  readonly literals: readonly string[];
  readonly before: Node;
  readonly from: Node;
}

/** Literals of one pattern. */
const MAX_LITERALS = 64;
/** Nothing is gained by longer ones. */
const LONG_ENOUGH = 12;
/** A part before the literal that may be longer is no help: how far back would one have to look? */
const MAX_BEFORE = 256;

/**
 * Finds what of a pattern is literal; one entry for each alternative. Null where some alternative has no literal of at least
 * `least` bytes that is not too far from its start.
 */
export function anchorsOf(node: Node, least: number): readonly Anchored[] | null {
  const alternatives = node.kind === 'either' ? node.items : [node];
  const anchored: Anchored[] = [];
  for (const each of alternatives) {
    const found = anchorOf(each, least);
    if (found === null) return null;
    anchored.push(found);
  }
  return anchored;
}

function anchorOf(node: Node, least: number): Anchored | null {
  const items = itemsOf(node);
  let best: { literals: readonly string[]; at: number; score: number } | null = null;
  for (let at = 0; at < items.length; at++) {
    if (items.slice(0, at).reduce((sum, item) => sum + longest(item), 0) > MAX_BEFORE) break;
    const literals = literalsFrom(items, at);
    if (literals === null) continue;
    const length = Math.min(...literals.map((each) => each.length));
    // An early one is found early; many are as good as a shorter one.
    const score =
      Math.min(length, LONG_ENOUGH) -
      Math.log2(literals.length) / (length < 4 ? 8 : 4) -
      at / 100 -
      (literals.some(isRule) ? 1 : 0);
    if (length >= least && (best === null || score > best.score)) best = { literals, at, score };
  }
  if (best === null) return null;
  const { literals, at } = best;
  return { literals, before: concat(items.slice(0, at)), from: concat(items.slice(at)) };
}

/** Begins as the lines between paragraphs and the rows of tables do: it would be looked for in each of them. */
function isRule(literal: string): boolean {
  return /^([^a-z0-9])\1\1/.test(literal);
}

/** The parts of a pattern in order, with what must occur of a repetition written out, so that its literals show. */
function itemsOf(node: Node): Node[] {
  if (node.kind === 'concat') return node.items.flatMap(itemsOf);
  if (node.kind === 'repeat' && node.least > 0 && node.least <= 4 && exact(node.item) !== null) {
    const { item, least, most } = node;
    const rest: Node[] = most === least ? [] : [{ kind: 'repeat', item, least: 0, most: most - least }];
    return [...Array.from({ length: least }, () => itemsOf(item)).flat(), ...rest];
  }
  return [node];
}

function concat(items: readonly Node[]): Node {
  if (items.length === 1) return items[0] as Node;
  return items.length === 0 ? { kind: 'empty' } : { kind: 'concat', items };
}

/** The texts that must stand at this item and those behind it, as far as they stay few. */
function literalsFrom(items: readonly Node[], at: number): readonly string[] | null {
  let texts: readonly string[] = [''];
  for (let i = at; i < items.length; i++) {
    const whole = exact(items[i] as Node);
    // Of a part that may be any of too many texts, the beginnings may still be few; nothing is known behind them.
    const some = whole ?? beginnings(items[i] as Node);
    if (some === null) break;
    const length = Math.min(...texts.map((each) => each.length));
    // Two bytes say little: more of them are worth more texts. Four are enough.
    const room = length < 3 ? MAX_LITERALS : length < 5 ? Math.max(16, texts.length) : texts.length;
    const joined = new Set(texts.flatMap((text) => some.map((each) => text + each)));
    if (joined.size > room || length >= 2 * LONG_ENOUGH) break;
    texts = [...joined];
    if (whole === null) break;
  }
  return texts.every((text) => text !== '') ? texts : null;
}

/** Texts with one of which every match of a part begins; null where some begin with too many. */
function beginnings(node: Node): readonly string[] | null {
  if (node.kind === 'concat') return literalsFrom(node.items, 0);
  if (node.kind !== 'either') return null;
  const all = node.items.map((item) => literalsFrom(itemsOf(item), 0));
  if (all.some((each) => each === null)) return null;
  const texts = new Set(all.flatMap((each) => each as readonly string[]));
  return texts.size > MAX_LITERALS ? null : [...texts];
}

/** Asked of a part again for each place from which a literal may begin. */
const known = new WeakMap<Node, readonly string[] | null>();

/** All texts a part may be, lower-case; null where they are too many, or it may be any. */
function exact(node: Node): readonly string[] | null {
  let texts = known.get(node);
  if (texts === undefined) known.set(node, (texts = textsOf(node)));
  return texts;
}

function textsOf(node: Node): readonly string[] | null {
  switch (node.kind) {
    case 'empty':
    case 'assert':
      return [''];
    case 'set': {
      if (setSize(node.set) > MAX_LITERALS) return null;
      const texts = new Set<string>();
      for (let byte = 0; byte < 256; byte++)
        if (node.set[byte] === 1) texts.add(String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte));
      return texts.size === 0 ? null : [...texts];
    }
    case 'concat':
      return node.items.reduce<readonly string[] | null>((sum, item) => product(sum, exact(item)), ['']);
    case 'either': {
      const all = node.items.map(exact);
      if (all.some((each) => each === null)) return null;
      const texts = new Set(all.flatMap((each) => each as readonly string[]));
      return texts.size > MAX_LITERALS ? null : [...texts];
    }
    case 'repeat': {
      const { item, least, most } = node;
      if (most > 3) return null;
      const one = exact(item);
      if (one === null) return null;
      const sums = new Set<string>();
      let sum: readonly string[] | null = [''];
      for (let times = 0; times <= most; times++) {
        if (sum === null) return null;
        if (times >= least) for (const each of sum) sums.add(each);
        sum = product(sum, one);
      }
      return sums.size > MAX_LITERALS ? null : [...sums];
    }
  }
}

function product(left: readonly string[] | null, right: readonly string[] | null): readonly string[] | null {
  if (left === null || right === null || left.length * right.length > MAX_LITERALS) return null;
  return [...new Set(left.flatMap((a) => right.map((b) => a + b)))];
}
