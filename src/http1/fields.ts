import { equalsAt, isFieldValue, isToken } from './grammar.ts';

/** Offsets of one field line: name from and to, value from and to; the line begins two characters (CRLF) before its name. */
const STRIDE = 4;

/**
 * Field lines as they came, checked and located but not taken apart: what is passed on is cut out of the head in long
 * slices, and only fields somebody asks for become strings. An object a field cost 7 µs a request.
 */
export class Fields {
  static readonly NONE = new Fields('', []);
  readonly #text: string;
  readonly #at: readonly number[];

  /** `text` is a head whose field lines each follow a CRLF; `at` has four offsets a field. */
  constructor(text: string, at: readonly number[]) {
    this.#text = text;
    this.#at = at;
  }

  /** Number of fields. */
  get size(): number {
    return this.#at.length / STRIDE;
  }

  /** Values of every field of this (lower-case) name. */
  values(lower: string): string[] {
    const found: string[] = [];
    for (let i = 0; i < this.#at.length; i += STRIDE) {
      if (this.#named(i, lower)) found.push(this.#text.slice(this.#at[i + 2], this.#at[i + 3]));
    }
    return found;
  }

  /** The fields that `filter` keeps, as name, value pairs. */
  pairs(filter: FieldFilter): string[] {
    const found: string[] = [];
    for (let i = 0; i < this.#at.length; i += STRIDE) {
      if (filter.drops(this.#text, this.#at[i] as number, this.#at[i + 1] as number)) continue;
      found.push(this.#text.slice(this.#at[i], this.#at[i + 1]), this.#text.slice(this.#at[i + 2], this.#at[i + 3]));
    }
    return found;
  }

  /** The fields that `filter` keeps, as text: each line with the CRLF before it, case and order as they came. */
  text(filter: FieldFilter): string {
    const at = this.#at;
    let kept = '';
    let from = -1;
    for (let i = 0; i < at.length; i += STRIDE) {
      const start = at[i] as number;
      if (filter.drops(this.#text, start, at[i + 1] as number)) {
        if (from !== -1) kept += this.#text.slice(from, start - 2);
        from = -1;
      } else if (from === -1) from = start - 2;
    }
    return from === -1 ? kept : kept + this.#text.slice(from);
  }

  #named(index: number, lower: string): boolean {
    return equalsAt(this.#text, this.#at[index] as number, this.#at[index + 1] as number, lower);
  }
}

/**
 * The fields of a message that the gate writes: those a filter keeps of a message it read, and its own behind them. One
 * form for both protocols: text where lines are written, pairs where they are packed.
 */
export class OutgoingFields {
  readonly #from: Fields;
  readonly #filter: FieldFilter;
  readonly #own: readonly string[];

  /** `own` are name, value pairs. */
  constructor(from: Fields, filter: FieldFilter, own: readonly string[] = NOTHING) {
    this.#from = from;
    this.#filter = filter;
    this.#own = own;
  }

  /** The same but for these (lower-case) names of the message that was read. */
  without(names: readonly string[]): OutgoingFields {
    return new OutgoingFields(this.#from, this.#filter.dropping(names), this.#own);
  }

  /** Lines of HTTP/1, each with the CRLF before it. Throws for a field of the gate's own that would be unsafe to write. */
  text(): string {
    let lines = this.#from.text(this.#filter);
    for (let i = 0; i < this.#own.length; i += 2)
      lines += fieldLine(this.#own[i] as string, this.#own[i + 1] as string);
    return lines;
  }

  /** Name, value pairs as HTTP/2 wants them: names in lower case (RFC 9113 §8.2). */
  pairs(): string[] {
    const pairs = [...this.#from.pairs(this.#filter), ...this.#own];
    for (let i = 0; i < pairs.length; i += 2) pairs[i] = (pairs[i] as string).toLowerCase();
    return pairs;
  }
}

const NOTHING: readonly string[] = [];

/** One field line that the gate itself adds. CR, LF or NUL in it would be a second message: a fault, never sent. */
export function fieldLine(name: string, value: string): string {
  if (!isToken(name) || !isFieldValue(value)) throw new Error(`the gate would write an unsafe header field: ${name}`);
  return `\r\n${name}: ${value}`;
}

/** Longest name a filter may drop. */
const LONGEST_NAME = 64;

/** Says which fields go no further. Names are compared where they stand, after one look at their length. */
export class FieldFilter {
  readonly #byLength: ReadonlyArray<readonly string[]>;

  constructor(names: readonly string[]) {
    this.#byLength = Array.from({ length: LONGEST_NAME + 1 }, (_, length) =>
      [...names].filter((name) => name.length === length),
    );
  }

  /** The same filter, which also drops what a `Connection` field names. */
  naming(connection: readonly string[]): FieldFilter {
    const named = connection.filter((name) => name !== 'close' && name !== 'keep-alive' && !NOT_REMOVABLE.has(name));
    if (named.length === 0) return this;
    return this.dropping(named);
  }

  /** The same filter, which also drops these. */
  dropping(names: readonly string[]): FieldFilter {
    return new FieldFilter([...this.#byLength.flat(), ...names]);
  }

  drops(text: string, start: number, end: number): boolean {
    const length = end - start;
    if (length > LONGEST_NAME) return false;
    const names = this.#byLength[length] as readonly string[];
    for (let i = 0; i < names.length; i++) if (equalsAt(text, start, end, names[i] as string)) return true;
    return false;
  }
}

/** Fields that end at the next hop (RFC 9110 §7.6.1) or that each hop writes anew (framing). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'http2-settings',
  'expect',
];

/** Names `Connection` cannot remove: without them the next hop would read another request (WIRE.md §3). */
const NOT_REMOVABLE = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'via',
  'content-encoding',
  'content-type',
]);

/** Fields of a request that go to the upstream, as rules judge them. */
export const END_TO_END: FieldFilter = new FieldFilter(HOP_BY_HOP);
/** The same but for `Host` and `Via`, which the gate writes. */
export const TO_UPSTREAM: FieldFilter = new FieldFilter([...HOP_BY_HOP, 'host', 'via']);
/**
 * Trailers that are passed on, either way: none that frames, routes, authenticates or says how to read what came before
 * (RFC 9110 §6.5.1), for that has been judged and acted on without them.
 */
export const TRAILERS: FieldFilter = new FieldFilter([
  ...HOP_BY_HOP,
  'host',
  'via',
  'authorization',
  'cookie',
  'set-cookie',
  'content-encoding',
  'content-type',
  'content-range',
  'cache-control',
  'max-forwards',
  'proxy-status',
  'sallyport-reason',
  'sallyport-warning',
]);
/** Fields of an answer that go to the agent; an upstream may not speak in the gate's name. */
export const TO_AGENT: FieldFilter = new FieldFilter([
  ...HOP_BY_HOP,
  'proxy-status',
  'sallyport-reason',
  'sallyport-warning',
]);
