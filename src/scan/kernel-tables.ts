import { TRAITS, isOfRun, traitsOf } from './bytes.ts';

/** A text to look for: Latin-1, lower-case where it has letters. Never empty. */
export interface Literal {
  readonly text: string;
  /** Bytes that may stand behind it, each 1; what is followed by another is no hit. */
  readonly next: Uint8Array;
}

/** What the kernel reads (kernel/pass.ts says how). */
export interface Tables {
  /** By hash of three bytes: kinds of the fourth and, above them, of the fifth. */
  readonly filter: Uint16Array;
  /** By hash, and by first byte, of short ones and of all: where in `lists` the literals stand that begin so; 0: nowhere. */
  readonly listOf: Int32Array;
  readonly shortOf: Int32Array;
  readonly firstOf: Int32Array;
  /** Lists of literals, each with its length before it, the longest literal first; of each its number and its head. */
  readonly lists: Int32Array;
  /** What is known of each literal. */
  readonly literals: Uint8Array;
  /** Their texts, one behind the other. */
  readonly texts: Uint8Array;
  /** Every byte in lower case. */
  readonly fold: Uint8Array;
  /** Tables of sixteen bytes. */
  readonly vectors: Uint8Array;
  /** Length of the longest literal, and most of them that begin at one place. */
  readonly depth: number;
  readonly nested: number;
}

/** Hashes there are of three bytes. */
const HASHES = 8192;
/** Literals that are shorter are told by two bytes and the one behind them, in groups. */
const LONG = 3;
const GROUPS = 8;
/** Bytes of what is known of one literal, and where in it the bits are of what may follow. */
const RECORD = 40;
const NEXT = 8;
/** Bytes of a literal that are compared at once. */
const HEAD = 4;
/** Case of a letter. */
const CASE = 0x20;

/** Places of tables among the vectors. */
const KIND = 0;
const SHORT = 1;
const ROW = 7;
const SINGLE = 8;
const RUN = 10;
const WORD = 11;
const CODE = 12;
const LETTER = 13;
const VECTORS = 14;
/** Traits of single characters. */
const SINGLES = 0xff;

const BYTES = Array.from({ length: 256 }, (_, byte) => byte);
const ALL = Uint8Array.from(BYTES);

/** The tables by which some literals are found, and traits are told. */
export function tablesOf(literals: readonly Literal[]): Tables {
  const texts = literals.map(({ text }) => Buffer.from(text, 'latin1'));
  const all = new Set(literals.map(({ text }) => text));
  const lists: number[] = [0];
  const listOf = new Int32Array(HASHES);
  const shortOf = new Int32Array(256);
  const firstOf = new Int32Array(256);
  const list = (ids: readonly number[]): number => {
    const at = lists.length;
    const sorted = [...ids].sort((a, b) => lengthOf(literals, b) - lengthOf(literals, a));
    lists.push(ids.length, ...sorted.flatMap((id) => [id, ...headOf(texts[id] as Buffer)]));
    return at;
  };
  const ids = [...literals.keys()];
  const long = ids.filter((id) => lengthOf(literals, id) >= LONG);
  for (const [hash, same] of grouped(long, (id) => hashOf(texts[id] as Buffer))) listOf[hash] = list(same);
  const firstIs = (id: number): number => (texts[id] as Buffer)[0] as number;
  for (const [first, same] of grouped(ids, firstIs)) {
    const short = same.filter((id) => lengthOf(literals, id) < LONG);
    const lead = { all: list(same), short: short.length === 0 ? 0 : list(short) };
    for (const byte of bothCases(first)) {
      firstOf[byte] = lead.all;
      shortOf[byte] = lead.short;
    }
  }
  return {
    filter: filterOf(literals),
    listOf,
    shortOf,
    firstOf,
    lists: Int32Array.from(lists),
    literals: recordsOf(literals, texts),
    texts: Buffer.concat(texts),
    fold: ALL.map(lower),
    vectors: vectorsOf(literals),
    depth: texts.reduce((most, { length }) => Math.max(most, length), 1),
    nested: literals.reduce((most, { text }) => Math.max(most, prefixesOf(text, all)), 1),
  };
}

/** The hash of the first three of some bytes in lower case, as the kernel makes it. */
function hashOf(bytes: Uint8Array): number {
  const [first, second, third] = [0, 1, 2].map((at) => (bytes[at] as number) | CASE) as [number, number, number];
  return (((first | (second << 8)) * 0x9e37 + (second | (third << 8)) * 0x4f1b) & 0xffff) >>> 3;
}

/** The kind of a byte, as one of eight bits: letters have the same in both cases. */
function kindOf(byte: number): number {
  return 1 << (byte & 7);
}

function filterOf(literals: readonly Literal[]): Uint16Array {
  const filter = new Uint16Array(HASHES);
  for (const literal of literals) {
    if (literal.text.length < LONG) continue;
    const hash = hashOf(Buffer.from(literal.text, 'latin1'));
    const kinds = (at: number): number => bytesAt(literal, at).reduce((bits, byte) => bits | kindOf(byte), 0);
    filter[hash] = (filter[hash] as number) | kinds(LONG) | (kinds(LONG + 1) << 8);
  }
  return filter;
}

