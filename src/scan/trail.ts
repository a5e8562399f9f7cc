import type { Fragment } from './fragments.ts';

/** Places in requests of which is remembered what stood there, and hosts that are told apart at each. */
const PLACES = 64;
const TARGETS = 16;
/** Parts that are remembered of one, and characters of each. */
const PARTS = 12;
const LENGTH = 128;
/** What no match goes across, and nobody takes for a letter of UTF-16. */
const APART = '\n\x01\n';
/** Longer texts are written by native code, which costs a call. */
const SHORT = 24;

/** Milliseconds for which it is remembered, once nothing is added. */
const WINDOW = 600_000;

type Parts = readonly string[];

/** What was sent at one place in the requests of a session, latest last. */
class Row {
  readonly parts: string[] = [];
  readonly hashes: number[] = [];

  /** What is said again and again is no part of anything. */
  has(fragment: Fragment): boolean {
    const same = this.hashes.indexOf(fragment.hash);
    return same !== -1 && fragment.endsAs(this.parts[same] as string);
  }

  add(fragment: Fragment): void {
    this.parts.push(lastOf(fragment));
    this.hashes.push(fragment.hash);
    if (this.parts.length <= PARTS) return;
    this.parts.shift();
    this.hashes.shift();
  }
}

/** The same for all hosts together and, once there are several, for each of them. */
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
    let own = this.own.get(target);
    if (own === undefined) {
      // What was sent so far went to one host alone.
      const [first] = this.own.keys();
      if (this.own.size === 1 && first !== undefined) this.own.set(first, copyOf(this.all));
      this.own.set(target, (own = new Row()));
      if (this.own.size > TARGETS) this.own.delete(this.own.keys().next().value as number);
    }
    for (const fragment of ofAll) this.all.add(fragment);
    if (this.own.size > 1) for (const fragment of ofTarget) own.add(fragment);
  }
}

const EMPTY = new Row();

function copyOf({ parts, hashes }: Row): Row {
  const copy = new Row();
  copy.parts.push(...parts);
  copy.hashes.push(...hashes);
  return copy;
}

/** What a request adds at one place: to what went to all hosts, and to what went to its own. */
interface Growth {
  readonly slot: number;
  readonly place: Place | null;
  readonly own: Row;
  readonly ofAll: Fragment[];
  readonly ofTarget: Fragment[];
}

/** What a request would make of what was sent before it. */
export interface Sequel {
  /** What is to be scanned; null: nothing goes on with anything. */
  readonly bytes: Buffer | null;
  /** Whether what was found there is made of several parts: what stands in one was found before. */
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
    for (const fragment of fragments) this.#follow(target, fragment, now, growths);
    const rows: Parts[] = [];
    let grows = false;
    for (const { place, own, ofAll, ofTarget } of growths) {
      if (ofAll.length === 0 && ofTarget.length === 0) continue;
      grows = true;
      const all = place?.all ?? EMPTY;
      addRows(all, ofAll, rows);
      // What went to one host alone is the same either way.
      if (own !== all) addRows(own, ofTarget, rows);
    }
    return grows ? sequelOf(rows, () => this.#grow(target, growths, now)) : NOTHING;
  }

  #follow(target: number, fragment: Fragment, now: number, growths: Growth[]): void {
    const { slot } = fragment;
    let growth = growths.find((each) => each.slot === slot);
    if (growth === undefined) {
      const place = this.#placeAt(slot, now);
      growth = { slot, place, own: place?.of(target) ?? EMPTY, ofAll: [], ofTarget: [] };
      growths.push(growth);
    }
    const { place, own, ofAll, ofTarget } = growth;
    if (place === null || !place.all.has(fragment)) addOnce(fragment, ofAll);
    if (!own.has(fragment)) addOnce(fragment, ofTarget);
  }

  #placeAt(slot: number, now: number): Place | null {
    const place = this.#places.get(slot);
    return place === undefined || place.at < now - WINDOW ? null : place;
  }

  #grow(target: number, growths: readonly Growth[], now: number): void {
    for (const { slot, place, ofAll, ofTarget } of growths) {
      if (ofAll.length === 0 && ofTarget.length === 0) continue;
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
  for (const each of added) if (each.hash === fragment.hash && each.text === fragment.text) return;
  added.push(fragment);
}

function lastOf({ text }: Fragment): string {
  return text.length <= LENGTH ? text : text.slice(-LENGTH);
}

/** Adds what a request makes of one place: all of it in a row, and in reverse. Of what is long, its beginning goes on with what was before it. */
function addRows({ parts }: Row, added: readonly Fragment[], rows: Parts[]): void {
  if (added.length === 0 || parts.length + added.length < 2) return;
  let row = [...parts];
  for (const { text } of added) {
    row.push(text.length <= LENGTH ? text : text.slice(0, LENGTH));
    if (text.length <= LENGTH) continue;
    if (row.length > 1) rows.push(row);
    row = [text.slice(-LENGTH)];
  }
  if (row.length > 1) rows.push(row);
  rows.push([...parts, ...added.map(lastOf)].reverse());
}

const NOTHING: Sequel = { bytes: null, spans: () => false, keep: () => undefined };

function sequelOf(rows: readonly Parts[], keep: () => void): Sequel {
  return {
    bytes: rows.length === 0 ? null : bytesOf(rows),
    spans: (offset, length) => {
      let at = 0;
      for (const row of rows) {
        for (const part of row) {
          at += part.length;
          if (at > offset) return offset + length > at;
        }
        at += APART.length;
      }
      return false;
    },
    keep,
  };
}

/** All rows, their parts one behind the other, set apart. */
function bytesOf(rows: readonly Parts[]): Buffer {
  let size = -APART.length;
  for (const row of rows) for (const part of row) size += part.length;
  const bytes = Buffer.allocUnsafe(size + rows.length * APART.length);
  let at = 0;
  for (const [index, row] of rows.entries()) {
    if (index > 0) at = put(APART, bytes, at);
    for (const part of row) at = put(part, bytes, at);
  }
  return bytes;
}

function put(text: string, bytes: Buffer, at: number): number {
  if (text.length > SHORT) return at + bytes.write(text, at, 'latin1');
  for (let index = 0; index < text.length; index++) bytes[at + index] = text.charCodeAt(index);
  return at + text.length;
}
