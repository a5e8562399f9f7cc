import { Anchors } from './anchors.ts';
import { NONE, OPEN, kindOf, type Before, type OpenMatch } from '../pattern/matcher.ts';
import { BLOCK, TRAITS, copyBytes } from './bytes.ts';
import type { Context } from './context.ts';
import { leftBound } from './edges.ts';
import type { Variant } from './detector.ts';
import { SLICE, type Opening } from './engine.ts';
import type { Reader } from './reader.ts';
import { isAllSought } from './worth-reading.ts';

/** Bytes kept behind what was read, for what begins before a literal or asks what stood before it. */
const LOOKBACK = 640;
/** The longest match: one that has not ended by then ends there. */
const WINDOW = 8 * 1024;
const CAPACITY = SLICE + WINDOW + 2 * LOOKBACK + BLOCK;
/** Readers may look past the end this far, and find zeros there. */
const SLACK = 32;

/** A match that more bytes may still make. Places count from the start of the view. */
interface Candidate {
  readonly variant: Variant;
  /** Where the match, and where its literal begins. */
  readonly start: number;
  readonly literal: number;
  readonly open: OpenMatch;
  /** What stood at index 0 when it was left open. */
  readonly base: number;
}

/**
 * One reading of the bytes of a stream: as they came, or through decoders. Each view looks for literals in what it is
 * given, confirms what that finds, and hands the bytes to its own readers, which look for what is encoded in them and feed
 * views of their own. However the bytes are split, the findings are the same.
 */
export class View {
  readonly context: Context;
  readonly via: readonly string[];
  readonly bytes = Buffer.allocUnsafeSlow(CAPACITY + SLACK);
  /** Place of `bytes[0]` in the view. */
  base = 0;
  /** Bytes that are there. */
  length = 0;
  /** Traits of the bytes, block by block (`TRAITS`). */
  readonly blocks = new Uint16Array((Math.ceil(CAPACITY / BLOCK) + 2) & -2);
  readonly pairs = new Uint32Array(this.blocks.buffer);
  /** Traits of all that is being read. */
  traits = 0;
  /** Bytes it has read, ever. */
  worked = 0;
  /** Up to where they have been read, as an index. */
  #read = 0;
  /** How many of the last bytes may begin a literal. */
  #pending = 0;
  #candidates: Candidate[] = [];
  /** Where containers begin in what is being read. */
  #opened: { readonly opening: Opening; readonly place: number }[] = [];
  readonly #readers: readonly Reader[];
  /** Traits that any of them asks for. */
  readonly #asks: number;
  /** Those that have read something since they were last restarted, a bit each. */
  #busy = 0;
  /** Null: the bytes as they came. */
  readonly parent: View | null;
  readonly #anchors = new Anchors();
  /** The kernel has read what is taken next, and all that is. */
  #told = false;
  /** Nothing is retained before this place: what is there stands at the start of the view or behind a break. */
  #begin = 0;

  constructor(
    context: Context,
    parent: View | null,
    via: readonly string[],
    readersOf: (view: View) => readonly Reader[],
  ) {
    this.context = context;
    context.views.push(this);
    this.parent = parent;
    this.via = via;
    this.#readers = readersOf(this);
    this.#asks = this.#readers.reduce((traits, { asks }) => traits | asks, 0);
  }

  /** Place behind the last byte. */
  get end(): number {
    return this.base + this.length;
  }

  /** Where a new stream or, after a break, a new piece begins. */
  get begin(): number {
    return this.#begin;
  }

  /** What is pushed next stood at `source` in the parent, `ratio` bytes of it for each byte here. */
  anchor(source: number, ratio: number): void {
    this.#anchors.add(this.end, source, ratio);
  }

  /** Takes the bytes [from, to) and reads them. */
  push(bytes: Uint8Array, from: number, to: number): void {
    this.append(bytes, from, to);
    this.flush();
  }

