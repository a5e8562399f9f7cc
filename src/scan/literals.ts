/** Where literals end, and which they are by their place in the list that was given. Reused from scan to scan. */
export interface Hits {
  readonly ends: Int32Array;
  readonly literals: Int32Array;
  count: number;
}

/** A text to look for: Latin-1, lower-case where it has letters. Never empty. */
export interface Literal {
  readonly text: string;
  /** Bytes that may stand behind it, each 1; what is followed by another is no hit. */
  readonly next: Uint8Array;
}

/** Kinds of bytes, in bits: three of them one after another have a place in each filter. */
const BITS = 5;
const KINDS = 1 << BITS;
const PLACES = 1 << (3 * BITS);
const MASK = PLACES - 1;
/** Behind the places of three: those of two kinds, and of one, for the last bytes there are. */
const OF_TWO = PLACES;
const OF_ONE = OF_TWO + KINDS * KINDS;
/** Bytes that are compared at once. */
const HEAD = 4;
const ALL_KINDS = Array.from({ length: KINDS }, (_, kind) => kind);

/** Letters that are rare share a kind, so that marks that begin literals have kinds of their own. */
const MARKS = ['0-9', '\\-_', '.:', '/@', '\\[\\]', '\\s"\'=\\\\', '\\x80-\\xff'].map((set) => new RegExp(`[${set}]`));
const LETTERS = 'abcdefghiklmnoprstuvwxyz';
const KIND = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte).toLowerCase().replace('q', 'z').replace('j', 'x');
  const letter = byte < 0x80 ? LETTERS.indexOf(char) : -1;
  return 1 + (letter >= 0 ? MARKS.length + letter : MARKS.findIndex((mark) => mark.test(String.fromCharCode(byte))));
});
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte));

/**
 * Finds many literals at once, ASCII case-insensitively. Every place is asked of a filter of 4 KiB whether three bytes of such kinds
 * begin a literal, and few do; only those are compared. An automaton of Aho and Corasick takes as long where its table is in the
 * processor's cache, and several times as long between two requests, where it is not (docs/decisions/scanner.md).
 *
 * What it carries from one piece of a stream to the next is one number: how many of the last bytes may begin a literal.
 */
export class Literals {
  /** Longest literal, in bytes. */
  readonly depth: number;
  /** Places of the first three bytes of literals, one bit each. */
  readonly #first = new Int32Array(PLACES / 32);
  /** Where the literals of a place stand in `#lists`; 0: there are none. */
  readonly #listOf = new Int32Array(OF_ONE + KINDS);
  /** Of each place: the kinds of the fourth byte, one bit each, how many literals there are, and those, the longest first. */
  readonly #lists: Int32Array;
  /** Of each literal: its first four bytes, and which bits of them are its own. */
  readonly #heads: Int32Array;
  readonly #headBits: Int32Array;
  /** Bytes of all literals, one behind the other, and where each of them begins. */
  readonly #bytes: Uint8Array;
  readonly #from: Int32Array;
  readonly #next: readonly Uint8Array[];
  /** Most literals that begin at one place. */
  readonly #nested: number;

  constructor(literals: readonly Literal[]) {
    const texts = literals.map(({ text }) => Buffer.from(text, 'latin1'));
    this.depth = texts.reduce((most, { length }) => Math.max(most, length), 1);
    this.#bytes = Buffer.concat(texts);
    this.#from = new Int32Array(texts.length + 1);
    for (const [id, { length }] of texts.entries()) this.#from[id + 1] = (this.#from[id] as number) + length;
    this.#next = literals.map(({ next }) => next);
    const all = new Set(literals.map(({ text }) => text));
    this.#nested = literals.reduce((most, { text }) => Math.max(most, prefixesOf(text, all)), 1);
    this.#heads = Int32Array.from(texts, (bytes) => headOf(Buffer.concat([bytes, Buffer.alloc(HEAD)]), 0));
    this.#headBits = Int32Array.from(texts, ({ length }) => (length >= HEAD ? -1 : (1 << (8 * length)) - 1));
    this.#lists = this.#list(literals);
  }

  /** Room for the hits of pieces up to this many bytes. */
  makeHits(bytes: number): Hits {
    const room = (bytes + this.depth) * this.#nested;
    return { ends: new Int32Array(room), literals: new Int32Array(room), count: 0 };
  }

  /**
   * Reads [from, to), with `pending` bytes before it that may begin a literal; returns how many there are now, 0 where the end is
   * `final`. The bytes before must still be there. Hits come in the order in which they begin.
   */
  scan(bytes: Uint8Array, { from, to, pending, final }: Span, hits: Hits): number {
    hits.count = 0;
    const begin = from - pending;
    for (let at = this.#candidate(bytes, begin, to); at + 2 < to; at = this.#candidate(bytes, at + 1, to))
      this.#compare(bytes, at, this.#placeOf(bytes, at, at + 3), from, to, hits);
    // Too little is left for three bytes, but not for the shortest literals.
    for (let at = Math.max(begin, to - 2); at < to; at++)
      this.#compare(bytes, at, this.#placeOf(bytes, at, to), from, to, hits);
    return final ? 0 : this.#pendingIn(bytes, begin, to);
  }

  /** Index from one on at which a literal may begin, told by four bytes. This loop takes most of the time, and so does nothing else. */
  #candidate(bytes: Uint8Array, at: number, to: number): number {
    const first = this.#first;
    const listOf = this.#listOf;
    const lists = this.#lists;
    let place = this.#placeOf(bytes, at, at + 2);
    let end = at + 2;
    for (; end < to; end++) {
      place = ((place << BITS) | (KIND[bytes[end] as number] as number)) & MASK;
      if (((first[place >>> 5] as number) & (1 << place)) === 0) continue;
      const fourth = lists[listOf[place] as number] as number;
      if (end + 1 === to || (fourth & (1 << (KIND[bytes[end + 1] as number] as number))) !== 0) break;
    }
    return end - 2;
  }

