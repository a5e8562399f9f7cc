import type { Wanted } from './search.ts';

/** Where things stand in a segment: a help for searching, and no evidence. */
export interface SegmentIndex {
  readonly version: 1;
  /** Bytes of the segment that it is about. */
  readonly size: number;
  /** Where each block of whole lines begins. */
  readonly blocks: readonly number[];
  /** The first and last time in each block, in milliseconds. */
  readonly times: ReadonlyArray<readonly [first: number, last: number]>;
  /** Blocks in which a member has a value, as `member=value`: ranges of their numbers, `0-5,9`. */
  readonly terms: Readonly<Record<string, string>>;
  /** Members with too many values to tell by. */
  readonly untold: readonly string[];
  /** The least and the greatest number of the exchanges of a process in each block it has some in, `block:least-greatest,…`. */
  readonly exchanges: Readonly<Record<string, string>>;
}

/** Bytes of a block, about. */
const BLOCK = 64 * 1024;
/** Values of one member in a segment; one that has more is not told by. */
const MOST_VALUES = 20_000;
const LF = 0x0a;
/** Members that are told by, as they stand in a line (RFC 8785). What stands in a text has its quotes escaped, and is none. */
const MEMBERS =
  /"(agent|capability|decision|exchange|findings|host|kind|reason|session|time)":(?:"((?:[^"\\]|\\.)*)"|\[)/g;
/** Of these a wanted one is looked up. */
const TOLD_BY = ['agent', 'capability', 'decision', 'host', 'kind', 'reason', 'session'] as const;

/** Reads a segment once and makes its index. */
export class IndexBuilder {
  readonly #blocks: number[] = [];
  readonly #times: Array<[number, number]> = [];
  readonly #terms = new Map<string, Ranges>();
  readonly #exchanges = new Map<string, Map<number, [number, number]>>();
  readonly #values = new Map<string, number>();
  #rest: Buffer = Buffer.alloc(0);
  #size = 0;

