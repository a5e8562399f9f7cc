import {
  DIGITS,
  LOWER,
  SPACE,
  UPPER,
  WORD,
  complement,
  emptySet,
  foldSet,
  rangeSet,
  setOf,
  union,
  type ByteSet,
} from './byte-set.ts';

/** Where a pattern may assert something of the bytes on both sides of a place. */
export type Assertion =
  | 'begin'
  | 'end'
  | 'begin-line'
  | 'end-line'
  | 'word'
  | 'not-word'
  /** No word byte follows, or stands before: no syntax has these, whoever builds patterns may ask for them. */
  | 'word-over'
  | 'word-begins';

/** A regular expression over bytes. */
export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'concat'; readonly items: readonly Node[] }
  | { readonly kind: 'either'; readonly items: readonly Node[] }
  | { readonly kind: 'repeat'; readonly item: Node; readonly least: number; readonly most: number }
  | { readonly kind: 'assert'; readonly what: Assertion };

/** A pattern that is not in the language of the engine. `at` is the offset of the offending text in the pattern. */
export class PatternError extends Error {
  override name = 'PatternError';
  readonly at: number;
  readonly hint: string | undefined;

  constructor(message: string, at: number, hint?: string) {
    super(message);
    this.at = at;
    this.hint = hint;
  }
}

/** Most that a counted repetition may ask for, as in RE2. */
const MAX_REPEAT = 1000;
const MAX_DEPTH = 100;

/**
 * Parses RE2 syntax (https://github.com/google/re2/wiki/Syntax) without what cannot be matched in linear time: no look-around
 * and no back-references, which RE2 lacks too. Text is matched as bytes: characters beyond ASCII stand for their UTF-8, and
 * may stand outside brackets alone. Whether a repetition is lazy makes no difference, for the longest match counts; groups
 * only group. Throws PatternError.
 */
export function parsePattern(source: string): Node {
  return new Parser(source).pattern();
}

interface Flags {
  /** `i` */
  fold: boolean;
  /** `m` */
  lines: boolean;
  /** `s` */
  dotAll: boolean;
}

const EMPTY: Node = { kind: 'empty' };
const ESCAPED_SETS: ReadonlyMap<string, ByteSet> = new Map([
  ['d', DIGITS],
  ['D', complement(DIGITS)],
  ['w', WORD],
  ['W', complement(WORD)],
  ['s', SPACE],
  ['S', complement(SPACE)],
]);
const NAMED_SETS: ReadonlyMap<string, ByteSet> = new Map([
  ['alnum', union(DIGITS, UPPER, LOWER)],
  ['alpha', union(UPPER, LOWER)],
  ['ascii', rangeSet(0, 0x7f)],
  ['blank', setOf('\t ')],
  ['cntrl', union(rangeSet(0, 0x1f), setOf('\x7f'))],
  ['digit', DIGITS],
  ['graph', rangeSet(0x21, 0x7e)],
  ['lower', LOWER],
  ['print', rangeSet(0x20, 0x7e)],
  ['punct', union(rangeSet(0x21, 0x2f), rangeSet(0x3a, 0x40), rangeSet(0x5b, 0x60), rangeSet(0x7b, 0x7e))],
  ['space', setOf('\t\n\v\f\r ')],
  ['upper', UPPER],
  ['word', WORD],
  ['xdigit', union(DIGITS, rangeSet(0x41, 0x46), rangeSet(0x61, 0x66))],
]);
const CONTROLS: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['f', 12],
  ['t', 9],
  ['n', 10],
  ['r', 13],
  ['v', 11],
]);
const ASSERTIONS: ReadonlyMap<string, Assertion> = new Map([
  ['A', 'begin'],
  ['z', 'end'],
  ['b', 'word'],
  ['B', 'not-word'],
]);

class Parser {
  readonly #source: string;
  #at = 0;
  #depth = 0;
  #flags: Flags = { fold: false, lines: false, dotAll: false };

  constructor(source: string) {
    this.#source = source;
  }

  pattern(): Node {
    const node = this.#either();
    if (this.#at < this.#source.length) throw this.#error('a ")" without its "("');
    return node;
  }

  #error(message: string, at = this.#at, hint?: string): PatternError {
    return new PatternError(message, at, hint);
  }

