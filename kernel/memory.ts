/**
 * What the kernel has in its memory, and where. Everything is put there by src/scan/kernel.ts, from the tables of
 * src/scan/kernel-tables.ts.
 */

/** Of each hash of three bytes (16 bits each): kinds of the fourth byte, and of the fifth above them. */
export const FILTER: i32 = 0;
/** Of each hash: where in the lists the literals are that begin so (32 bits); 0: there are none. */
export const LIST_OF: i32 = FILTER + 2 * 8192;
/** By first byte: the list of literals of one byte or two, and of all literals. */
export const SHORT_OF: i32 = LIST_OF + 4 * 8192;
export const FIRST_OF: i32 = SHORT_OF + 4 * 256;
/** Every byte in lower case. */
export const FOLD: i32 = FIRST_OF + 4 * 256;
/** Kinds of every byte, for runs of characters that may be encoded. */
export const KINDS: i32 = FOLD + 256;
/** A bit for each hash of the first letters of a word: those of the words of phrases. */
export const LIST: i32 = KINDS + 256;
/** Tables of sixteen bytes. */
export const VECTORS: i32 = LIST + 1024;
/** Where everything is whose length differs, in the order of the variables below, and the length of the longest literal. */
export const LAYOUT: i32 = VECTORS + 16 * 16;
/** What a pass leaves: how many hits, how many bytes are pending, all traits. 32 bits each. */
export const RESULT: i32 = LAYOUT + 48;
/** What comes behind has the length it needs. */
export const REST: i32 = RESULT + 16;

/** Lists of literals, each with its length before it; what is known of each literal; their texts. */
export let lists: i32 = 0;
export let literals: i32 = 0;
export let texts: i32 = 0;
/** Bytes that are read, and traits of each eight of them. */
export let stage: i32 = 0;
export let blocks: i32 = 0;
/** Where hits end, and which literals they are. */
export let ends: i32 = 0;
export let names: i32 = 0;
/** Of values that are sought: a bit for the upper half of each hash, and the hashes. */
export let bits: i32 = 0;
export let hashes: i32 = 0;
/** Length of the longest literal. */
export let depth: i32 = 0;

/** Takes up the layout. */
export function layout(): void {
  lists = load<i32>(LAYOUT);
  literals = load<i32>(LAYOUT, 4);
  texts = load<i32>(LAYOUT, 8);
  stage = load<i32>(LAYOUT, 12);
  blocks = load<i32>(LAYOUT, 16);
  ends = load<i32>(LAYOUT, 20);
  names = load<i32>(LAYOUT, 24);
  bits = load<i32>(LAYOUT, 28);
  hashes = load<i32>(LAYOUT, 32);
  depth = load<i32>(LAYOUT, 36);
}

/** Moves the stage: what is behind a place on it is read as if it began there. */
export function moveStage(by: i32): void {
  stage += by;
}

/** A table of sixteen bytes. */
export function vector(index: i32): v128 {
  return v128.load(VECTORS + (index << 4));
}
