import type { DetectorSpec } from '../model/detector.ts';
import { anchorsOf, type Anchored } from '../pattern/anchor.ts';
import { setOf, setSize } from '../pattern/byte-set.ts';
import { Matcher } from '../pattern/matcher.ts';
import { PatternError, parsePattern, type Node } from '../pattern/parse.ts';
import type { ByteSet } from '../pattern/byte-set.ts';
import { nextBytes } from '../pattern/next-bytes.ts';
import { compileProgram, longest, shortest } from '../pattern/program.ts';
import { VALIDATORS, type Validator } from './validators/list.ts';

/** A detector in the form the scanner runs it. */
export interface Detector {
  readonly spec: DetectorSpec;
  readonly validators: readonly Validator[];
  /** The shortest match. What follows it may be anybody's: only so much is asked whether it is a placeholder. */
  readonly least: number;
}

/** One way to a match of a detector: from one of its literals. */
export interface Variant {
  readonly detector: Detector;
  readonly literals: readonly string[];
  /** For each of them, the bytes one of which stands behind it. */
  readonly next: readonly ByteSet[];
  /** Reads backwards what stands before the literal; null: nothing does. */
  readonly before: Matcher | null;
  /** Most bytes before the literal. */
  readonly reach: number;
  /** Reads from the literal on. */
  readonly from: Matcher;
  /** Finds, backwards from the end of a match, where the value in it begins; null: the whole of it is the value. */
  readonly value: Matcher | null;
  /** The match, with its context, must not begin inside a word. */
  readonly begins: boolean;
}

/** What may stand of a line between a word and what is looked for near it. The word is no part of a longer one. */
const NEAR = String.raw`[^A-Za-z\n][^\n]{0,40}?`;

/** Compiles a detector. Throws PatternError for what is wrong with its pattern. */
export function compileDetector(spec: DetectorSpec): readonly Variant[] {
  if (spec.pattern === null) return [];
  const parsed = parsePattern(spec.pattern);
  // What a text says is not written within strings any more.
  const node = bounded(spec.family === 'injected-instructions' ? parsed : asEscaped(parsed), spec.bounds);
  const detector = { spec, validators: spec.validate.map((name) => VALIDATORS[name]), least: shortest(node) };
  if (spec.context !== null) return [withContext(detector, node, spec.context)];
  const anchored = anchorsOf(node, 1);
  if (anchored === null)
    throw new PatternError(
      'nothing in the pattern is literal',
      0,
      'every alternative needs at least one byte that must occur, or say what stands before it with `near` or `assigned`',
    );
  const begins = spec.bounds === 'word' || spec.bounds === 'start';
  return anchored.map((each) => variantOf(detector, each, begins, null));
}

function bounded(node: Node, bounds: DetectorSpec['bounds']): Node {
  if (bounds !== 'word' && bounds !== 'end') return node;
  const over: Node = { kind: 'assert', what: 'word-over' };
  // Alternatives stay alternatives, so that each is looked for by its own literals.
  if (node.kind === 'either') return { kind: 'either', items: node.items.map((item) => bounded(item, bounds)) };
  return { kind: 'concat', items: node.kind === 'concat' ? [...node.items, over] : [node, over] };
}

function variantOf(detector: Detector, anchored: Anchored, begins: boolean, value: Matcher | null): Variant {
  const { literals, before, from } = anchored;
  const reach = longest(before);
  const program = compileProgram(from);
  return {
    detector,
    literals,
    next: literals.map((literal) => nextBytes(program, literal)),
    before: reach === 0 && before.kind === 'empty' ? null : new Matcher(compileProgram(before, true)),
    reach,
    from: new Matcher(program),
    value,
    begins,
  };
}

/**
 * Between a name and the value that is assigned to it: the rest of the name, what closes it, an operator, what opens the
 * value. As code, JSON, YAML, XML, command lines, headers and prose write it.
 */
const ASSIGNED = String.raw`[\w. \t-]{0,25}["'\x60\\\])}]{0,4}\s{0,3}(?:[=:>,|?]{1,3}|\s)[\s"'\x60\\=({\[<]{0,6}(?i:(?:bearer|basic|token|is)\s{1,2})?["'\x60\\]{0,2}`;

function withContext(detector: Detector, value: Node, context: NonNullable<DetectorSpec['context']>): Variant {
  const words = context.words.map((word) => word.toLowerCase());
  const name: Node = { kind: 'either', items: words.map((word) => parsePattern(`(?i:${escapePattern(word)})`)) };
  const gap = parsePattern(context.how === 'assigned' ? ASSIGNED : NEAR);
  const begins: Node = { kind: 'assert', what: 'word-begins' };
  const parts: Node[] = context.how === 'near' ? [name, gap, begins, value] : [name, gap, value];
  const literals = words.map((word) => Buffer.from(word).toString('latin1'));
  const anchored = { literals, before: { kind: 'empty' } as const, from: { kind: 'concat', items: parts } as const };
  return variantOf(detector, anchored, context.how === 'near', new Matcher(compileProgram(value, true)));
}

const BACKSLASHES: Node = { kind: 'repeat', item: { kind: 'set', set: setOf('\\') }, least: 0, most: 3 };
/** `\n` and its like, as strings of JSON and of most languages write white space. */
const ESCAPED_SPACE: Node = {
  kind: 'concat',
  items: [
    { kind: 'repeat', item: { kind: 'set', set: setOf('\\') }, least: 1, most: 3 },
    { kind: 'set', set: setOf('nrt') },
  ],
};
/** Sets of no more bytes than this are quotes or white space, and no alphabets. */
const FEW = 8;

/** The pattern as it is written within strings too: quotes with backslashes before them, line breaks as `\n`. */
function asEscaped(node: Node): Node {
  switch (node.kind) {
    case 'set': {
      const few = setSize(node.set) <= FEW;
      if (few && node.set[0x22] === 1 && node.set[0x5c] !== 1) return { kind: 'concat', items: [BACKSLASHES, node] };
      return few && node.set[0x0a] === 1 ? { kind: 'either', items: [node, ESCAPED_SPACE] } : node;
    }
    case 'concat':
    case 'either':
      return { kind: node.kind, items: node.items.map(asEscaped) };
    case 'repeat':
      return { ...node, item: asEscaped(node.item) };
    default:
      return node;
  }
}

/** A text as a pattern that matches it and nothing else. */
function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
