/** Who reads texts, one passage after another. */
export interface TextReader {
  push(text: string): void;
  /** The passage is over. */
  break(): void;
}

/** JSON in a string of JSON, as arguments of tools are written, is read down to here. */
const DEEPEST = 3;
/** Sentences have no business between the strings of a JSON text; something that calls itself JSON may be one. */
const LONGEST_BETWEEN = 4096;
const SENTENCE = /[A-Za-z]{2,}[^A-Za-z]+[A-Za-z]{2,}/;
/** Strings that say nothing: short ones, and those without a space in them. Bounded, since each takes room on a stack. */
const MUTE = /(?:[\s{}[\],:0-9.eE+-]+|"[\w.:/@~^*=|,+ -]{0,15}"|"[\w.:/@~^*=|,+-]{16,2000}"|true|false|null){1,500}/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: ' ', f: ' ' };
const ESCAPE_OR_END = /["\\]/g;

/**
 * Reads the strings of a JSON text, names and values, piece by piece: each is a passage. Whatever is not JSON is read as the
 * text it is. Strings that hold JSON again are read as such.
 */
export class JsonText implements TextReader {
  readonly #inner: TextReader;
  readonly #depth: number;
  #inString = false;
  /** An escape that is not here whole. */
  #carry = '';
  /** Reads the string that is open; null: nothing but white space came of it. */
  #reader: TextReader | null = null;
  #between = '';

  constructor(inner: TextReader, depth = 1) {
    this.#inner = inner;
    this.#depth = depth;
  }

  push(text: string): void {
    const all = this.#carry + text;
    this.#carry = '';
    let at = 0;
    while (at < all.length) at = this.#inString ? this.#within(all, at) : this.#outside(all, at);
  }

  break(): void {
    if (this.#inString) this.#endString();
    this.#endBetween();
    this.#carry = '';
    this.#inString = false;
  }

  #outside(text: string, at: number): number {
    MUTE.lastIndex = at;
    if (this.#between === '' && MUTE.test(text)) return MUTE.lastIndex;
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    this.#between += text.slice(at, end);
    if (quote === -1 && this.#between.length < LONGEST_BETWEEN) return end;
    this.#endBetween();
    if (quote === -1) return end;
    this.#inString = true;
    return quote + 1;
  }

  #endBetween(): void {
    if (SENTENCE.test(this.#between)) {
      this.#inner.push(this.#between);
      this.#inner.break();
    }
    this.#between = '';
  }

  #within(text: string, at: number): number {
    ESCAPE_OR_END.lastIndex = at;
    const mark = ESCAPE_OR_END.exec(text)?.index ?? text.length;
    if (mark > at) this.#tell(text.slice(at, mark));
    if (mark === text.length) return mark;
    if (text[mark] === '"') {
      this.#endString();
      return mark + 1;
    }
    const escape = text[mark + 1];
    const length = escape === 'u' ? 6 : 2;
    if (mark + length > text.length) {
      this.#carry = text.slice(mark);
      return text.length;
    }
    this.#tell(
      escape === 'u' ? unescaped(text.slice(mark + 2, mark + 6)) : (ESCAPES[escape as string] ?? (escape as string)),
    );
    return mark + length;
  }

  #tell(text: string): void {
    if (this.#reader === null) {
      const begin = /\S/.exec(text)?.[0];
      if (begin === undefined) return;
      const nested = (begin === '{' || begin === '[') && this.#depth < DEEPEST;
      this.#reader = nested ? new JsonText(this.#inner, this.#depth + 1) : this.#inner;
    }
    this.#reader.push(text);
  }

  #endString(): void {
    this.#reader?.break();
    this.#reader = null;
    this.#inString = false;
  }
}

function unescaped(digits: string): string {
  return /^[0-9a-fA-F]{4}$/.test(digits) ? String.fromCharCode(Number.parseInt(digits, 16)) : digits;
}