  push(piece: Buffer): void {
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    let at = 0;
    while (bytes.length - at >= BLOCK) {
      const end = bytes.indexOf(LF, at + BLOCK - 1) + 1;
      if (end === 0) break;
      this.#block(bytes.subarray(at, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }

  /** The index of all whole lines that were pushed. */
  end(): SegmentIndex {
    const end = this.#rest.lastIndexOf(LF) + 1;
    if (end > 0) this.#block(this.#rest.subarray(0, end));
    const many = (name: string): boolean => (this.#values.get(name) ?? 0) > MOST_VALUES;
    const terms = [...this.#terms].filter(([term]) => !many(term.slice(0, term.indexOf('='))));
    return {
      version: 1,
      size: this.#size,
      blocks: this.#blocks,
      times: this.#times,
      untold: [...this.#values.keys()].filter(many),
      terms: Object.fromEntries(terms.map(([term, ranges]) => [term, ranges.text])),
      exchanges: Object.fromEntries(
        [...this.#exchanges].map(([name, blocks]) => [
          name,
          [...blocks].map(([block, [least, greatest]]) => `${block}:${least}-${greatest}`).join(','),
        ]),
      ),
    };
  }

  #block(bytes: Buffer): void {
    const block = this.#blocks.length;
    this.#blocks.push(this.#size);
    this.#size += bytes.length;
    const times: [number, number] = [Infinity, -Infinity];
    for (const [, name = '', value = ''] of bytes.toString('utf8').matchAll(MEMBERS)) {
      if (name === 'time') {
        const time = Date.parse(value);
        if (time < times[0]) times[0] = time;
        if (time > times[1]) times[1] = time;
      } else if (name === 'exchange') this.#exchange(value, block);
      else this.#term(name, value, block);
    }
    this.#times.push(times[0] === Infinity ? [0, 0] : times);
  }

  #term(name: string, value: string, block: number): void {
    const term = `${name}=${value}`;
    const known = this.#terms.get(term);
    if (known !== undefined) return known.add(block);
    const count = (this.#values.get(name) ?? 0) + 1;
    this.#values.set(name, count);
    if (count <= MOST_VALUES) this.#terms.set(term, new Ranges(block));
  }

  #exchange(value: string, block: number): void {
    const [name, number] = partsOf(value);
    let blocks = this.#exchanges.get(name);
    if (blocks === undefined) this.#exchanges.set(name, (blocks = new Map<number, [number, number]>()));
    const range = blocks.get(block);
    if (range === undefined) blocks.set(block, [number, number]);
    else if (number < range[0]) range[0] = number;
    else if (number > range[1]) range[1] = number;
  }
}

/** Numbers that only grow, as ranges. */
class Ranges {
  /** Ranges that are over, each with a comma behind it. */
  #over = '';
  #first: number;
  #last: number;

  constructor(first: number) {
    this.#first = this.#last = first;
  }

  add(number: number): void {
    if (number === this.#last) return;
    if (number > this.#last + 1) {
      this.#over = `${this.text},`;
      this.#first = number;
    }
    this.#last = number;
  }

  get text(): string {
    return `${this.#over}${this.#first}${this.#last === this.#first ? '' : `-${this.#last}`}`;
  }
}

/** The name of a process, and the number of one of its exchanges. */
function partsOf(exchange: string): readonly [name: string, number: number] {
  const dash = exchange.lastIndexOf('-');
  const number = /^\d{1,15}$/.test(exchange.slice(dash + 1)) ? Number(exchange.slice(dash + 1)) : 0;
  return dash === -1 ? ['', 0] : [exchange.slice(0, dash), number];
}

/** Where in a segment something may stand that is wanted: from, to. Neighbouring blocks are one. Empty: nowhere. */
export function placesOf(index: SegmentIndex, wanted: Wanted): Array<readonly [from: number, to: number]> {
  const { blocks, times, size } = index;
  const { since = -Infinity, until = Infinity } = wanted;
  let left: ReadonlySet<number> | null = null;
  const only = (some: ReadonlySet<number>): void => {
    left = left === null ? some : new Set([...left].filter((each) => some.has(each)));
  };
  for (const name of TOLD_BY) {
    const value = wanted[name];
    if (value !== undefined && !index.untold.includes(name))
      only(blocksIn(index.terms[`${name}=${escaped(value)}`] ?? ''));
  }
  if (wanted.findings === true) only(blocksIn(index.terms['findings='] ?? ''));
  if (wanted.exchange !== undefined) only(blocksOf(index, wanted.exchange));
  const places: Array<readonly [number, number]> = [];
  for (const [block, from] of blocks.entries()) {
    const [first, last] = times[block] ?? [0, 0];
    if (last < since || first > until || (left !== null && !(left as ReadonlySet<number>).has(block))) continue;
    const to = blocks[block + 1] ?? size;
    const before = places.at(-1);
    if (before?.[1] === from) places[places.length - 1] = [before[0], to];
    else places.push([from, to]);
  }
  return places;
}

function blocksIn(ranges: string): Set<number> {
  const blocks = new Set<number>();
  if (ranges === '') return blocks;
  for (const range of ranges.split(',')) {
    const [first = 0, last = first] = range.split('-').map(Number);
    for (let block = first; block <= last; block++) blocks.add(block);
  }
  return blocks;
}

function blocksOf({ exchanges }: SegmentIndex, exchange: string): Set<number> {
  const [name, number] = partsOf(exchange);
  const blocks = new Set<number>();
  for (const each of (exchanges[name] ?? '').split(',')) {
    const [, block, least, greatest] = /^(\d+):(\d+)-(\d+)$/.exec(each) ?? [];
    if (block !== undefined && number >= Number(least) && number <= Number(greatest)) blocks.add(Number(block));
  }
  return blocks;
}

/** A text as it stands in JSON, without its quotes. */
function escaped(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}
