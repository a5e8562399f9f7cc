import { BLOCK, blockOf, copyBytes } from './bytes.ts';
import { PAGE, instantiate } from './kernel-module.ts';
import type { Tables } from './kernel-tables.ts';
import { PHRASE_WORDS } from './phrase-words.ts';
import type { Registered } from './registered.ts';
import { KINDS } from './run-kinds.ts';

/** What kernel/pass.ts exports: places in its memory, and its functions. */
interface Exports {
  readonly FILTER: { readonly value: number };
  readonly LIST_OF: { readonly value: number };
  readonly SHORT_OF: { readonly value: number };
  readonly FIRST_OF: { readonly value: number };
  readonly FOLD: { readonly value: number };
  readonly LIST: { readonly value: number };
  readonly KINDS: { readonly value: number };
  readonly VECTORS: { readonly value: number };
  readonly LAYOUT: { readonly value: number };
  readonly RESULT: { readonly value: number };
  readonly REST: { readonly value: number };
  layout(): void;
  pass(begin: number, from: number, to: number, base: number, final: number): void;
  whole(to: number, runs: number): void;
  seek(any: number, low: number, high: number): void;
  tells(to: number): number;
  tellsBase64(to: number): number;
}

/** What the kernel writes behind the end, and may look at. */
const SLACK = 32;
const ALIGNED = 16;
/** Bytes before the first whose traits go on in it. */
const BEFORE = 16;
/** Most bytes that are looked at closely, and what the kernel needs behind them for what it decodes. */
export const WHOLE = 4096;
const ROOM = 8 * WHOLE;
/** Bytes of the tables of values that are sought. */
const BITS = 8192;
const HASHES = 65_536;
/** Fewer blocks are copied one by one. */
const FEW = 64;

/** What is read at a time: [from, to), with `pending` bytes before it that may begin a literal. `final`: no more bytes follow. */
export interface Span {
  readonly from: number;
  readonly to: number;
  readonly pending: number;
  readonly final: boolean;
}

/**
 * The inner loop of the scanner (kernel/pass.ts) with its memory: the tables it reads, the stage on which it is given bytes, and
 * the hits and traits that it leaves. What it left is there until it is run again.
 */
export class Kernel {
  /** Where literals end, and which they are: as many as `count` says. */
  readonly ends: Int32Array;
  readonly literals: Int32Array;
  count = 0;
  /** Traits of all that was read, and of blocks together. */
  traits = 0;
  /** Index of the first byte on the stage. */
  #base = 0;
  readonly #stage: Uint8Array;
  readonly #blocks: Uint16Array;
  readonly #result: Int32Array;
  readonly #pass: Exports['pass'];
  readonly #whole: Exports['whole'];
  readonly #seek: Exports['seek'];
  readonly #bits: Uint8Array;
  readonly #hashes: Int32Array;
  /** Values that are sought, and whether there is room for them. */
  #sought: Registered | null = null;
  #hasRoom = true;
  readonly #tells: Exports['tells'];
  readonly #tellsBase64: Exports['tellsBase64'];

  /** `most`: bytes that are read at once. */
  constructor(tables: Tables, most: number) {
    const hits = (most + tables.depth) * tables.nested;
    const stage = Math.max(most + tables.depth + BLOCK + BEFORE + 2 * SLACK, ROOM);
    const { lists, literals, texts } = tables;
    const sizes = [
      lists.byteLength,
      literals.length,
      texts.length,
      stage,
      stage / 4 + SLACK,
      4 * hits,
      4 * hits,
      BITS,
      HASHES,
    ];
    // The tables before these take no more than a page.
    const pages = 1 + Math.ceil(sizes.reduce((sum, size) => sum + size + ALIGNED, 0) / PAGE);
    const { buffer, exports, places } = placed(pages, sizes);
    const [atLists, atLiterals, atTexts, atStage, atBlocks, atEnds, atNames, atBits, atHashes] = places;
    const put = (table: Uint8Array | Uint16Array | Int32Array, at: number): void =>
      new Uint8Array(buffer).set(new Uint8Array(table.buffer, table.byteOffset, table.byteLength), at);
    put(tables.filter, exports.FILTER.value);
    put(tables.listOf, exports.LIST_OF.value);
    put(tables.shortOf, exports.SHORT_OF.value);
    put(tables.firstOf, exports.FIRST_OF.value);
    put(tables.fold, exports.FOLD.value);
    put(KINDS, exports.KINDS.value);
    put(PHRASE_WORDS, exports.LIST.value);
    put(tables.vectors, exports.VECTORS.value);
    put(lists, atLists);
    put(literals, atLiterals);
    put(texts, atTexts);
    put(Int32Array.from([...places, tables.depth]), exports.LAYOUT.value);
    exports.layout();
    this.#stage = new Uint8Array(buffer, atStage, stage);
    this.#blocks = new Uint16Array(buffer, atBlocks, Math.ceil(stage / BLOCK));
    this.#result = new Int32Array(buffer, exports.RESULT.value, 3);
    this.ends = new Int32Array(buffer, atEnds, hits);
    this.literals = new Int32Array(buffer, atNames, hits);
    this.#pass = exports.pass;
    this.#whole = exports.whole;
    this.#seek = exports.seek;
    this.#bits = new Uint8Array(buffer, atBits, BITS);
    this.#hashes = new Int32Array(buffer, atHashes, HASHES / 4);
    this.#tells = exports.tells;
    this.#tellsBase64 = exports.tellsBase64;
  }

