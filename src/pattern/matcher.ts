import { WORD } from './byte-set.ts';
import type { Assertion } from './parse.ts';
import type { Op, Program } from './program.ts';

/** What stands before a place: nothing at all, a line feed, a word byte, another byte. */
export type Before = 0 | 1 | 2 | 3;
const NOTHING = 0;
const NEWLINE = 1;
const WORD_BYTE = 2;

/** What a byte is to whatever asserts something of it. */
export function kindOf(byte: number): Before {
  if (byte === 0x0a) return NEWLINE;
  return WORD[byte] === 1 ? WORD_BYTE : 3;
}

/** Instructions a state stands for, and what was read last. */
interface StateSet {
  readonly ops: Int32Array;
  readonly before: Before;
}

/** No match. */
export const NONE = -1;
/** The bytes given do not decide it: more of them may. */
export const OPEN = -2;

/** States kept before the cache is dropped and begun anew. */
const MAX_STATES = 2000;
/** A cache that fills up within fewer bytes than this for each state helps nobody: sets are then followed without one. */
const WORTH = 8;
/** What is worked without a cache before one is tried again. */
const PENANCE = 4_000_000;
const UNKNOWN = -1;
const DEAD = 0;

/**
 * Matches one program in time linear in the bytes: a deterministic automaton whose states are made when they are first
 * needed, as in RE2 (https://swtch.com/~rsc/regexp/regexp3.html). What a match needs to know of the byte behind it is known
 * one byte late; transitions carry that in their lowest bit.
 */
export class Matcher {
  readonly #ops: readonly Op[];
  readonly #start: number;
  /** Byte → class of bytes that no instruction tells apart. */
  readonly #classes = new Uint8Array(256);
  /** A byte of each class. */
  readonly #samples: number[] = [];
  /** Symbols: the classes, and the end of all bytes. */
  readonly #width: number;
  readonly #asserts: boolean;
  #table: Int32Array;
  #sets: StateSet[] = [];
  readonly #ids = new Map<string, number>();
  #starts: number[] = [];
  #stepsAtFlush = 0;
  readonly #marks: Uint32Array;
  #mark = 0;
  /** Counts up when states are dropped: those handed out before mean nothing any more. */
  #epoch = 0;
  /** Until this much has been worked, sets are followed without a cache. */
  #uncachedUntil = 0;
  /** Where the match that is being followed begins, and what stands before it: for following it anew. */
  #begin = 0;
  #before: Before = NOTHING;
  /** Steps taken, and a good many more for each state that had to be made: what was worked. */
  work = 0;
  /** Where an open match stands, for `resume`. */
  readonly open: OpenMatch = { state: 0, epoch: 0, at: 0, last: NONE };

  constructor({ ops, start }: Program) {
    this.#ops = ops;
    this.#start = start;
    this.#asserts = ops.some((op) => op.kind === 'assert');
    this.#marks = new Uint32Array(ops.length);
    this.#partition();
    this.#width = this.#samples.length + 1;
    this.#table = new Int32Array(this.#width * 16).fill(UNKNOWN);
    this.#flush();
  }

  /**
   * End of the longest match that starts at `from`, NONE, or OPEN. `final`: nothing follows `to`; otherwise bytes up to `to`
   * may leave it open.
   */
  find(bytes: Uint8Array, from: number, to: number, before: Before, final: boolean): number {
    const state = this.#startOf(before);
    this.#begin = from;
    this.#before = before;
    return this.#run(bytes, from, to, state, NONE, final);
  }

