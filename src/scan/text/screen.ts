import type { DetectorSpec } from '../../model/detector.ts';
import { needsOf, type Needs, type Spelling } from '../../pattern/needs.ts';
import { parsePattern } from '../../pattern/parse.ts';
import { Trie } from '../trie.ts';

/** White space, of which one or more is told as one space. */
const SPACE = 1;
/** Left out of what is told, or parts it: what stands on both sides is told one behind the other. */
const DROPPED = 2;
/** Begins an escape in a JSON text. */
const BACKSLASH = 3;
/** May begin a quoted line, of which nothing is told. */
const QUOTE = 4;
/** May begin a character that is told by its name or number. */
const AMPERSAND = 5;
/** May be told as anything, or be something of which nothing is told: tags, characters beyond ASCII. */
const OPAQUE = 6;
const FIRST_SYMBOL = 7;

const DROPPED_CHARACTERS = '.!?:"\'`*#~|[{}';
/** Told within the mark of a chat template alone, which stands there as it is told. */
const MARK = ']';
/** Behind a backslash, white space of JSON. */
const WHITE_ESCAPES = 'nrtbf';
const UNICODE_ESCAPE = 'u';

const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const NUMBER_SIGN = 0x23;
const SEMICOLON = 0x3b;

/** State in which nothing needs to be looked at any more, or in the table: what must be looked at more closely. */
const SUSPECT = 0x7fff_ffff;
/** Alternatives of which two needs are noted, each with a bit. The others are suspicious at their rarest. */
const MOST_PAIRS = 15;
const FIRST_OF_PAIRS = 0x1555_5555;
/** Bits of a word that is suspicious by itself. */
const ALL = 0x3fff_ffff;

/**
 * Tells texts that hold nothing of what some detectors look for, however they are marked up, by the words without which nothing
 * matches. Most answers are told by it, and need not be read.
 *
 * It sees bytes where `Prose` and `JsonText` read characters. What those leave out is left out here, white space is one space, and
 * whatever they may tell as something else than stands there is suspicious: so no word is told that is not seen here.
 */
export class Screen {
  readonly symbols: Uint8Array;
  /** Symbols behind a backslash. */
  readonly escaped: Uint8Array;
  /** State and symbol → state, from `firstMet` on one in which words end; all multiples of `width`, or SUSPECT. */
  readonly table: Int32Array;
  readonly width: number;
  readonly firstMet: number;
  /** What is met in states from `firstMet` on. */
  readonly met: Int32Array;

  private constructor(words: ReadonlyMap<string, number>) {
    this.symbols = symbolsOf(words.keys());
    this.escaped = this.symbols.map((symbol, byte) => escapedAs(symbol, String.fromCharCode(byte)));
    this.width = Math.max(...this.symbols) + 1;
    const trie = new Trie([...words.keys()], this.symbols, this.width);
    const order = trie.order();
    const bits = [...words.values()];
    const met = order.map((state) => (trie.ends[state] as number[]).reduce((sum, id) => sum | (bits[id] as number), 0));
    const first = met.findIndex((each) => each !== 0);
    this.firstMet = first * this.width;
    this.met = Int32Array.from(met.slice(first));
    this.table = seenThrough(trie.table(order), this.symbols, this.width);
  }

  /** Null: one of the detectors may match texts of whatever words. */
  static of(detectors: Iterable<DetectorSpec>): Screen | null {
    const all: Needs[] = [];
    for (const detector of detectors) {
      const needs = needsOfDetector(detector);
      if (needs === null) return null;
      all.push(...needs);
    }
    const words = wordsOf(all);
    return words.has('') || words.size === 0 ? null : new Screen(words);
  }
}

