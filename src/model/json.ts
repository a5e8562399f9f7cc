/** A JSON value as the rules see it: numbers keep their text, so that none is rounded; members keep their names, so that none is lost. */
export type Json = string | boolean | null | JsonNumber | readonly Json[] | JsonObject;
export type JsonObject = ReadonlyMap<string, Json>;

/** A number as it was written. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Text that is not JSON, or JSON that two parsers may read as two things. */
export class JsonError extends Error {
  override name = 'JsonError';
}

/** Deeper than any API nests, shallower than what fills a stack. */
const MAX_DEPTH = 64;
/** More values than an inspected body of ordinary use holds. */
const MAX_VALUES = 200_000;

/** Reads UTF-8 strictly, then JSON. Throws JsonError. */
export function parseJsonBytes(bytes: Uint8Array): Json {
  let text: string;
  try {
    text = DECODER.decode(bytes);
  } catch {
    throw new JsonError('the bytes are not UTF-8');
  }
  return parseJson(text);
}

// A byte order mark is kept, and refused: some parsers skip it, and some do not (RFC 8259 §8.1).
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads JSON (RFC 8259) with nothing left open: duplicate names, lone surrogates, too many or too deep values are errors,
 * for parsers differ on what they mean. Throws JsonError, whose message names no content.
 */
export function parseJson(text: string): Json {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const TO_UNDO = /[\\\x00-\x1f]/;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

class Reader {
  readonly #text: string;
  #at = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Json {
    if (depth > MAX_DEPTH) throw new JsonError('it nests too deep');
    if (++this.#values > MAX_VALUES) throw new JsonError('it has too many values');
    this.#space();
    const code = this.#text.charCodeAt(this.#at);
    switch (code) {
      case QUOTE:
        return this.#string();
      case 0x7b: // {
        return this.#object(depth);
      case 0x5b: // [
        return this.#array(depth);
      case 0x74: // t
        return this.#word('true', true);
      case 0x66: // f
        return this.#word('false', false);
      case 0x6e: // n
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) throw new JsonError('something follows the value');
  }

  #object(depth: number): JsonObject {
    const members = new Map<string, Json>();
    this.#at++;
    this.#space();
    if (this.#takes(0x7d)) return members;
    for (;;) {
      this.#space();
      if (this.#text.charCodeAt(this.#at) !== QUOTE) throw new JsonError('a member has no name');
      const name = this.#string();
      if (members.has(name)) throw new JsonError('a name stands twice in an object');
      this.#space();
      if (!this.#takes(0x3a)) throw new JsonError('a member has no colon');
      members.set(name, this.value(depth + 1));
      this.#space();
      if (this.#takes(0x2c)) continue;
      if (this.#takes(0x7d)) return members;
      throw new JsonError('an object is not closed');
    }
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    this.#at++;
    this.#space();
    if (this.#takes(0x5d)) return items;
    for (;;) {
      items.push(this.value(depth + 1));
      this.#space();
      if (this.#takes(0x2c)) continue;
      if (this.#takes(0x5d)) return items;
      throw new JsonError('an array is not closed');
    }
  }

  #string(): string {
    const text = this.#text;
    const start = this.#at + 1;
    const end = text.indexOf('"', start);
    if (end === -1) throw new JsonError('a string is not closed');
    const plain = text.slice(start, end);
    // Most strings hold nothing to undo, and the engine looks faster than a loop does.
    if (!TO_UNDO.test(plain)) {
      this.#at = end + 1;
      return plain;
    }
    return this.#escaped(start);
  }

  #escaped(start: number): string {
    const text = this.#text;
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return unescaped(text.slice(start - 1, at + 1));
      }
      if (code === BACKSLASH) at++;
      else if (code < 0x20) throw new JsonError('a string holds a control character');
    }
    throw new JsonError('a string is not closed');
  }

  #number(): JsonNumber {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) throw new JsonError('it is not JSON');
    this.#at += match[0].length;
    return new JsonNumber(match[0]);
  }

  #word<T extends boolean | null>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw new JsonError('it is not JSON');
    this.#at += word.length;
    return value;
  }

  #takes(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }
}

function unescaped(quoted: string): string {
  let value: string;
  try {
    value = JSON.parse(quoted) as string;
  } catch {
    throw new JsonError('a string holds an escape that is none');
  }
  if (/\p{Surrogate}/u.test(value)) throw new JsonError('a string holds half a character');
  return value;
}

/** The value as text again, each number as it was written. */
export function writeJson(value: Json): string {
  if (value instanceof JsonNumber) return value.text;
  if (isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (isObject(value))
    return `{${[...value].map(([name, each]) => `${JSON.stringify(name)}:${writeJson(each)}`).join(',')}}`;
  return JSON.stringify(value);
}

export function isObject(value: Json | undefined): value is JsonObject {
  return value instanceof Map;
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}