  /** Goes on with an open match over what has come since. `shift`: how far its bytes have moved down. */
  resume(match: OpenMatch, shift: number, run: RunPlace, final: boolean): number {
    const { bytes, from, to, before } = run;
    if (match.epoch !== this.#epoch) return this.find(bytes, from, to, before, final);
    const last = match.last < 0 ? match.last : match.last - shift;
    this.#begin = from;
    this.#before = before;
    return this.#run(bytes, match.at - shift, to, match.state, last, final);
  }

  #run(bytes: Uint8Array, at: number, to: number, from: number, found: number, final: boolean): number {
    if (this.work < this.#uncachedUntil) return this.#runSets(bytes, to, final);
    const classes = this.#classes;
    const width = this.#width;
    let table = this.#table;
    let state = from;
    let last = found;
    let index = at;
    const epoch = this.#epoch;
    for (; index < to; index++) {
      const symbol = classes[bytes[index] as number] as number;
      let step = table[state * width + symbol] as number;
      if (step === UNKNOWN) {
        step = this.#make(state, symbol);
        table = this.#table;
        // States made before were dropped: what is left of this match is followed without them.
        if (this.#epoch !== epoch) return this.#runSets(bytes, to, final);
      }
      if ((step & 1) === 1) last = index;
      state = step >> 1;
      if (state === DEAD) break;
    }
    this.work += index - at + 1;
    if (state === DEAD) return last;
    if (!final) {
      const { open } = this;
      open.state = state;
      open.epoch = this.#epoch;
      open.at = index;
      open.last = last;
      return OPEN;
    }
    return this.#endsHere(state) ? to : last;
  }

  /** The same from `from` downwards, for a program that is reversed: start of the longest match, or NONE. */
  findBack(bytes: Uint8Array, from: number, lowest: number, before: Before, final: boolean): number {
    const classes = this.#classes;
    let state = this.#startOf(before);
    let last = NONE;
    for (let index = from - 1; index >= lowest; index--) {
      this.work++;
      const step = this.#step(state, classes[bytes[index] as number] as number);
      if ((step & 1) === 1) last = index + 1;
      state = step >> 1;
      if (state === DEAD) return last;
    }
    const ends = final ? this.#endsHere(state) : lowest > 0 && this.#endsBefore(state, bytes[lowest - 1] as number);
    return ends ? lowest : last;
  }

  #endsHere(state: number): boolean {
    return (this.#step(state, this.#width - 1) & 1) === 1;
  }

  #endsBefore(state: number, byte: number): boolean {
    return (this.#step(state, this.#classes[byte] as number) & 1) === 1;
  }

  #step(state: number, symbol: number): number {
    const step = this.#table[state * this.#width + symbol] as number;
    return step === UNKNOWN ? this.#make(state, symbol) : step;
  }

  #startOf(before: Before): number {
    const kind = this.#asserts ? before : NOTHING;
    const known = this.#starts[kind];
    if (known !== undefined) return known;
    const state = this.#stateOf(this.#close([this.#start], null), kind);
    this.#starts[kind] = state;
    return state;
  }

  /** Computes what a state becomes by a symbol, and keeps it. */
  #make(state: number, symbol: number): number {
    const { ops, before } = this.#sets[state] as StateSet;
    const byte = this.#samples[symbol];
    const { matched, next } = this.#advance(ops, before, byte);
    this.work += 20 + ops.length;
    const epoch = this.#epoch;
    const target = this.#stateOf(next, byte === undefined || !this.#asserts ? NOTHING : kindOf(byte));
    const step = (target << 1) | (matched ? 1 : 0);
    if (epoch === this.#epoch) this.#table[state * this.#width + symbol] = step;
    return step;
  }

  /** One step of all instructions at once. `byte` undefined: the end. */
  #advance(ops: Int32Array, before: Before, byte: number | undefined): { matched: boolean; next: Int32Array } {
    const held = this.#asserts ? this.#close(ops, { before, after: byte === undefined ? NOTHING : kindOf(byte) }) : ops;
    const next: number[] = [];
    let matched = false;
    for (const id of held) {
      const op = this.#ops[id] as Op;
      if (op.kind === 'match') matched = true;
      else if (op.kind === 'byte' && byte !== undefined && op.set[byte] === 1) next.push(op.next);
    }
    return { matched, next: this.#close(next, null) };
  }