/** Looks at one text, piece by piece. */
export class Look {
  readonly #screen: Screen;
  #state = 0;
  /** What came last is a backslash. */
  #escapes = false;
  /** Needs that were met. */
  #noted = 0;
  /** Where it goes on behind what was looked at more closely. */
  #next = 0;

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Looks at the next bytes. True: something may be found in what was seen by now, and all of it is to be read. */
  suspects(bytes: Uint8Array): boolean {
    const { symbols, table, firstMet } = this.#screen;
    let state = this.#state;
    let at = 0;
    if (this.#escapes) {
      state = this.#behind(bytes, 0, state);
      at = this.#next;
    }
    while (state !== SUSPECT) {
      // This loop takes all of the time: nothing is called in it, and nothing stored.
      for (; at < bytes.length; at++) {
        const next = table[state + (symbols[bytes[at] as number] as number)] as number;
        if (next >= firstMet) break;
        state = next;
      }
      if (at >= bytes.length) break;
      state = this.#closer(bytes, at, state);
      at = this.#next;
    }
    this.#state = state;
    return state === SUSPECT;
  }

  /** Looks at what is no part of a word, or ends one; returns the state behind it. */
  #closer(bytes: Uint8Array, at: number, state: number): number {
    const { symbols, table } = this.#screen;
    const symbol = symbols[bytes[at] as number] as number;
    this.#next = at + 1;
    switch (symbol) {
      case BACKSLASH:
        return this.#behind(bytes, at + 1, state);
      case QUOTE:
        return beginsLine(bytes, at, symbols) ? SUSPECT : state;
      case AMPERSAND:
        return beginsEntity(bytes, at, symbols) ? SUSPECT : state;
      default:
        return this.#note(table[state + symbol] as number);
    }
  }

  /** The state behind a backslash, and what it escapes: whatever that is, it begins no escape, line or entity. */
  #behind(bytes: Uint8Array, at: number, state: number): number {
    const { symbols, escaped, table } = this.#screen;
    let next = at;
    while (next < bytes.length && symbols[bytes[next] as number] === BACKSLASH) next++;
    this.#escapes = next === bytes.length;
    this.#next = next + 1;
    if (this.#escapes) return state;
    const symbol = escaped[bytes[next] as number] as number;
    if (symbol === QUOTE || symbol === AMPERSAND) return SUSPECT;
    return this.#note(table[state + symbol] as number);
  }

  #note(state: number): number {
    const { met, firstMet, width } = this.#screen;
    if (state < firstMet || state === SUSPECT) return state;
    this.#noted |= met[(state - firstMet) / width] as number;
    return (this.#noted & (this.#noted >>> 1) & FIRST_OF_PAIRS) === 0 ? state : SUSPECT;
  }
}

/** Whether nothing that is told stands before an index in its line; in doubt nothing does. */
function beginsLine(bytes: Uint8Array, at: number, symbols: Uint8Array): boolean {
  let before = at - 1;
  while (before >= 0 && isLeftOut(symbols[bytes[before] as number] as number)) before--;
  if (before < 0) return true;
  const byte = bytes[before] as number;
  const isEscaped = before === 0 || symbols[bytes[before - 1] as number] === BACKSLASH;
  return byte === LINE_FEED || byte === RETURN || (isEscaped && WHITE_ESCAPES.includes(String.fromCharCode(byte)));
}

/** Whether the ampersand at an index begins an entity (HTML, "Character references"); in doubt it does. */
function beginsEntity(bytes: Uint8Array, at: number, symbols: Uint8Array): boolean {
  for (let next = at + 1; next < bytes.length; next++) {
    const byte = bytes[next] as number;
    if (byte === NUMBER_SIGN || byte === SEMICOLON) return true;
    if (!isLeftOut(symbols[byte] as number) && !isAlphanumeric(byte)) return false;
  }
  return true;
}

function isLeftOut(symbol: number): boolean {
  return symbol === DROPPED || symbol === BACKSLASH;
}

function isAlphanumeric(byte: number): boolean {
  const folded = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (folded >= 0x61 && folded <= 0x7a);
}

function needsOfDetector({ pattern, context }: DetectorSpec): readonly Needs[] | null {
  if (pattern === null) return [];
  const needs = needsOf(parsePattern(pattern), spell);
  if (needs === null || context === null) return needs;
  const words = context.words.map((word) => Array.from(Buffer.from(word), (byte) => spell(byte) ?? '').join(''));
  return needs.map(([first]) => [first ?? words, words]);
}