  /** Compares what stands at an index with all literals that may begin there. */
  #compare(bytes: Uint8Array, at: number, place: number, from: number, to: number, hits: Hits): void {
    const lists = this.#lists;
    const list = this.#listOf[place] as number;
    const isNearEnd = at + HEAD > to;
    const head = isNearEnd ? 0 : headOf(bytes, at);
    for (let each = list + 1 + (lists[list + 1] as number); each > list + 1; each--) {
      const literal = lists[each] as number;
      if (!isNearEnd && ((head ^ (this.#heads[literal] as number)) & (this.#headBits[literal] as number)) !== 0)
        continue;
      const end = at + (this.#from[literal + 1] as number) - (this.#from[literal] as number);
      if (end > to) return;
      if (end <= from || !this.#stands(bytes, at, end, literal)) continue;
      if (end < to && (this.#next[literal] as Uint8Array)[bytes[end] as number] === 0) continue;
      hits.ends[hits.count] = end;
      hits.literals[hits.count++] = literal;
    }
  }

  /** Whether a literal, or its beginning, stands in [at, end). */
  #stands(bytes: Uint8Array, at: number, end: number, literal: number): boolean {
    const own = this.#bytes;
    const first = (this.#from[literal] as number) - at;
    for (let index = at; index < end; index++) if (FOLDED[bytes[index] as number] !== own[first + index]) return false;
    return true;
  }

  /** How many of the last bytes may begin a literal that is not here whole. */
  #pendingIn(bytes: Uint8Array, begin: number, to: number): number {
    const lists = this.#lists;
    for (let at = Math.max(begin, to - this.depth + 1); at < to; at++) {
      const list = this.#listOf[this.#placeOf(bytes, at, to)] as number;
      if (list === 0) continue;
      for (let each = list + 1 + (lists[list + 1] as number); each > list + 1; each--) {
        const literal = lists[each] as number;
        const length = (this.#from[literal + 1] as number) - (this.#from[literal] as number);
        if (at + length > to && this.#stands(bytes, at, to, literal)) return to - at;
      }
    }
    return 0;
  }

  /** Place of the kinds of up to three bytes. */
  #placeOf(bytes: Uint8Array, at: number, to: number): number {
    const first = KIND[bytes[at] as number] as number;
    if (to - at === 1) return OF_ONE + first;
    const two = (first << BITS) | (KIND[bytes[at + 1] as number] as number);
    return to - at === 2 ? OF_TWO + two : (two << BITS) | (KIND[bytes[at + 2] as number] as number);
  }

  /** Lists literals by the places of their first bytes, and notes those of three in the filter. */
  #list(literals: readonly Literal[]): Int32Array {
    const byPlace = new Map<number, number[]>();
    const add = (place: number, id: number): void => {
      const list = byPlace.get(place);
      if (list === undefined) byPlace.set(place, [id]);
      else list.push(id);
    };
    for (const [id, literal] of literals.entries()) {
      const [first, second, third] = [kindsAt(literal, 0), kindsAt(literal, 1), kindsAt(literal, 2)];
      for (const place of placesOf(first)) add(OF_ONE + place, id);
      for (const place of placesOf(first, second)) add(OF_TWO + place, id);
      for (const place of placesOf(first, second, third)) {
        add(place, id);
        this.#first[place >>> 5] = (this.#first[place >>> 5] as number) | (1 << place);
      }
    }
    const lists = [0, 0];
    for (const [place, ids] of byPlace) {
      this.#listOf[place] = lists.length;
      const fourth = ids
        .flatMap((id) => kindsAt(literals[id] as Literal, 3))
        .reduce((bits, kind) => bits | (1 << kind), 0);
      lists.push(fourth, ids.length, ...ids.sort((a, b) => lengthOf(literals, b) - lengthOf(literals, a)));
    }
    return Int32Array.from(lists);
  }
}

/** What is read at a time. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly pending: number;
  readonly final: boolean;
}

/** Four bytes as one number, in lower case. */
function headOf(bytes: Uint8Array, at: number): number {
  return (
    (FOLDED[bytes[at] as number] as number) |
    ((FOLDED[bytes[at + 1] as number] as number) << 8) |
    ((FOLDED[bytes[at + 2] as number] as number) << 16) |
    ((FOLDED[bytes[at + 3] as number] as number) << 24)
  );
}

function lengthOf(literals: readonly Literal[], id: number): number {
  return (literals[id] as Literal).text.length;
}

/** How many literals a text begins with, itself among them. */
function prefixesOf(text: string, all: ReadonlySet<string>): number {
  let count = 0;
  for (let length = 1; length <= text.length; length++) if (all.has(text.slice(0, length))) count++;
  return count;
}

/** Kinds of the bytes that may stand at an index from the start of a literal on. */
function kindsAt({ text, next }: Literal, index: number): readonly number[] {
  if (index < text.length) return [KIND[text.charCodeAt(index)] as number];
  if (index > text.length) return ALL_KINDS;
  return [...new Set(KIND.filter((_, byte) => next[byte] === 1))];
}

function placesOf(...kinds: ReadonlyArray<readonly number[]>): readonly number[] {
  return kinds.reduce<readonly number[]>(
    (places, each) => places.flatMap((place) => each.map((kind) => (place << BITS) | kind)),
    [0],
  );
}
