import type { Fragment } from './fragments.ts';

/** Places in requests of which is remembered what stood there. */
const SLOTS = 64;
/** Parts that are remembered of one, and characters of each. */
const PARTS = 12;
const LENGTH = 256;
/** What no match goes across. */
const APART = '\n\0\n';

/** Milliseconds for which it is remembered, once nothing is added. */
const WINDOW = 600_000;

/** What was sent at one place in the requests of a session, latest last. */
type Parts = readonly string[];
interface Slot {
  readonly parts: Parts;
  readonly at: number;
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
  readonly #slots = new Map<string, Slot>();

  /** Puts the parts of a request behind and before those of the requests before it. `target`: whom it goes to; `now`: milliseconds. */
  sequel(target: string, fragments: readonly Fragment[], now: number): Sequel {
    const grown = new Map<string, Parts>();
    const texts = new Set<string>();
    const parts: Parts[] = [];
    for (const { slot, text } of fragments) {
      // What goes to one host is followed for itself, and with what goes to others.
      for (const key of [`${target} ${slot}`, slot]) {
        const before = grown.get(key) ?? this.#partsOf(key, now);
        // What is said again and again is no part of anything.
        if (before.includes(text.slice(-LENGTH))) continue;
        grown.set(key, [...before, text.slice(-LENGTH)].slice(-PARTS));
        if (before.length === 0) continue;
        for (const each of [
          [...before, text.slice(0, LENGTH)],
          [text.slice(-LENGTH), ...before.toReversed()],
        ]) {
          const joined = each.join('\u0001');
          if (texts.has(joined)) continue;
          texts.add(joined);
          parts.push(each);
        }
      }
    }
    return sequelOf(parts, () => this.#grow(grown, now));
  }

  #partsOf(key: string, now: number): Parts {
    const slot = this.#slots.get(key);
    return slot === undefined || slot.at < now - WINDOW ? [] : slot.parts;
  }

  #grow(grown: ReadonlyMap<string, Parts>, at: number): void {
    for (const [key, parts] of grown) {
      this.#slots.delete(key);
      this.#slots.set(key, { parts, at });
    }
    for (const key of this.#slots.keys()) {
      if (this.#slots.size <= SLOTS) break;
      this.#slots.delete(key);
    }
  }
}

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
