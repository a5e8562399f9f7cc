import { PAGE, instantiate, type KernelMemory } from './kernel-module.ts';

/**
 * Strings of a JSON text that may be parts of something larger: values without a space in them. A part of a secret has no spaces
 * in it; sentences have. Four numbers for each: its index without its quotes, the index behind it, the hash of the name before it
 * (`MEMBER`), and its own (`hashOf` in fragments.ts).
 */
export interface JsonValues {
  readonly places: readonly number[];
  readonly count: number;
}

/** Numbers of each string, and which is which. */
export const PER_VALUE = 4;
export const FROM = 0;
export const TO = 1;
export const SLOT = 2;
export const HASH = 3;

/** What kernel/pass.ts exports of kernel/strings.ts. */
interface Exports {
  readonly LAYOUT: { readonly value: number };
  readonly REST: { readonly value: number };
  layout(): void;
  strings(to: number, table: number): number;
}

/** Bytes of what is noted of a string; short strings that are noted, and the shortest of the others. */
const ENTRY = 4 * PER_VALUE;
const MOST_SHORT = 16 * 1024;
const LONG = 97;
const SLACK = 64;
const ALIGNED = 16;
/** Pages there are at first, and at most. */
const FEWEST_PAGES = 3;
const MOST_PAGES = 32_768;
/** Places of the layout; the fourth is where what is read stands. */
const LAYOUT = 8;
const STAGE = 3;

/** The kernel, with a memory that grows as bodies do. */
class Strings {
  readonly #memory: KernelMemory;
  readonly #find: Exports['strings'];
  readonly #stage: number;
  #bytes: Uint8Array;
  #numbers: Int32Array;

  constructor() {
    const { memory, exports } = instantiate<Exports>(FEWEST_PAGES, MOST_PAGES);
    this.#memory = memory;
    this.#find = exports.strings;
    this.#stage = exports.REST.value;
    new Int32Array(memory.buffer, exports.LAYOUT.value, LAYOUT)[STAGE] = this.#stage;
    exports.layout();
    this.#bytes = new Uint8Array(memory.buffer);
    this.#numbers = new Int32Array(memory.buffer);
  }

  find(body: Uint8Array): JsonValues {
    const { length } = body;
    const table = (this.#stage + length + SLACK) & -ALIGNED;
    this.#makeRoom(table + ENTRY * (Math.min(length >> 1, MOST_SHORT + Math.ceil(length / LONG)) + 1));
    this.#bytes.set(body, this.#stage);
    const count = this.#find(length, table);
    const places: number[] = [];
    const first = table >> 2;
    for (let at = first; at < first + PER_VALUE * count; at++) places.push(this.#numbers[at] as number);
    return { places, count };
  }

  #makeRoom(size: number): void {
    const { buffer } = this.#memory;
    if (size <= buffer.byteLength) return;
    this.#memory.grow(Math.ceil((size - buffer.byteLength) / PAGE));
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#numbers = new Int32Array(this.#memory.buffer);
  }
}

const strings = new Strings();

/** Finds the strings of a JSON text, or of whatever calls itself one. */
export function valuesIn(body: Uint8Array): JsonValues {
  return strings.find(body);
}
