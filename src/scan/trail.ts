import { APART, copyBytes } from './bytes.ts';
import type { Fragment } from './fragments.ts';
import { LENGTH, Row } from './row.ts';

/** Places in requests of which is remembered what stood there, and hosts that are told apart at each. */
const PLACES = 32;
const TARGETS = 4;
/** Milliseconds for which it is remembered, once nothing is added. */
const WINDOW = 600_000;

/** What was sent at one place, to all hosts together and, once there are several, to each of them. */
class Place {
  readonly all = new Row();
  /** Hosts it was sent to, hashed; of one alone, `all` says everything. */
  readonly own = new Map<number, Row>();
  at = 0;

  /** What was sent to one host; `all` where that is the same. */
  of(target: number): Row {
    if (this.own.size === 0 || (this.own.size === 1 && this.own.has(target))) return this.all;
    return this.own.get(target) ?? EMPTY;
  }

  add(target: number, ofAll: readonly Fragment[], ofTarget: readonly Fragment[], now: number): void {
    this.at = now;
    // One host alone, once more.
    if (this.own.size === 1 && this.own.has(target)) {
      this.all.addAll(ofAll);
      return;
    }
    let own = this.own.get(target);
    if (own === undefined) {
      // What was sent so far went to one host alone.
      const [first] = this.own.keys();
      if (this.own.size === 1 && first !== undefined) this.own.set(first, this.all.copy());
      own = new Row();
    }
    // The latest stands last: the host that was not heard of for the longest is forgotten.
    this.own.delete(target);
    this.own.set(target, own);
    if (this.own.size > TARGETS) this.own.delete(this.own.keys().next().value as number);
    this.all.addAll(ofAll);
    if (this.own.size > 1) own.addAll(ofTarget);
  }
}

const EMPTY = new Row();

/** What a request adds at one place: to what went to all hosts, and to what went to its own. */
class Growth {
  readonly slot: number;
  readonly place: Place | null;
  readonly all: Row;
  readonly own: Row;
  readonly ofAll: Fragment[] = [];
  readonly ofTarget: Fragment[] = [];

  constructor(slot: number, place: Place | null, target: number) {
    this.slot = slot;
    this.place = place;
    this.all = place?.all ?? EMPTY;
    this.own = place?.of(target) ?? EMPTY;
  }

  /** What goes to one host alone is the same either way. */
  get isSame(): boolean {
    return this.own === this.all;
  }

  get any(): boolean {
    return this.ofAll.length > 0 || this.ofTarget.length > 0;
  }

  follow(fragment: Fragment): void {
    if (!this.all.has(fragment)) addOnce(fragment, this.ofAll);
    if (!this.isSame && !this.own.has(fragment)) addOnce(fragment, this.ofTarget);
  }
}

/** What a request would make of what was sent before it, until something else is kept. */
export interface Sequel {
  /** Bytes that are to be scanned; 0: nothing goes on with anything. */
  readonly size: number;
  /** Writes them; returns the index behind them. */
  write(target: Uint8Array, at: number): number;
  /** Whether what was found in them is made of several parts: what stands in one was found before. */
  spans(offset: number, length: number): boolean;
  /** The request leaves. */
  keep(): void;
}

/**
 * Parts of what a session has sent, by where they stood: a secret that is cut up over several requests is found by the part
 * that completes it, in whichever order they come, to one host or to several.
 */
export class Trail {
  readonly #places = new Map<number, Place>();

  /**
   * Puts the parts of a request behind and before those of the requests before it. `target`: whom it goes to, hashed; `now`:
   * milliseconds.
   */
  sequel(target: number, fragments: readonly Fragment[], now: number): Sequel {
    const growths: Growth[] = [];
    let last: Growth | null = null;
    for (const fragment of fragments) {
      // What stands behind one another mostly stands at the same place.
      if (last === null || last.slot !== fragment.slot) last = this.#growthAt(fragment.slot, target, now, growths);
      last.follow(fragment);
    }
    const grown = growths.filter(({ any }) => any);
    return grown.length === 0 ? NOTHING : new Grown(grown, () => this.#grow(target, grown, now));
  }

  #growthAt(slot: number, target: number, now: number, growths: Growth[]): Growth {
    for (const growth of growths) if (growth.slot === slot) return growth;
    const growth = new Growth(slot, this.#placeAt(slot, now), target);
    growths.push(growth);
    return growth;
  }

  #placeAt(slot: number, now: number): Place | null {
    const place = this.#places.get(slot);
    return place === undefined || place.at < now - WINDOW ? null : place;
  }