  /** Everything reachable without reading. Assertions are passed where `at` says what stands on both sides, else kept. */
  #close(from: Iterable<number>, at: { readonly before: Before; readonly after: Before } | null): Int32Array {
    if (++this.#mark === 0xffffffff) {
      this.#marks.fill(0);
      this.#mark = 1;
    }
    const stack = [...from];
    const found: number[] = [];
    while (stack.length > 0) {
      const id = stack.pop() as number;
      if (this.#marks[id] === this.#mark) continue;
      this.#marks[id] = this.#mark;
      const op = this.#ops[id] as Op;
      if (op.kind === 'split') stack.push(op.next, op.other);
      else if (op.kind === 'assert' && at !== null) {
        if (holds(op.what, at.before, at.after)) stack.push(op.next);
      } else found.push(id);
    }
    return Int32Array.from(found).sort();
  }

  #stateOf(ops: Int32Array, before: Before): number {
    if (ops.length === 0) return DEAD;
    const key = `${before} ${ops.join(' ')}`;
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    if (this.#sets.length >= MAX_STATES) {
      if (this.work - this.#stepsAtFlush < WORTH * 20 * MAX_STATES) this.#uncachedUntil = this.work + PENANCE;
      this.#flush();
    }
    const id = this.#sets.push({ ops, before }) - 1;
    this.#ids.set(key, id);
    if (this.#table.length < (id + 1) * this.#width) {
      const table = new Int32Array(this.#table.length * 2).fill(UNKNOWN);
      table.set(this.#table);
      this.#table = table;
    }
    return id;
  }

  #flush(): void {
    this.#epoch++;
    this.#stepsAtFlush = this.work;
    this.#ids.clear();
    this.#starts = [];
    this.#sets = [{ ops: new Int32Array(0), before: NOTHING }];
    this.#table.fill(UNKNOWN);
    this.#table.fill(0, 0, this.#width);
  }

  /** Follows sets of instructions from the start of a match, keeping nothing: slower, and as linear. */
  #runSets(bytes: Uint8Array, to: number, final: boolean): number {
    let ops = this.#close([this.#start], null);
    let kind = this.#before;
    let last = NONE;
    for (let index = this.#begin; index < to; index++) {
      const byte = bytes[index] as number;
      this.work += 4 + ops.length;
      const { matched, next } = this.#advance(ops, kind, byte);
      if (matched) last = index;
      if (next.length === 0) return last;
      ops = next;
      kind = kindOf(byte);
    }
    if (final) return this.#advance(ops, kind, undefined).matched ? to : last;
    // Goes on from the start of the match.
    this.open.epoch = -1;
    this.open.last = last;
    return OPEN;
  }

  #partition(): void {
    const sets = new Set(this.#ops.flatMap((op) => (op.kind === 'byte' ? [op.set] : [])));
    let count = this.#asserts ? this.#split((byte) => kindOf(byte)) : 1;
    for (const set of sets) if (count < 256) count = this.#split((byte) => set[byte] as number);
    for (let byte = 255; byte >= 0; byte--) this.#samples[this.#classes[byte] as number] = byte;
  }

  /** Tells the bytes of each class apart by what they are, one of at most four things; returns how many classes there are. */
  #split(kind: (byte: number) => number): number {
    const parts = new Int16Array(4 * 256).fill(-1);
    let count = 0;
    for (let byte = 0; byte < 256; byte++) {
      const part = 4 * (this.#classes[byte] as number) + kind(byte);
      if (parts[part] === -1) parts[part] = count++;
      this.#classes[byte] = parts[part] as number;
    }
    return count;
  }
}

/** Where a match that is not decided yet stands. */
export interface OpenMatch {
  state: number;
  epoch: number;
  /** The next byte to read. */
  at: number;
  last: number;
}

/** The bytes a match runs over: it began at `from`, behind `before`. */
export interface RunPlace {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly before: Before;
}

function holds(what: Assertion, before: Before, after: Before): boolean {
  switch (what) {
    case 'begin':
      return before === NOTHING;
    case 'begin-line':
      return before === NOTHING || before === NEWLINE;
    case 'end':
      return after === NOTHING;
    case 'end-line':
      return after === NOTHING || after === NEWLINE;
    case 'word':
      return (before === WORD_BYTE) !== (after === WORD_BYTE);
    case 'not-word':
      return (before === WORD_BYTE) === (after === WORD_BYTE);
    case 'word-over':
      return after !== WORD_BYTE;
    case 'word-begins':
      return before !== WORD_BYTE;
  }
}
