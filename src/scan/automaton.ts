import { Trie } from './trie.ts';

/** Where literals end: the place behind the last byte, and the state that says which. Reused from scan to scan. */
export interface Hits {
  readonly ends: Int32Array;
  readonly states: Int32Array;
  count: number;
}

/** Slices shorter than this are not worth a second lane. */
const TWO_LANES = 512;

/**
 * Finds many literals at once in one pass over bytes (Aho and Corasick, 1975), ASCII case-insensitively. What it carries from
 * one piece of a stream to the next is one number. Long pieces are read at two places at once, for a single lane waits for
 * memory at each byte.
 */
export class Automaton {
  /** Longest literal, in bytes. */
  readonly depth: number;
  readonly #classes = new Uint8Array(256);
  readonly #width: number;
  /** State and class → state; states are multiples of the width, those at which literals end the highest. */
  readonly #table: Int32Array;
  readonly #firstHit: number;
  readonly #literals: ReadonlyArray<readonly number[]>;
  readonly #depths: Uint16Array;

  /** `literals`: Latin-1, lower-case where they have letters. */
  constructor(literals: readonly string[]) {
    this.#width = this.#classify(literals);
    this.depth = literals.reduce((most, each) => Math.max(most, each.length), 1);
    const trie = new Trie(literals, this.#classes, this.#width);
    const order = trie.order();
    this.#table = trie.table(order);
    const hits = order.filter((state) => (trie.ends[state] as number[]).length > 0);
    this.#firstHit = (order.length - hits.length) * this.#width;
    this.#literals = hits.map((state) => trie.ends[state] as number[]);
    this.#depths = Uint16Array.from(order, (state) => trie.depths[state] as number);
  }

  /** Literals, by their place in the list that was given, that end where this state is reached. */
  literalsAt(state: number): readonly number[] {
    return this.#literals[(state - this.#firstHit) / this.#width] ?? [];
  }

  /** How many of the bytes read last may be the start of a literal. */
  depthOf(state: number): number {
    return this.#depths[state / this.#width] as number;
  }

  /** Reads [from, to) from `state` on (0: the start); returns the state behind it. `hits` must have room for each byte. */
  scan(bytes: Uint8Array, from: number, to: number, state: number, hits: Hits): number {
    hits.count = 0;
    if (to - from < TWO_LANES) return this.#one(bytes, from, to, state, hits);
    const middle = (from + to) >>> 1;
    const second = this.#two(bytes, from, middle, to, state, hits);
    return second;
  }

  #one(bytes: Uint8Array, from: number, to: number, begin: number, hits: Hits): number {
    const table = this.#table;
    const classes = this.#classes;
    const firstHit = this.#firstHit;
    let state = begin;
    for (let at = from; at < to; at++) {
      state = table[state + (classes[bytes[at] as number] as number)] as number;
      if (state >= firstHit) push(hits, at + 1, state);
    }
    return state;
  }

  /** Two lanes over one half each; the second warms up on the bytes before its half, so that its state is the true one. */
  #two(bytes: Uint8Array, from: number, middle: number, to: number, begin: number, hits: Hits): number {
    const table = this.#table;
    const classes = this.#classes;
    const firstHit = this.#firstHit;
    let first = begin;
    let second = 0;
    for (let at = Math.max(from, middle - this.depth); at < middle; at++)
      second = table[second + (classes[bytes[at] as number] as number)] as number;
    const length = middle - from;
    // Hits of the second lane go to the end of the room, from above, until those of the first are all known.
    const room = hits.ends.length;
    let later = room;
    for (let step = 0; step < length; step++) {
      first = table[first + (classes[bytes[from + step] as number] as number)] as number;
      second = table[second + (classes[bytes[middle + step] as number] as number)] as number;
      if (first >= firstHit) push(hits, from + step + 1, first);
      if (second >= firstHit) {
        later--;
        hits.ends[later] = middle + step + 1;
        hits.states[later] = second;
      }
    }
    if (middle + length < to) {
      second = table[second + (classes[bytes[to - 1] as number] as number)] as number;
      if (second >= firstHit) {
        later--;
        hits.ends[later] = to;
        hits.states[later] = second;
      }
    }
    appendReversed(hits, later);
    return second;
  }

  #classify(literals: readonly string[]): number {
    let count = 1;
    for (const literal of literals)
      for (let i = 0; i < literal.length; i++) {
        const byte = literal.charCodeAt(i);
        if (this.#classes[byte] !== 0) continue;
        this.#classes[byte] = count++;
        if (byte >= 0x61 && byte <= 0x7a) this.#classes[byte - 32] = this.#classes[byte] as number;
      }
    return count;
  }
}

/** Room for the hits of pieces up to this many bytes. */
export function makeHits(bytes: number): Hits {
  // The second lane stores from above: both together never meet, for each byte has one hit at most.
  return { ends: new Int32Array(bytes), states: new Int32Array(bytes), count: 0 };
}

function push(hits: Hits, end: number, state: number): void {
  hits.ends[hits.count] = end;
  hits.states[hits.count++] = state;
}

function appendReversed(hits: Hits, later: number): void {
  const { ends, states } = hits;
  const room = ends.length;
  if (later === room) return;
  // What is stored from above stands in reverse; put right first, so that nothing is overwritten that is still to be read.
  ends.subarray(later, room).reverse();
  states.subarray(later, room).reverse();
  ends.copyWithin(hits.count, later, room);
  states.copyWithin(hits.count, later, room);
  hits.count += room - later;
}