  #peek(): string {
    return this.#source.charAt(this.#at);
  }

  #accept(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #either(): Node {
    const items = [this.#concat()];
    while (this.#accept('|')) items.push(this.#concat());
    return items.length === 1 ? (items[0] as Node) : { kind: 'either', items };
  }

  #concat(): Node {
    const items: Node[] = [];
    while (this.#at < this.#source.length && this.#peek() !== '|' && this.#peek() !== ')') {
      const item = this.#repeated();
      if (item.kind === 'concat') items.push(...item.items);
      else if (item.kind !== 'empty') items.push(item);
    }
    if (items.length === 0) return EMPTY;
    return items.length === 1 ? (items[0] as Node) : { kind: 'concat', items };
  }

  #repeated(): Node {
    const start = this.#at;
    let node = this.#atom();
    let times = 0;
    for (;;) {
      const bounds = this.#bounds();
      if (bounds === null) return node;
      if (++times > 1) throw this.#error('a repetition of a repetition', start, 'put the inner one in brackets: (?:…)');
      this.#accept('?');
      node = { kind: 'repeat', item: node, least: bounds[0], most: bounds[1] };
    }
  }

  #bounds(): readonly [number, number] | null {
    if (this.#accept('*')) return [0, Infinity];
    if (this.#accept('+')) return [1, Infinity];
    if (this.#accept('?')) return [0, 1];
    const counted = /^\{(\d{1,5})(?:(,)(\d{0,5}))?\}/.exec(this.#source.slice(this.#at, this.#at + 16));
    if (counted === null) return null;
    const least = Number(counted[1]);
    const most = counted[2] === undefined ? least : counted[3] === '' ? Infinity : Number(counted[3]);
    if (least > MAX_REPEAT || (most !== Infinity && most > MAX_REPEAT))
      throw this.#error(`a repetition of more than ${MAX_REPEAT}`);
    if (most < least) throw this.#error('a repetition whose most is less than its least');
    this.#at += counted[0].length;
    return [least, most];
  }

  #atom(): Node {
    const at = this.#at;
    const char = this.#peek();
    if ('*+?'.includes(char)) throw this.#error(`"${char}" repeats nothing`);
    if (char === '(') return this.#group();
    if (char === '[') return { kind: 'set', set: this.#folded(this.#brackets()) };
    if (char === '\\') return this.#escape();
    this.#at += char.length;
    if (char === '.') return { kind: 'set', set: this.#flags.dotAll ? rangeSet(0, 255) : complement(setOf('\n')) };
    if (char === '^') return { kind: 'assert', what: this.#flags.lines ? 'begin-line' : 'begin' };
    if (char === '$') return { kind: 'assert', what: this.#flags.lines ? 'end-line' : 'end' };
    this.#at = at;
    return this.#character();
  }

  /** One character as it stands, which may be several bytes. */
  #character(): Node {
    const code = this.#source.codePointAt(this.#at) as number;
    const text = String.fromCodePoint(code);
    this.#at += text.length;
    return this.#literal(code);
  }

  #literal(code: number): Node {
    if (code < 0x80) {
      return { kind: 'set', set: this.#folded(rangeSet(code, code)) };
    }
    const items = [...Buffer.from(String.fromCodePoint(code))].map((byte): Node => ({
      kind: 'set',
      set: rangeSet(byte, byte),
    }));
    return { kind: 'concat', items };
  }

  #folded(set: ByteSet): ByteSet {
    return this.#flags.fold ? foldSet(set) : set;
  }

  #group(): Node {
    const start = this.#at;
    this.#at++;
    if (++this.#depth > MAX_DEPTH) throw this.#error(`brackets more than ${MAX_DEPTH} deep`);
    const before = { ...this.#flags };
    if (this.#accept('?') && this.#groupHead(start)) {
      this.#depth--;
      // (?i) holds to the end of the group around it.
      return EMPTY;
    }
    const node = this.#either();
    if (!this.#accept(')')) throw this.#error('a "(" without its ")"', start);
    this.#flags = before;
    this.#depth--;
    return node;
  }

  /** What follows `(?`; true: flags alone, the group is over. */
  #groupHead(start: number): boolean {
    if (/^(?:<?[=!])/.test(this.#source.slice(this.#at, this.#at + 2)))
      throw this.#error(
        'look-around is not supported',
        start,
        'it cannot be matched in linear time; say what surrounds a match with `bounds` or `near`',
      );
    const named = /^P?<[A-Za-z_]\w*>/.exec(this.#source.slice(this.#at, this.#at + 80));
    if (named !== null) {
      this.#at += named[0].length;
      return false;
    }
    const flags = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(this.#source.slice(this.#at, this.#at + 20));
    if (flags === null) throw this.#error('an unknown kind of group', start);
    this.#set(flags[1] as string, true);
    this.#set(flags[2] ?? '', false);
    this.#at += flags[0].length;
    return flags[3] === ')';
  }

  #set(flags: string, value: boolean): void {
    if (flags.includes('i')) this.#flags = { ...this.#flags, fold: value };
    if (flags.includes('m')) this.#flags = { ...this.#flags, lines: value };
    if (flags.includes('s')) this.#flags = { ...this.#flags, dotAll: value };
  }

  #escape(): Node {
    const start = this.#at;
    const name = this.#source.charAt(start + 1);
    const what = ASSERTIONS.get(name);
    if (what !== undefined) {
      this.#at += 2;
      return { kind: 'assert', what };
    }
    const set = ESCAPED_SETS.get(name);
    if (set !== undefined) {
      this.#at += 2;
      return { kind: 'set', set };
    }
    if (name === 'Q') return this.#quoted();
    return this.#literal(this.#escapedCode());
  }

  #quoted(): Node {
    const from = this.#at + 2;
    const end = this.#source.indexOf('\\E', from);
    const text = this.#source.slice(from, end === -1 ? undefined : end);
    this.#at = end === -1 ? this.#source.length : end + 2;
    return { kind: 'concat', items: [...text].map((char) => this.#literal(char.codePointAt(0) as number)) };
  }

  /** The character a backslash and what follows it stand for. */
  #escapedCode(): number {
    const start = this.#at;
    const name = this.#source.charAt(start + 1);
    if (name === '') throw this.#error('a backslash at the end');
    const hex = /^x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(this.#source.slice(start + 1, start + 12));
    if (hex !== null) {
      this.#at += 1 + hex[0].length;
      const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
      if (code > 0x10ffff) throw this.#error('no such character', start);
      return code;
    }
    const control = CONTROLS.get(name);
    if (control === undefined && /[1-9]/.test(name))
      throw this.#error('back-references are not supported', start, 'they cannot be matched in linear time');
    if (control === undefined && /[A-Za-z0-9]/.test(name)) throw this.#error(`"\\${name}" is not supported`, start);
    const code = control ?? (this.#source.codePointAt(start + 1) as number);
    this.#at += 1 + String.fromCodePoint(code).length;
    return code;
  }

  #brackets(): ByteSet {
    const start = this.#at;
    this.#at++;
    const negated = this.#accept('^');
    let set = emptySet();
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#at >= this.#source.length) throw this.#error('a "[" without its "]"', start);
      set = union(set, this.#member());
    }
    this.#at++;
    if (!negated) return set;
    // What a case-insensitive set holds in either case is excluded in both.
    return complement(this.#folded(set));
  }

  /** One member of a set: a character, a range, or a set of its own. */
  #member(): ByteSet {
    const named = /^\[:(\^?)([a-z]+):\]/.exec(this.#source.slice(this.#at, this.#at + 16));
    if (named !== null) {
      const set = NAMED_SETS.get(named[2] as string);
      if (set === undefined) throw this.#error(`no set is called ${named[2]}`);
      this.#at += named[0].length;
      return named[1] === '^' ? complement(set) : set;
    }
    const escaped = this.#peek() === '\\' ? ESCAPED_SETS.get(this.#source.charAt(this.#at + 1)) : undefined;
    if (escaped !== undefined) {
      this.#at += 2;
      return escaped;
    }
    const start = this.#at;
    const first = this.#memberCode();
    if (this.#peek() !== '-' || this.#source.charAt(this.#at + 1) === ']') return rangeSet(first, first);
    this.#at++;
    const last = this.#memberCode();
    if (last < first) throw this.#error('a range whose end comes before its start', start);
    return rangeSet(first, last);
  }

  #memberCode(): number {
    const start = this.#at;
    let code: number;
    if (this.#peek() === '\\') code = this.#escapedCode();
    else {
      code = this.#source.codePointAt(this.#at) ?? 0;
      this.#at += String.fromCodePoint(code).length;
    }
    if (code > 0x7f)
      throw this.#error(
        'a character beyond ASCII in brackets',
        start,
        'write the alternatives as (?:ä|ö), outside brackets',
      );
    return code;
  }
}