/** A byte of what detectors are told, as it is seen. */
const spell: Spelling = (byte) => {
  const char = String.fromCharCode(byte).toLowerCase();
  // A sentence ends by whatever ends it in the text, and a quotation is told by its quotes alone.
  if (char === '\n' || char === '"') return undefined;
  if (char === ' ' || char === MARK) return char;
  switch (plainSymbol(byte)) {
    case 0:
      return char;
    // White space is told as spaces; controls are told by what is suspicious, or not at all.
    case OPAQUE:
    case SPACE:
      return null;
    default:
      return byte < 0x20 ? null : '';
  }
};

/** The symbol of a byte that is in no word; 0: it is none of those that mean something by themselves. */
function plainSymbol(byte: number): number {
  const char = String.fromCharCode(byte);
  if (char === '\\') return BACKSLASH;
  if (char === '>') return QUOTE;
  if (char === '&') return AMPERSAND;
  if (char === '<' || byte >= 0x80) return OPAQUE;
  if (/[ \t\n\v\f\r]/.test(char)) return SPACE;
  return byte < 0x20 || DROPPED_CHARACTERS.includes(char) || char === MARK ? DROPPED : 0;
}

/** Words to look for, and what is met with each. */
function wordsOf(all: readonly Needs[]): ReadonlyMap<string, number> {
  const words = new Map<string, number>();
  const add = (texts: readonly string[], bits: number): void => {
    for (const text of texts) for (const word of spellingsOf(text)) words.set(word, (words.get(word) ?? 0) | bits);
  };
  const shortest = (needs: Needs): number => Math.min(...(needs[0] ?? []).map(({ length }) => length));
  // Two needs are noted where one is met soonest.
  const ordered = all.toSorted((a, b) => shortest(a) - shortest(b));
  let pairs = 0;
  for (const [first = [], second] of ordered) {
    if (second === undefined || pairs === MOST_PAIRS) add(first, ALL);
    else {
      add(first, 1 << (2 * pairs));
      add(second, 2 << (2 * pairs++));
    }
  }
  return words;
}

/** A word, and what is seen of it behind a backslash that is none of JSON's. */
function spellingsOf(text: string): readonly string[] {
  const word = text.replaceAll(/ +/g, ' ');
  return WHITE_ESCAPES.includes(word[0] ?? '-') ? [word, word.slice(1)] : [word];
}

function symbolsOf(words: Iterable<string>): Uint8Array {
  const symbols = Uint8Array.from({ length: 256 }, (_, byte) => plainSymbol(byte));
  let count = FIRST_SYMBOL;
  for (const word of words)
    for (let i = 0; i < word.length; i++) {
      const byte = word.charCodeAt(i);
      if (symbols[byte] !== 0 && word[i] !== MARK) continue;
      if ((symbols[byte] as number) >= FIRST_SYMBOL) continue;
      symbols[byte] = count++;
      if (byte >= 0x61 && byte <= 0x7a) symbols[byte - 32] = symbols[byte] as number;
    }
  return symbols;
}

function escapedAs(symbol: number, char: string): number {
  if (char === UNICODE_ESCAPE) return OPAQUE;
  return WHITE_ESCAPES.includes(char) ? SPACE : symbol;
}

/** Makes the transitions of a trie those of a reader who sees one space where there are many, and nothing of what is dropped. */
function seenThrough(table: Int32Array, symbols: Uint8Array, width: number): Int32Array {
  const mark = symbols[MARK.charCodeAt(0)] as number;
  const spaced = new Set<number>();
  for (let state = 0; state < table.length; state += width) spaced.add(table[state + SPACE] as number);
  for (let state = 0; state < table.length; state += width) {
    table[state + DROPPED] = state;
    for (const symbol of [BACKSLASH, QUOTE, AMPERSAND, OPAQUE]) table[state + symbol] = SUSPECT;
    if (state > 0 && spaced.has(state)) table[state + SPACE] = state;
    if (mark >= FIRST_SYMBOL && table[state + mark] === 0) table[state + mark] = state;
  }
  return table;
}
