import type { Fragment } from './fragments.ts';

/** Places in requests of which is remembered what stood there. */
const SLOTS = 64;
/** Parts that are remembered of one, and characters of each. */
const PARTS = 12;
const LENGTH = 128;
/** What no match goes across. */
const APART = '\n\0\n';

/** Milliseconds for which it is remembered, once nothing is added. */
const WINDOW = 600_000;

/** What was sent at one place in the requests of a session, latest last. */
interface Slot {
  readonly parts: Parts;
  readonly hashes: readonly number[];
  readonly at: number;
}
type Parts = readonly string[];
/** What stood at one place, and what a request adds to it. */
interface Growth {
  readonly before: Slot;
  readonly added: Fragment[];
}
const NO_SLOT: Slot = { parts: [], hashes: [], at: -Infinity };

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
  readonly #slots = new Map<number, Slot>();

  /**
   * Puts the parts of a request behind and before those of the requests before it. `target`: whom it goes to, hashed; `now`:
   * milliseconds.
   */
  sequel(target: number, fragments: readonly Fragment[], now: number): Sequel {
    const growths = new Map<number, Growth>();
    for (const fragment of fragments) {
      // What goes to one host is followed for itself, and with what goes to others.
      this.#follow(Math.imul(fragment.slot ^ target, 0x0100_0193), fragment, now, growths);
      this.#follow(fragment.slot, fragment, now, growths);
    }
    const grown = [...growths].filter(([, { added }]) => added.length > 0);
    if (grown.length === 0) return NOTHING;
    const parts: Parts[] = [];
    for (const [, growth] of grown) addParts(growth, parts);
    return sequelOf(parts, () => this.#grow(grown, now));
  }

  #follow(key: number, fragment: Fragment, now: number, growths: Map<number, Growth>): void {
    let growth = growths.get(key);
    if (growth === undefined) growths.set(key, (growth = { before: this.#slotAt(key, now), added: [] }));
    const { before, added } = growth;
    // What is said again and again is no part of anything.
    const same = before.hashes.indexOf(fragment.hash);
    if (same !== -1 && fragment.endsAs(before.parts[same] as string)) return;
    if (!added.some((each) => each.hash === fragment.hash && each.text === fragment.text)) added.push(fragment);
  }

  #slotAt(key: number, now: number): Slot {
    const slot = this.#slots.get(key);
    return slot === undefined || slot.at < now - WINDOW ? NO_SLOT : slot;
  }

  #grow(grown: ReadonlyArray<readonly [number, Growth]>, now: number): void {
    for (const [key, { before, added }] of grown) {
      this.#slots.delete(key);
      this.#slots.set(key, {
        parts: [...before.parts, ...added.map(lastOf)].slice(-PARTS),
        hashes: [...before.hashes, ...added.map(({ hash }) => hash)].slice(-PARTS),
        at: now,
      });
    }
    for (const key of this.#slots.keys()) {
      if (this.#slots.size <= SLOTS) break;
      this.#slots.delete(key);
    }
  }
}

function lastOf({ text }: Fragment): string {
  return text.slice(-LENGTH);
}

/** Adds what a request makes of one place: all of it in a row, and in reverse. Of what is long, its beginning goes on with what was before it. */
function addParts({ before, added }: Growth, all: Parts[]): void {
  if (before.parts.length + added.length < 2) return;
  let row: string[] = [...before.parts];
  for (const { text } of added) {
    row.push(text.slice(0, LENGTH));
    if (text.length <= LENGTH) continue;
    add(row, all);
    row = [text.slice(-LENGTH)];
  }
  add(row, all);
  add([...before.parts, ...added.map(lastOf)].reverse(), all);
}

/** One that went to one host alone is the same either way. */
function add(row: Parts, all: Parts[]): void {
  const same = (each: Parts): boolean => each.length === row.length && each.every((part, index) => part === row[index]);
  if (row.length > 1 && !all.some(same)) all.push(row);
}

const NOTHING: Sequel = { bytes: null, spans: () => false, keep: () => undefined };

function sequelOf(parts: readonly Parts[], keep: () => void): Sequel {
  if (parts.length === 0) return { bytes: null, spans: () => false, keep };
  const ends: number[] = [];
  let at = 0;
  for (const each of parts) {
    for (const part of each) ends.push((at += part.length));
    at += APART.length;
  }
  return {
    bytes: Buffer.from(parts.map((each) => each.join('')).join(APART), 'latin1'),
    spans: (offset, length) => {
      const end = ends.find((each) => each > offset);
      return end !== undefined && offset + length > end;
    },
    keep,
  };
}
