import { TRAITS } from './bytes.ts';
import type { Engine } from './engine.ts';
import type { Reader } from './reader.ts';
import type { View } from './view.ts';
import { Below } from './readers/below.ts';
import { DEEPEST } from './scratch.ts';
import { ContainerReader } from './readers/containers.ts';
import { Scanner } from './scanner.ts';
import { Winnower, winnowSeed, type WinnowSeed } from './winnow.ts';

/** The prints of a document, read as what it is, and as what an archive or an office file holds; with its tags and without. */
export function printsOfDocument(bytes: Uint8Array, key: Uint8Array, engine: Engine): Float64Array {
  const seed = winnowSeed(key);
  const prints = new Set<number>();
  const scanner = new Scanner(engine, Buffer.from(key), (view) => collectors(view, seed, prints));
  scanner.wholeBytes(bytes);
  return Float64Array.from(prints);
}

function collectors(view: View, seed: WinnowSeed, prints: Set<number>): readonly Reader[] {
  const collector = new Collector(view, seed, prints);
  if (view.via.length >= DEEPEST) return [collector];
  return [collector, new ContainerReader(view, new Below(view, (below) => collectors(below, seed, prints)))];
}

const LESS = 0x3c;
const MORE = 0x3e;

/** Collects the prints of a view. */
class Collector implements Reader {
  readonly asks = TRAITS.any;
  readonly waiting = Infinity;
  readonly #view: View;
  readonly #raw: Winnower;
  readonly #stripped: Winnower;
  #inTag = false;

  constructor(view: View, seed: WinnowSeed, prints: Set<number>) {
    this.#view = view;
    const collect = (print: number): void => void prints.add(print);
    this.#raw = new Winnower(seed, collect);
    this.#stripped = new Winnower(seed, collect);
  }

  opened(): number {
    return Infinity;
  }

  restart(): void {
    this.#raw.restart();
    this.#stripped.restart();
    this.#inTag = false;
  }

  read(from: number, to: number): void {
    const { bytes } = this.#view;
    this.#raw.push(bytes, from, to);
    for (let at = from; at < to;) {
      const end = bytes.indexOf(this.#inTag ? MORE : LESS, at);
      const stop = end === -1 || end >= to ? to : end + 1;
      if (!this.#inTag) this.#stripped.push(bytes, at, stop);
      if (stop <= to && end !== -1 && end < to) this.#inTag = !this.#inTag;
      at = stop;
    }
  }
}