  #grow(target: number, growths: readonly Growth[], now: number): void {
    for (const { slot, place, ofAll, ofTarget } of growths) {
      const kept = place ?? new Place();
      if (place === null) this.#places.set(slot, kept);
      kept.add(target, ofAll, ofTarget, now);
    }
    while (this.#places.size > PLACES) this.#forgetOldest();
  }

  #forgetOldest(): void {
    let oldest: number | undefined;
    let at = Infinity;
    for (const [slot, place] of this.#places)
      if (place.at < at) {
        oldest = slot;
        at = place.at;
      }
    if (oldest !== undefined) this.#places.delete(oldest);
  }
}

function addOnce(fragment: Fragment, added: Fragment[]): void {
  for (const each of added) if (each.hash === fragment.hash && each.equals(fragment)) return;
  added.push(fragment);
}

const NOTHING: Sequel = { size: 0, write: (_, at) => at, spans: () => false, keep: () => undefined };

/** What a request makes of what was sent before, at all of its places. */
class Grown implements Sequel {
  readonly size: number;
  readonly keep: () => void;
  readonly #growths: readonly Growth[];

  constructor(growths: readonly Growth[], keep: () => void) {
    this.#growths = growths;
    this.keep = keep;
    let size = 0;
    for (const { all, own, ofAll, ofTarget, isSame } of growths)
      size += sizeOf(all, ofAll) + (isSame ? 0 : sizeOf(own, ofTarget));
    this.size = size;
  }

  write(target: Uint8Array, at: number): number {
    return this.#write(target, at, null);
  }

  spans(offset: number, length: number): boolean {
    const ends: number[] = [];
    this.#write(new Uint8Array(this.size), 0, ends);
    const end = ends.find((each) => each > offset);
    return end !== undefined && offset + length > end;
  }

  #write(target: Uint8Array, begin: number, ends: number[] | null): number {
    let at = begin;
    for (const { all, own, ofAll, ofTarget, isSame } of this.#growths) {
      at = writeRows(all, ofAll, target, at, ends);
      if (!isSame) at = writeRows(own, ofTarget, target, at, ends);
    }
    return at;
  }
}

function goesOn(row: Row, added: readonly Fragment[]): boolean {
  return added.length > 0 && row.count + added.length > 1;
}

/** Bytes that are written of a row and what is added to it. */
function sizeOf(row: Row, added: readonly Fragment[]): number {
  if (!goesOn(row, added)) return 0;
  let size = 2 * (row.size + APART.length);
  for (const { length } of added) size += length <= LENGTH ? 2 * length : 3 * LENGTH + APART.length;
  return size;
}

/** Writes all of a place in a row, and in reverse, and notes where its parts end. Of what is long, its beginning goes on with what was before it, and its end with what comes behind. */
function writeRows(
  row: Row,
  added: readonly Fragment[],
  bytes: Uint8Array,
  begin: number,
  ends: number[] | null,
): number {
  if (!goesOn(row, added)) return begin;
  let at = row.write(bytes, begin, ends);
  for (const fragment of added) {
    at = put(fragment, 0, Math.min(fragment.length, LENGTH), bytes, at);
    ends?.push(at);
    if (fragment.length <= LENGTH) continue;
    at = setApart(bytes, at);
    at = put(fragment, fragment.length - LENGTH, fragment.length, bytes, at);
    ends?.push(at);
  }
  at = setApart(bytes, at);
  for (let index = added.length - 1; index >= 0; index--) {
    const fragment = added[index] as Fragment;
    at = put(fragment, Math.max(0, fragment.length - LENGTH), fragment.length, bytes, at);
    ends?.push(at);
  }
  at = row.writeBack(bytes, at, ends);
  return setApart(bytes, at);
}

function put(fragment: Fragment, from: number, to: number, bytes: Uint8Array, at: number): number {
  fragment.copy(from, to, bytes, at);
  return at + to - from;
}

function setApart(bytes: Uint8Array, at: number): number {
  copyBytes(APART, 0, APART.length, bytes, at);
  return at + APART.length;
}
