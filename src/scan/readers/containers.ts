import { Inflater, dataAfter } from '../decoders/deflate.ts';
import type { Expander } from '../decoders/expander.ts';
import { Unzstd } from '../decoders/zstd.ts';
import { BudgetExceeded } from '../budget.ts';
import { TRAITS } from '../bytes.ts';
import type { Opening } from '../engine.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';
import type { Below } from './below.ts';

/**
 * Streams that may be under way in one view, and in all views of a scanner. Honest content has one or two, and chance beginnings end
 * within a few bytes; but tables of a program may begin as one stored block after another, each with the next in it. Each has a
 * window and a view, 90 KiB together.
 */
const MOST = 16;
const MOST_IN_ALL = 128;
/** Work of beginning one: an engine is made for it. Packs of git have one for each object, a flood one for every few bytes. */
const COST = 8192;
/** Work of giving one its next bytes, however few. */
const STEP = 512;
/** A stream that has expanded to nothing for so long is over, or never was one. */
const PATIENCE = 64 * 1024;

interface Stream {
  readonly opening: Opening;
  /** Place of its first byte. */
  readonly start: number;
  /** Place of the next byte it is to be given; -1: its header is not complete yet. */
  next: number;
  expander: Expander | null;
  readonly lane: number;
  /** Bytes it was given since it last expanded to something. */
  silent: number;
  /** It has expanded to something. */
  fruitful: boolean;
}

/** Undoes compression wherever a compressed stream begins: archives, packs of git, whatever was packed before it was encoded. */
export class ContainerReader implements Reader {
  readonly #view: View;
  readonly #below: Below;
  #streams: Stream[] = [];
  waiting = Infinity;
  readonly asks = TRAITS.container;

  /** Windows are made and moved by native code. */
  readonly #charge = (moved: number): void => this.#view.context.budget.spend(moved >> 3);

  constructor(view: View, below: Below) {
    this.#view = view;
    this.#below = below;
  }

  restart(): void {
    for (const { expander } of this.#streams) expander?.close();
    this.#view.context.streams -= this.#streams.length;
    this.#streams = [];
    this.waiting = Infinity;
    this.#below.end();
  }

  opened(soft: boolean): number {
    return this.#below.open(soft);
  }

  open(opening: Opening, start: number): void {
    const { bytes, base, length } = this.#view;
    if (dataAfter(opening.format, bytes, start - base, length, false) === -1) return;
    // Small ones stand one behind the other, as in packs of git: those before this have mostly ended.
    if (this.#isFull) this.#advanceAll(start - base, false);
    if (this.#isFull) this.#giveUpOne();
    const used = new Set(this.#streams.map(({ lane }) => lane));
    let lane = 0;
    while (used.has(lane)) lane++;
    this.#view.context.streams++;
    this.#streams.push({ opening, start, next: -1, expander: null, lane, silent: 0, fruitful: false });
  }

  get #isFull(): boolean {
    return this.#streams.length >= MOST || this.#view.context.streams >= MOST_IN_ALL;
  }

  /** Whatever has shown nothing yet is no stream; if all have, somebody is playing. */
  #giveUpOne(): void {
    const index = this.#streams.findIndex(({ fruitful }) => !fruitful);
    const [stream] = index === -1 ? [] : this.#streams.splice(index, 1);
    if (stream === undefined) throw new BudgetExceeded('too many compressed streams beside one another');
    stream.expander?.close();
    this.#view.context.streams--;
    this.#end(stream);
  }

  read(_from: number, to: number, final: boolean): void {
    this.waiting = Infinity;
    if (this.#streams.length === 0) return;
    this.#advanceAll(to, final);
    for (const { next, start } of this.#streams) if (next < 0) this.waiting = Math.min(this.waiting, start);
    this.#below.flush();
  }

  #advanceAll(to: number, final: boolean): void {
    this.#streams = this.#streams.filter((stream) => {
      const goes = this.#advance(stream, to, final);
      if (goes) return true;
      stream.expander?.close();
      this.#view.context.streams--;
      return false;
    });
  }

  /** Feeds a stream what has come; false: it is over. */
  #advance(stream: Stream, to: number, final: boolean): boolean {
    const { bytes, base, context } = this.#view;
    if (stream.next < 0) {
      const data = dataAfter(stream.opening.format, bytes, stream.start - base, to, final);
      if (data === null) return !final;
      if (data === -1) return false;
      stream.next = base + data;
      context.budget.spend(COST);
      stream.expander = stream.opening.format === 'zstd' ? new Unzstd(this.#charge) : new Inflater();
    }
    const from = stream.next - base;
    if (from >= to) return true;
    const given = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from);
    context.budget.spend(to - from + STEP);
    const expanded = (stream.expander as Expander).push(given);
    stream.next = base + to;
    if (expanded === null) return this.#end(stream);
    context.budget.spend(expanded.length);
    if (expanded.length > 0) {
      stream.silent = 0;
      stream.fruitful = true;
      this.#below.feed(`${stream.opening.format}/${stream.lane}`, expanded, 0, expanded.length, stream.start, 0);
    } else stream.silent += to - from;
    if ((stream.expander as Expander).over) return this.#end(stream);
    return stream.silent < PATIENCE || this.#end(stream);
  }

  #end({ opening, lane }: Stream): false {
    this.#below.breakLane(`${opening.format}/${lane}`);
    return false;
  }
}
