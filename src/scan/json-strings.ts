import { copyBytes } from './bytes.ts';
import { Fragment, LONGEST_BODY, MOST_FRAGMENTS, NO_FRAGMENTS, isPart } from './fragments.ts';
import { SHORTEST } from './joins.ts';
import { PAGE, instantiate, type KernelMemory } from './kernel-module.ts';

/** Strings of a JSON text that may be parts of something larger: values without a space in them, for sentences have spaces. */
export interface JsonParts {
  /** Those that may go on with parts of other requests, each at the place of the name before it. */
  readonly fragments: readonly Fragment[];
  /** The short ones without what stands between them: one after another, then in reverse; null where no secret fits in. */
  readonly joined: Buffer | null;
}

/** Numbers that are noted of a string: its index without its quotes, the index behind it, the hash of the name before it, and its own. */
const PER_STRING = 4;
const FROM = 0;
const TO = 1;
const SLOT = 2;
const HASH = 3;

/** What kernel/pass.ts exports of kernel/strings.ts. */
interface Exports {
  readonly LAYOUT: { readonly value: number };
  readonly REST: { readonly value: number };
  layout(): void;
  strings(to: number, table: number): number;
}

const LINE_FEED = 0x0a;
/** Longer strings hold no part of a secret that was cut up. */
const LONGEST_JOINED = 96;
/** Bytes of what is noted of a string; short strings that are noted, and the shortest of the others. */
const ENTRY = 4 * PER_STRING;
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

  find(body: Buffer): JsonParts {
    const { length } = body;
    const table = (this.#stage + length + SLACK) & -ALIGNED;
    this.#makeRoom(table + ENTRY * (Math.min(length >> 1, MOST_SHORT + Math.ceil(length / LONG)) + 1));
    copyBytes(body, 0, length, this.#bytes, this.#stage);
    const first = table >> 2;
    const end = first + PER_STRING * this.#find(length, table);
    return { fragments: this.#fragments(body, first, end), joined: this.#joined(body, first, end) };
  }

  #fragments(body: Buffer, first: number, end: number): readonly Fragment[] {
    if (body.length > LONGEST_BODY) return NO_FRAGMENTS;
    const numbers = this.#numbers;
    const fragments: Fragment[] = [];
    for (let at = first; at < end && fragments.length < MOST_FRAGMENTS; at += PER_STRING) {
      const [from, to] = [numbers[at + FROM] as number, numbers[at + TO] as number];
      if (!isPart(body, from, to)) continue;
      fragments.push(new Fragment(numbers[at + SLOT] as number, body, from, to, numbers[at + HASH] as number));
    }
    return fragments;
  }

  #joined(body: Buffer, first: number, end: number): Buffer | null {
    let size = 0;
    let count = 0;
    for (let at = first; at < end; at += PER_STRING) {
      const length = this.#lengthAt(at);
      size += length;
      if (length > 0) count++;
    }
    // Less than the shortest secret is no secret cut up.
    if (count < 2 || size < SHORTEST) return null;
    const joined = Buffer.allocUnsafe(2 * size + 1);
    joined[size] = LINE_FEED;
    let put = 0;
    let back = joined.length;
    for (let at = first; at < end; at += PER_STRING) {
      const length = this.#lengthAt(at);
      const from = this.#numbers[at + FROM] as number;
      back -= length;
      for (let index = 0; index < length; index++)
        joined[put + index] = joined[back + index] = body[from + index] as number;
      put += length;
    }
    return joined;
  }

  /** Length of a string that may be joined; 0: it may not. Cutting makes short ones. */
  #lengthAt(at: number): number {
    const length = (this.#numbers[at + TO] as number) - (this.#numbers[at + FROM] as number);
    return length > 1 && length <= LONGEST_JOINED ? length : 0;
  }

  #makeRoom(size: number): void {
    const missing = size - this.#bytes.length;
    if (missing <= 0) return;
    this.#memory.grow(Math.ceil(missing / PAGE));
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#numbers = new Int32Array(this.#memory.buffer);
  }
}

const strings = new Strings();

/** Takes apart a JSON text, or whatever calls itself one. */
export function jsonParts(body: Buffer): JsonParts {
  return strings.find(body);
}
