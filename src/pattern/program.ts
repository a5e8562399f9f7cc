import { PatternError, type Assertion, type Node } from './parse.ts';
import type { ByteSet } from './byte-set.ts';

/** A nondeterministic automaton: instruction by instruction, as Thompson built them. */
export interface Program {
  readonly ops: readonly Op[];
  readonly start: number;
}

export type Op =
  | { readonly kind: 'byte'; readonly set: ByteSet; next: number }
  | { readonly kind: 'split'; next: number; other: number }
  | { readonly kind: 'assert'; readonly what: Assertion; next: number }
  | { readonly kind: 'match' };

/** Instructions a pattern may become. What repeats is written out. */
const MAX_OPS = 10_000;

/** Compiles a pattern. `reversed`: it is to be read from its end to its start. Throws PatternError. */
export function compileProgram(node: Node, reversed = false): Program {
  const ops: Op[] = [{ kind: 'match' }];
  const add = (op: Op): number => {
    if (ops.length >= MAX_OPS) throw new PatternError('the pattern is too large', 0, 'repeat less, or shorter parts');
    return ops.push(op) - 1;
  };
  /** Instructions for a node that go on at `next`; the first of them is returned. */
  const emit = (each: Node, next: number): number => {
    switch (each.kind) {
      case 'empty':
        return next;
      case 'set':
        return add({ kind: 'byte', set: each.set, next });
      case 'assert':
        return add({ kind: 'assert', what: reversed ? MIRRORED[each.what] : each.what, next });
      case 'concat': {
        const items = reversed ? each.items : each.items.toReversed();
        return items.reduce((after, item) => emit(item, after), next);
      }
      case 'either':
        return each.items
          .map((item) => emit(item, next))
          .reduceRight((other, first) => add({ kind: 'split', next: first, other }));
      case 'repeat':
        return repeat(each, next);
    }
  };
  const repeat = ({ item, least, most }: Extract<Node, { kind: 'repeat' }>, next: number): number => {
    let at = next;
    if (most === Infinity) {
      const loop: Extract<Op, { kind: 'split' }> = { kind: 'split', next: 0, other: next };
      at = add(loop);
      loop.next = emit(item, at);
    } else
      for (let i = least; i < most; i++) {
        at = add({ kind: 'split', next: emit(item, at), other: next });
      }
    for (let i = 0; i < least; i++) at = emit(item, at);
    return at;
  };
  const start = emit(node, 0);
  return { ops, start };
}

const MIRRORED: Readonly<Record<Assertion, Assertion>> = {
  begin: 'end',
  end: 'begin',
  'begin-line': 'end-line',
  'end-line': 'begin-line',
  word: 'word',
  'not-word': 'not-word',
  'word-over': 'word-begins',
  'word-begins': 'word-over',
};

/** The longest a match may be, in bytes; Infinity where nothing bounds it. */
export function longest(node: Node): number {
  switch (node.kind) {
    case 'empty':
    case 'assert':
      return 0;
    case 'set':
      return 1;
    case 'concat':
      return node.items.reduce((sum, item) => sum + longest(item), 0);
    case 'either':
      return Math.max(...node.items.map(longest));
    case 'repeat':
      return longest(node.item) === 0 ? 0 : longest(node.item) * node.most;
  }
}

/** The shortest a match may be, in bytes. */
export function shortest(node: Node): number {
  switch (node.kind) {
    case 'empty':
    case 'assert':
      return 0;
    case 'set':
      return 1;
    case 'concat':
      return node.items.reduce((sum, item) => sum + shortest(item), 0);
    case 'either':
      return Math.min(...node.items.map(shortest));
    case 'repeat':
      return shortest(node.item) * node.least;
  }
}