/** Bytes that may stand at an index from the start of a literal on. */
function bytesAt({ text, next }: Literal, index: number): readonly number[] {
  if (index < text.length) return [text.charCodeAt(index)];
  return index > text.length ? BYTES : BYTES.filter((byte) => next[byte] === 1);
}

/** The first bytes of a literal, the case of letters among them, and bits of those that count. */
function headOf(text: Buffer): readonly [number, number, number] {
  const [head, cases, bits] = [Buffer.alloc(HEAD), Buffer.alloc(HEAD), Buffer.alloc(HEAD)];
  for (const [index, byte] of text.subarray(0, HEAD).entries()) {
    head[index] = byte;
    cases[index] = isLetter(byte) ? CASE : 0;
    bits[index] = 0xff;
  }
  return [head.readInt32LE(), cases.readInt32LE(), bits.readInt32LE()];
}

/** Of each: where its text is, its length, and what may follow. */
function recordsOf(literals: readonly Literal[], texts: readonly Buffer[]): Uint8Array {
  const records = Buffer.alloc(literals.length * RECORD);
  let from = 0;
  for (const [id, { next }] of literals.entries()) {
    const { length } = texts[id] as Buffer;
    const at = id * RECORD;
    records.writeInt32LE(from, at);
    records.writeInt32LE(length, at + 4);
    for (const byte of BYTES) if (next[byte] === 1) mark(records, at + NEXT + (byte >> 3), 1 << (byte & 7));
    from += length;
  }
  return records;
}

/** Tables that are looked up by half a byte, sixteen places at once. */
function vectorsOf(literals: readonly Literal[]): Uint8Array {
  const vectors = new Uint8Array(VECTORS * 16);
  const note = (table: number, half: number, bits: number): void => mark(vectors, 16 * table + half, bits);
  for (let half = 0; half < 16; half++) note(KIND, half, kindOf(half));
  const short = literals.filter(({ text }) => text.length < LONG);
  for (const [index, group] of groupsOf(short).entries())
    for (const literal of group)
      for (const at of [0, 1, 2])
        for (const byte of bytesAt(literal, at).flatMap(bothCases)) {
          note(SHORT + 2 * at, byte & 15, 1 << (index % GROUPS));
          note(SHORT + 2 * at + 1, byte >> 4, 1 << (index % GROUPS));
        }
  for (let row = 0; row < 8; row++) note(ROW, row, 1 << row);
  for (const byte of BYTES) {
    note(SINGLE, byte & 15, traitsOf(byte) & SINGLES);
    note(SINGLE + 1, byte >> 4, traitsOf(byte) & SINGLES);
    const isIn = (set: number, is: boolean): void => note(set, byte & 15, is && byte < 0x80 ? 1 << (byte >> 4) : 0);
    isIn(RUN, isOfRun(byte));
    isIn(WORD, (traitsOf(byte) & TRAITS.notWord) === 0);
    isIn(LETTER, isLetter(byte));
    isIn(CODE, (traitsOf(byte) & TRAITS.notCode) === 0);
  }
  return vectors;
}

/**
 * Groups of short literals, by their first byte. Where there are more of those than groups, such as differ in their lower half
 * alone share one: any two others would let through bytes that are half of one and half of the other.
 */
function groupsOf(short: readonly Literal[]): ReadonlyArray<readonly Literal[]> {
  const firstOf = ({ text }: Literal): number => text.charCodeAt(0);
  const groups = [...grouped(short, firstOf).values()];
  for (const many of grouped(short, (literal) => firstOf(literal) >> 4).values()) {
    if (groups.length <= GROUPS) break;
    groups.splice(0, groups.length, ...groups.filter(([first]) => !many.includes(first as Literal)), many);
  }
  return groups;
}

function grouped<T>(all: readonly T[], keyOf: (each: T) => number): ReadonlyMap<number, readonly T[]> {
  const groups = new Map<number, T[]>();
  for (const each of all) {
    const group = groups.get(keyOf(each));
    if (group === undefined) groups.set(keyOf(each), [each]);
    else group.push(each);
  }
  return groups;
}

function mark(bytes: Uint8Array, at: number, bits: number): void {
  bytes[at] = (bytes[at] as number) | bits;
}

function lengthOf(literals: readonly Literal[], id: number): number {
  return (literals[id] as Literal).text.length;
}

/** How many literals a text begins with, itself among them. */
function prefixesOf(text: string, all: ReadonlySet<string>): number {
  let count = 0;
  for (let length = 1; length <= text.length; length++) if (all.has(text.slice(0, length))) count++;
  return count;
}

function isLetter(byte: number): boolean {
  return (byte | CASE) >= 0x61 && (byte | CASE) <= 0x7a;
}

function lower(byte: number): number {
  return isLetter(byte) ? byte | CASE : byte;
}

function bothCases(byte: number): readonly number[] {
  return isLetter(byte) ? [byte | CASE, byte & ~CASE] : [byte];
}
