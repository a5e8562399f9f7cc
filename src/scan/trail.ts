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
    const grown = new Map<number, Slot>();
    const parts: Parts[] = [];
    for (const fragment of fragments) {
      // What goes to one host is followed for itself, and with what goes to others.
      this.#follow(Math.imul(fragment.slot ^ target, 0x0100_0193), fragment, now, grown, parts);
      this.#follow(fragment.slot, fragment, now, grown, parts);
    }
    if (grown.size === 0) return NOTHING;
    return sequelOf(parts, () => this.#grow(grown));
  }

  #follow(key: number, fragment: Fragment, now: number, grown: Map<number, Slot>, parts: Parts[]): void {
    const before = grown.get(key) ?? this.#slotAt(key, now);
    // What is said again and again is no part of anything.
    const same = before.hashes.indexOf(fragment.hash);
    if (same !== -1 && fragment.endsAs(before.parts[same] as string)) return;
    const { text } = fragment;
    const last = text.slice(-LENGTH);
    grown.set(key, {
      parts: [...before.parts, last].slice(-PARTS),
      hashes: [...before.hashes, fragment.hash].slice(-PARTS),
      at: now,
    });
    if (before.parts.length === 0) return;
    const forward = [...before.parts, text.slice(0, LENGTH)];
    // What went to one host alone is the same either way.
    if (parts.some((each) => each.length === forward.length && each.every((part, index) => part === forward[index])))
      return;
    parts.push(forward, [last, ...before.parts.toReversed()]);
  }

  #slotAt(key: number, now: number): Slot {
    const slot = this.#slots.get(key);
    return slot === undefined || slot.at < now - WINDOW ? NO_SLOT : slot;
  }

  #grow(grown: ReadonlyMap<number, Slot>): void {
    for (const [key, slot] of grown) {
      this.#slots.delete(key);
      this.#slots.set(key, slot);
    }
    for (const key of this.#slots.keys()) {
      if (this.#slots.size <= SLOTS) break;
      this.#slots.delete(key);
    }
  }
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