  /** Reads some bytes; returns how many of the last of them may begin a literal that is not there whole. */
  run(bytes: Uint8Array, { from, to, pending, final }: Span): number {
    const begin = from - pending;
    // With the blocks before the first: what ends in it may begin there.
    const base = Math.max(0, Math.min(begin, from - BEFORE)) & -BLOCK;
    this.#base = base;
    copyBytes(bytes, base, to, this.#stage, 0);
    this.#pass(begin - base, from - base, to - base, base, final ? 1 : 0);
    this.count = this.#result[0] as number;
    this.traits = this.#result[2] as number;
    return this.#result[1] as number;
  }

  /** Has values of somebody's own looked for, from now on and in place of others. False: there are too many, and none is. */
  seek(registered: Registered): boolean {
    if (registered === this.#sought) return this.#hasRoom;
    const windows = registered.windows();
    this.#sought = registered;
    this.#hasRoom = windows !== null;
    if (windows !== null) {
      this.#bits.set(windows.bits);
      this.#hashes.set(windows.hashes);
    }
    this.#seek(windows !== null && registered.size > 0 ? 1 : 0, windows?.low ?? 0, windows?.high ?? 0);
    return this.#hasRoom;
  }

  /**
   * Reads bytes, no more than `WHOLE`, that are all there is, and looks closer at their traits: what is left of them is worth a
   * reader. `runs`: also at those that may be encoded; not so where they may hold more than literals and text.
   */
  whole(bytes: Uint8Array, runs: boolean): void {
    this.#base = 0;
    copyBytes(bytes, 0, bytes.length, this.#stage, 0);
    this.#whole(bytes.length, runs ? 1 : 0);
    this.count = this.#result[0] as number;
    this.traits = this.#result[2] as number;
  }

  /** Whether there is a literal in the first `size` bytes, a part of a value that is sought, or text (kernel/text.ts): without any, nothing is found in them. */
  tells(bytes: Uint8Array, size: number): boolean {
    copyBytes(bytes, 0, size, this.#stage, 0);
    return this.#tells(size) !== 0;
  }

  /** The same for what characters [from, to), no more than 256 of them, decode to as Base64, at any alignment. */
  tellsBase64(chars: Uint8Array, from: number, to: number): boolean {
    copyBytes(chars, from, to, this.#stage, 0);
    return this.#tellsBase64(to - from) !== 0;
  }

  /** Copies the traits of the blocks of [from, to) that were read last, the first of them whole. */
  copyBlocks(from: number, to: number, blocks: Uint16Array): void {
    const base = blockOf(this.#base);
    const first = blockOf(from);
    const end = blockOf(to - 1) + 1;
    if (end - first > FEW) blocks.set(this.#blocks.subarray(first - base, end - base), first);
    else for (let block = first; block < end; block++) blocks[block] = this.#blocks[block - base] as number;
  }
}

/** An instance with a memory of its own, and places in it for parts of these sizes. */
function placed(
  pages: number,
  sizes: readonly number[],
): { readonly buffer: ArrayBuffer; readonly exports: Exports; readonly places: Places } {
  const { memory, exports } = instantiate<Exports>(pages);
  let next = exports.REST.value;
  const places = sizes.map((size) => {
    const place = next;
    next = (next + size + ALIGNED - 1) & -ALIGNED;
    return place;
  });
  return { buffer: memory.buffer, exports, places: places as unknown as Places };
}

type Places = readonly [number, number, number, number, number, number, number, number, number];
