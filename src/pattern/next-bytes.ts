import { emptySet, type ByteSet } from './byte-set.ts';
import type { Program } from './program.ts';

/**
 * Bytes one of which follows a text wherever a match of a program begins with it, in either case of its letters; all of them where
 * the match may end there.
 */
export function nextBytes(program: Program, text: string): ByteSet {
  let states = new Set([program.start]);
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    const bytes = [char, char.toUpperCase()].map((each) => each.charCodeAt(0));
    const next = new Set<number>();
    for (const op of reached(program, states))
      if (op.kind === 'byte' && bytes.some((byte) => op.set[byte] === 1)) next.add(op.next);
    states = next;
  }
  const all = emptySet();
  for (const op of reached(program, states)) {
    if (op.kind === 'match') return all.fill(1);
    if (op.kind === 'byte') for (let byte = 0; byte < 256; byte++) if (op.set[byte] === 1) all[byte] = 1;
  }
  return all;
}

/** What stands at some instructions, and behind those that read nothing. What they assert is left open. */
function reached({ ops }: Program, states: Iterable<number>): Iterable<Program['ops'][number]> {
  const seen = new Set(states);
  // A set tells its members in the order in which they were added, those added meanwhile too.
  for (const state of seen) {
    const op = ops[state] as Program['ops'][number];
    if (op.kind === 'split') seen.add(op.next).add(op.other);
    if (op.kind === 'assert') seen.add(op.next);
  }
  return [...seen].map((state) => ops[state] as Program['ops'][number]);
}
