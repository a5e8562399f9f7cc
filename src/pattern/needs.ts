import { setSize } from './byte-set.ts';
import type { Node } from './parse.ts';

/** Texts one of which stands somewhere in every match. Never empty. */
export type Need = readonly string[];

/**
 * What is written for a byte where texts are compared: itself, another text, or nothing at all, for bytes that may as well be
 * left out. Null: the byte is never there; undefined: anything may be written for it.
 */
export type Spelling = (byte: number) => string | null | undefined;

/** Texts of one need. */
const MOST_TEXTS = 400;
/** A set of more bytes may be nearly anything. */
const MOST_BYTES = 40;
/** Longer texts are cut off here, which leaves fewer of them; so many characters are rare enough. */
const LONG_ENOUGH = 12;
/** Bits by which a character more makes a text rarer, in texts that people write. */
const BITS = 1.5;
/** What is less rare than this, in bits, need not be asked for beside something else. */
const WORTHWHILE = 1;

/** What an alternative of a pattern asks for: all of it stands in every match. */
export type Needs = readonly Need[];

/**
 * What every match of a pattern has in it, one entry for each of its alternatives: the rarest need first, and the rarest of the
 * rest, which stands elsewhere. Alternatives that nothing can match are left out; null where one asks for nothing.
 */
export function needsOf(node: Node, spell: Spelling): readonly Needs[] | null {
  const alternatives = node.kind === 'either' ? node.items : [node];
  const all: Needs[] = [];
  for (const each of alternatives) {
    const parts = partsOf(each, spell);
    if (parts.some(({ texts }) => texts.length === 0)) continue;
    const [first, ...rest] = parts.toSorted((a, b) => rarity(b.texts) - rarity(a.texts));
    if (first === undefined) return null;
    const second = rest.find(
      ({ from, to, texts }) => (to <= first.from || from >= first.to) && rarity(texts) >= WORTHWHILE,
    );
    all.push([first, second].flatMap((part) => (part === undefined ? [] : [part.texts])));
  }
  return all;
}

/** A need, and which of the parts of a pattern, in order, it is what stands there. No texts: nothing can stand there. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly texts: readonly string[];
}

function partsOf(node: Node, spell: Spelling): readonly Part[] {
  const items = flat(node);
  const whole = items.map((item) => textsOf(item, spell));
  const parts: Part[] = [];
  for (let from = 0; from < items.length; from++) {
    let texts: readonly string[] | null = [''];
    for (let to = from; to < items.length && texts !== null; to++) {
      texts = joined(texts, whole[to] ?? null);
      if (texts !== null) add(parts, from, to + 1, texts);
    }
    if (whole[from] === null) add(parts, from, from + 1, within(items[from] as Node, spell));
  }
  return parts;
}

function add(parts: Part[], from: number, to: number, texts: readonly string[] | null): void {
  if (texts === null || texts.includes('')) return;
  parts.push({ from, to, texts: [...new Set(texts.map((text) => text.slice(0, LONG_ENOUGH)))] });
}

/** What stands in a part that may be too many texts; null: nothing that is known. */
function within(node: Node, spell: Spelling): readonly string[] | null {
  if (node.kind === 'repeat') return node.least === 0 ? null : rarest(partsOf(node.item, spell));
  if (node.kind !== 'either') return null;
  const all = node.items.map((item) => rarest(partsOf(item, spell)));
  return all.some((texts) => texts === null) ? null : all.flatMap((texts) => texts as readonly string[]);
}

function rarest(parts: readonly Part[]): readonly string[] | null {
  if (parts.length === 0) return null;
  return parts.reduce((best, part) => (rarity(part.texts) > rarity(best.texts) ? part : best)).texts;
}

/** How rare it is, in bits, that any of some texts stands somewhere. */
function rarity(texts: readonly string[]): number {
  return -Math.log2(texts.reduce((sum, { length }) => sum + 2 ** (-BITS * length), 0));
}

function flat(node: Node): readonly Node[] {
  return node.kind === 'concat' ? node.items.flatMap(flat) : [node];
}

/** All texts a part may be; null where they are too many, or it may be any. */
function textsOf(node: Node, spell: Spelling): readonly string[] | null {
  switch (node.kind) {
    case 'empty':
    case 'assert':
      return [''];
    case 'set':
      return spelled(node.set, spell);
    case 'concat':
      return node.items.reduce<readonly string[] | null>((sum, item) => joined(sum, textsOf(item, spell)), ['']);
    case 'either':
      return oneOf(node.items.map((item) => textsOf(item, spell)));
    case 'repeat': {
      const { item, least, most } = node;
      if (most > 2) return null;
      const one = textsOf(item, spell);
      const times = [[''], one, joined(one, one)];
      return oneOf(times.slice(least, most + 1));
    }
  }
}

function spelled(set: Uint8Array, spell: Spelling): readonly string[] | null {
  if (setSize(set) > MOST_BYTES) return null;
  const texts = new Set<string>();
  for (let byte = 0; byte < 256; byte++) {
    const text = set[byte] === 1 ? spell(byte) : null;
    if (text === undefined) return null;
    if (text !== null) texts.add(text);
  }
  return [...texts];
}

function oneOf(all: ReadonlyArray<readonly string[] | null>): readonly string[] | null {
  if (all.some((texts) => texts === null)) return null;
  const texts = new Set(all.flatMap((each) => each as readonly string[]));
  return texts.size > MOST_TEXTS ? null : [...texts];
}

/** Two parts, one behind the other; null where they may be too many texts together. */
function joined(left: readonly string[] | null, right: readonly string[] | null): readonly string[] | null {
  if (left === null || right === null || left.length * right.length > 8 * MOST_TEXTS) return null;
  const texts = new Set(left.flatMap((a) => right.map((b) => a + b)));
  return texts.size > MOST_TEXTS ? null : [...texts];
}
