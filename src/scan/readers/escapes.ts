import { NO_ESCAPE, readOf, writtenOf, type Escapes } from '../decoders/escapes.ts';
import { CONTEXT, inText, nextWith } from '../bytes.ts';
import { scratch } from '../scratch.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';
import type { Below } from './below.ts';

/** Bytes before the first and behind the last escape that are read together with it. */
const AROUND = 512;
/** What must be there of what follows before something is taken for an escape. */
const AHEAD = CONTEXT + 8;
const roomAt = scratch(8);

/**
 * Undoes one kind of escape. Text without any is left to the view it stands in; around escapes, it is decoded and read anew,
 * for a secret may be escaped in part.
 */
export class EscapeReader implements Reader {
  readonly #view: View;
  readonly #escapes: Escapes;
  readonly #below: Below;
  readonly #lane: string;
  readonly #out: Uint8Array;
  /** Place up to which escapes have been looked for. */
  #from = 0;
  /** Place behind the last escape of the stretch that is being decoded; -1: none is. */
  #last = -1;
  /** What was put off, for more of it must be seen, has the beginning of an escape in it. */
  #deferred = false;
  /** Where the last stretch ended: the next does not begin before it. */
  #end = 0;
  waiting = Infinity;
  readonly asks: number;

  constructor(view: View, escapes: Escapes, below: Below) {
    this.#view = view;
    this.#escapes = escapes;
    this.asks = escapes.asks;
    this.#below = below;
    this.#out = roomAt(view.via.length);
    this.#lane = `${escapes.format}/0`;
  }

  restart(): void {
    this.#from = this.#end = this.#view.end;
    this.#last = -1;
    this.#deferred = false;
    this.waiting = Infinity;
    this.#below.end();
  }

  opened(soft: boolean): number {
    return this.#below.open(soft);
  }

  read(_from: number, to: number, final: boolean): void {
    const { base, length, traits } = this.#view;
    this.waiting = Infinity;
    if (this.#last < 0 && !this.#deferred && (traits & this.#escapes.trait) === 0) {
      this.#from = base + (final ? to : Math.max(this.#from - base, to - AHEAD));
      return;
    }
    let at = this.#from - base;
    // What the last bytes begin may be an escape when more have come.
    const until = final ? to : to - AHEAD;
    while (at < until) {
      // Once there is an escape, what follows it need not stand in text.
      const lead = this.#nextLead(at, until, this.#last >= 0 ? null : length);
      if (this.#last >= 0) at = this.#goOn(at, lead, until);
      else if (lead === until) at = until;
      else if (this.#begins(lead)) {
        const start = Math.max(lead - AROUND, this.#view.begin - base, 0, this.#end - base);
        this.#copy(start, lead);
        at = this.#escape(lead);
      } else at = lead + 1;
    }
    this.#deferred = false;
    if (at < to && !final) {
      const lead = this.#nextLead(at, to, null);
      this.#deferred = lead < to;
      if (this.#deferred) this.waiting = base + lead;
    }
    this.#from = base + Math.min(at, to);
    this.#below.flush();
  }

  /** Goes on with a stretch: copies up to the next escape, or to where the stretch is over. */
  #goOn(at: number, lead: number, until: number): number {
    const { base } = this.#view;
    const over = this.#last - base + AROUND;
    if (lead > over || (lead === until && until > over)) {
      const end = Math.max(at, Math.min(over, until));
      this.#copy(at, end);
      this.#last = -1;
      this.#end = base + end;
      this.#below.break();
      return end;
    }
    this.#copy(at, lead);
    if (lead === until) return until;
    return this.#escape(lead);
  }

  #nextLead(at: number, until: number, end: number | null): number {
    return nextWith(this.#view.bytes, this.#view, this.#escapes.trait, at, until, end);
  }

  #begins(at: number): boolean {
    const { bytes, base, begin, length } = this.#view;
    if (!this.#escapes.hides(bytes, at) || this.#escapes.decode(bytes, at, this.#out, 0) === NO_ESCAPE) return false;
    return inText(bytes, at, Math.max(0, begin - base), length);
  }

  /** Decodes the escape at `at`, or copies its first byte where it is none; returns the index behind it. */
  #escape(at: number): number {
    const { bytes, base, context } = this.#view;
    const escape = this.#escapes.decode(bytes, at, this.#out, 0);
    if (escape === NO_ESCAPE) {
      this.#copy(at, at + 1);
      return at + 1;
    }
    const read = readOf(escape);
    const written = writtenOf(escape);
    context.budget.spend(read);
    this.#below.feed(this.#lane, this.#out, 0, written, base + at, read / Math.max(written, 1));
    if (this.#escapes.hides(bytes, at)) this.#last = base + at + read;
    return at + read;
  }

  #copy(from: number, to: number): void {
    const { bytes, base } = this.#view;
    this.#below.feed(this.#lane, bytes, from, to - from, base + from, 1);
  }
}