  /** Takes the bytes [from, to); they may be read later. */
  append(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at += SLICE) {
      const size = Math.min(SLICE, to - at);
      this.#makeRoom(size);
      copyBytes(bytes, at, at + size, this.bytes, this.length);
      this.length += size;
    }
  }

  /**
   * Whether nothing can be found in bytes that are a whole stream: that is told without taking them. Where it is false, they are
   * taken next, and read.
   */
  clears(bytes: Uint8Array): boolean {
    const { engine } = this.context;
    const { kernel } = engine;
    const all = isAllSought(engine);
    kernel.whole(bytes, !all);
    this.#told = all || kernel.count > 0 || ((kernel.traits | TRAITS.any) & this.#asks) !== 0;
    if (!this.#told) this.worked += bytes.length;
    return !this.#told;
  }

  /** Reads what has been taken. */
  flush(): void {
    if (this.length > this.#read) this.#process(false);
  }

  /** What comes next does not follow what came: everything open ends here. */
  break(): void {
    if (this.end === this.#begin) return;
    this.#process(true);
    this.#pending = 0;
    this.#begin = this.base = this.end;
    this.length = this.#read = 0;
    for (const reader of this.#readers) reader.restart();
    // Each remembers where it was restarted.
    this.#busy = -1;
    this.#anchors.clear();
  }

  /** The stream is over; the next begins at place 0. */
  finish(): void {
    if (this.end > this.#begin) this.#process(true);
    this.#pending = 0;
    this.base = this.#begin = this.length = this.#read = 0;
    for (let index = 0; index < this.#readers.length; index++)
      if ((this.#busy & (1 << index)) !== 0) (this.#readers[index] as Reader).restart();
    this.#busy = 0;
    this.#anchors.clear();
  }

  /**
   * Place, in the stream as it came, from which on something here may still become a finding; Infinity: from none. `soft`:
   * also by what has not even begun to match, but may be the beginning of a literal or of something encoded.
   */
  open(soft: boolean): number {
    let place = Infinity;
    for (const { start } of this.#candidates) place = Math.min(place, start);
    if (soft) {
      if (this.#pending > 0) place = Math.min(place, this.end - this.#pending);
      for (const { waiting } of this.#readers) place = Math.min(place, waiting);
    }
    let source = place === Infinity ? Infinity : this.sourceOf(place);
    for (const reader of this.#readers) source = Math.min(source, reader.opened(soft));
    return source;
  }

  /** Where in the stream as it came a place of this view stood. */
  sourceOf(place: number): number {
    return this.parent === null ? place : this.parent.sourceOf(this.#anchors.sourceOf(place));
  }

  /** Drops what nobody needs any more. */
  #makeRoom(size: number): void {
    if (this.length + size <= CAPACITY) return;
    this.flush();
    let keep = this.end - LOOKBACK;
    for (const { start } of this.#candidates) keep = Math.min(keep, start - 8);
    for (const reader of this.#readers) keep = Math.min(keep, reader.waiting - 8);
    // Nobody may ask for more than there is room for: candidates end after a window, readers work off what is long.
    const most = Math.min(this.#read, Math.max(keep - this.base, this.length + size - CAPACITY + BLOCK, 0));
    const drop = most & -BLOCK;
    this.bytes.copyWithin(0, drop, this.length);
    this.blocks.copyWithin(0, drop / BLOCK);
    this.base += drop;
    this.length -= drop;
    this.#read -= drop;
    // Those that matches under way in the views below may still ask for are kept.
    this.#anchors.drop(this.base - 2 * WINDOW);
  }

  #process(final: boolean): void {
    const { budget } = this.context;
    const from = this.#read;
    const to = this.length;
    budget.spend(to - from);
    this.worked += to - from;
    if (this.#candidates.length > 0) this.#goOn(to, final);
    this.traits = to > from ? this.#find(from, to, final) : TRAITS.any;
    if (this.#opened.length > 0) {
      this.traits |= TRAITS.container;
      this.#open();
    }
    this.#read = to;
    for (let at = to; at < to + SLACK; at++) this.bytes[at] = 0;
    // Of what is all there is, most readers have nothing to read.
    const asked = final && from === 0 ? this.traits : -1;
    for (let index = 0; index < this.#readers.length; index++) {
      const reader = this.#readers[index] as Reader;
      if (asked !== -1 && (reader.asks & asked) === 0) continue;
      this.#busy |= 1 << index;
      reader.read(from, to, final);
    }
  }

  /** Finds what detectors look for in [from, to); returns the traits of what stands there. */
  #find(from: number, to: number, final: boolean): number {
    const { kernel, registered } = this.context.engine;
    // Of too many values the kernel knows nothing.
    const unknown = kernel.seek(registered.current) ? TRAITS.any : TRAITS.any | TRAITS.registered;
    if (this.#told) this.#told = false;
    else this.#pending = kernel.run(this.bytes, { from, to, pending: this.#pending, final });
    kernel.copyBlocks(from, to, this.blocks);
    const traits = kernel.traits | unknown;
    for (let hit = 0; hit < kernel.count; hit++)
      this.#confirmAll(kernel.literals[hit] as number, kernel.ends[hit] as number, to, final);
    return traits;
  }

  #confirmAll(literal: number, end: number, to: number, final: boolean): void {
    const { targets } = this.context.engine;
    const { length, variants, openings } = targets[literal] as (typeof targets)[number];
    for (const variant of variants) this.#confirm(variant, end - length, to, final);
    for (const opening of openings) this.#opened.push({ opening, place: this.base + end - length });
  }

  /** Tells readers where containers begin: once all hits are worked off, for views below may have to scan to take what is in them. */
  #open(): void {
    for (const { opening, place } of this.#opened) for (const reader of this.#readers) reader.open?.(opening, place);
    this.#opened = [];
  }

  #confirm(variant: Variant, literal: number, to: number, final: boolean): void {
    let start = literal;
    if (variant.before !== null) {
      const lowest = Math.max(0, literal - variant.reach, this.#begin - this.base);
      const starts = this.base + lowest === this.#begin;
      const { before } = variant;
      const work = before.work;
      start = before.findBack(this.bytes, literal, lowest, kindOf(this.bytes[literal] as number), starts);
      this.context.budget.spend(before.work - work);
      if (start === NONE) return;
    }
    if (variant.begins && !leftBound(this.bytes, start, this.#begin - this.base)) return;
    this.#conclude(variant, start, literal, null, to, final);
  }

  /** Reads on in all matches that were left open. */
  #goOn(to: number, final: boolean): void {
    const candidates = this.#candidates;
    this.#candidates = [];
    for (const each of candidates)
      this.#conclude(each.variant, each.start - this.base, each.literal - this.base, each, to, final);
  }

  #conclude(
    variant: Variant,
    start: number,
    literal: number,
    candidate: Candidate | null,
    to: number,
    final: boolean,
  ): void {
    const { from } = variant;
    const most = start + WINDOW;
    const over = most <= to;
    const until = over ? most : to;
    const work = from.work;
    const before = this.#before(literal);
    let end =
      candidate === null
        ? from.find(this.bytes, literal, until, before, final && !over)
        : from.resume(
            candidate.open,
            this.base - candidate.base,
            { bytes: this.bytes, from: literal, to: until, before },
            final && !over,
          );
    this.context.budget.spend(from.work - work);
    if (end === OPEN) {
      const { open } = from;
      if (!over) {
        const { base } = this;
        this.#candidates.push({ variant, start: base + start, literal: base + literal, open: { ...open }, base });
        return;
      }
      // It fills the window, and what there is of it counts.
      end = open.last;
    }
    if (end >= 0) this.#accept(variant, start, end);
  }

  #accept(variant: Variant, start: number, end: number): void {
    const { value } = variant;
    const lowest = Math.max(start, 0);
    const from =
      value === null
        ? start
        : value.findBack(this.bytes, end, lowest, end < this.length ? kindOf(this.bytes[end] as number) : 0, false);
    this.context.match(variant.detector, this, from === NONE ? start : from, end);
  }

  #before(index: number): Before {
    return this.base + index === this.#begin ? 0 : kindOf(this.bytes[index - 1] as number);
  }
}
