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
const ALL_KINDS = Array.from({ length: KINDS }, (_, kind) => kind);

/** Kinds that stand close together in what is looked for have kinds of their own. */
const KIND = Uint8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte).toLowerCase();
  if (/[a-z]/.test(char)) return char.charCodeAt(0) - 0x60;
  if (/[0-9]/.test(char)) return 27;
  if (/[-_]/.test(char)) return 28;
  if (/[.:/@]/.test(char)) return 29;
  if (/[\s"'\\=]/.test(char)) return 30;
  return byte >= 0x80 ? 31 : 0;
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
  /** Places of the first three bytes of literals, and of the second to fourth; one bit each. */
  readonly #first = new Int32Array(PLACES / 32);
  readonly #second = new Int32Array(PLACES / 32);
  /** Where the literals of a place stand in `#lists`; 0: there are none. */
  readonly #listOf = new Uint16Array(OF_ONE + KINDS);
  /** Literals of each place behind their number, the longest first. */
  readonly #lists: Uint16Array;
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
    this.#nested = literals.reduce((most, { text }) => Math.max(most, prefixesOf(text, literals)), 1);
    this.#lists = this.#list(literals);
  }

  /** Room for the hits of pieces up to this many bytes. */
  makeHits(bytes: number): Hits {
    const room = (bytes + this.depth) * this.#nested;
    return { ends: new Int32Array(room), literals: new Int32Array(room), count: 0 };
  }

  /**
   * Reads [from, to), with `pending` bytes before it that may begin a literal; returns how many there are now. The bytes before must
   * still be there. Hits come in the order in which they begin.
   */
  scan(bytes: Uint8Array, from: number, to: number, pending: number, hits: Hits): number {
    const first = this.#first;
    hits.count = 0;
    const begin = from - pending;
    let place = this.#placeOf(bytes, begin, begin + 2);
    for (let at = begin; at + 2 < to; at++) {
      place = ((place << BITS) | (KIND[bytes[at + 2] as number] as number)) & MASK;
      if (((first[place >>> 5] as number) & (1 << place)) !== 0) this.#compare(bytes, at, place, from, to, hits);
    }
    // Too little is left for three bytes, but not for the shortest literals.
    for (let at = Math.max(begin, to - 2); at < to; at++)
      this.#compareAll(bytes, at, this.#placeOf(bytes, at, to), from, to, hits);
    return this.#pendingIn(bytes, begin, to);
  }

  #compare(bytes: Uint8Array, at: number, place: number, from: number, to: number, hits: Hits): void {
    if (at + 3 < to) {
      const second = ((place << BITS) | (KIND[bytes[at + 3] as number] as number)) & MASK;
      if (((this.#second[second >>> 5] as number) & (1 << second)) === 0) return;
    }
    this.#compareAll(bytes, at, place, from, to, hits);
  }

  /** Compares what stands at an index with all literals that may begin there. */
  #compareAll(bytes: Uint8Array, at: number, place: number, from: number, to: number, hits: Hits): void {
    const lists = this.#lists;
    const list = this.#listOf[place] as number;
    for (let each = list + (lists[list] as number); each > list; each--) {
      const literal = lists[each] as number;
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
      for (let each = list + (lists[list] as number); each > list; each--) {
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

  /** Lists literals by the places of their first bytes, and notes those in the filters. */
  #list(literals: readonly Literal[]): Uint16Array {
    const byPlace = new Map<number, number[]>();
    const add = (place: number, id: number): void => {
      const list = byPlace.get(place);
      if (list === undefined) byPlace.set(place, [id]);
      else list.push(id);
    };
    for (const [id, literal] of literals.entries()) {
      const [first, second, third, fourth] = [0, 1, 2, 3].map((index) => kindsAt(literal, index)) as [
        readonly number[],
        readonly number[],
        readonly number[],
        readonly number[],
      ];
      for (const place of placesOf(first)) add(OF_ONE + place, id);
      for (const place of placesOf(first, second)) add(OF_TWO + place, id);
      for (const place of placesOf(first, second, third)) {
        add(place, id);
        note(this.#first, place);
      }
      for (const place of placesOf(second, third, fourth)) note(this.#second, place);
    }
    const lists = [0];
    for (const [place, ids] of byPlace) {
      this.#listOf[place] = lists.length;
      lists.push(ids.length, ...ids.sort((a, b) => lengthOf(literals, b) - lengthOf(literals, a)));
    }
    return Uint16Array.from(lists);
  }
}

function lengthOf(literals: readonly Literal[], id: number): number {
  return (literals[id] as Literal).text.length;
}

/** How many literals a text begins with, itself among them. */
function prefixesOf(text: string, literals: readonly Literal[]): number {
  return literals.filter((each) => text.startsWith(each.text)).length;
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

function note(filter: Int32Array, place: number): void {
  filter[place >>> 5] = (filter[place >>> 5] as number) | (1 << place);
}
