import { INVISIBLE, UNSEEN_CHARACTERS, Unseen } from './unseen.ts';
import { RAW, hides, isVoid, roleOf, tagAt, type Tag } from './tags.ts';

/** A quotation is no longer than this, in characters; what is, is no quotation. */
const LONGEST_QUOTE = 600;
/** A comment is not waited for longer than this. */
const LONGEST_COMMENT = 64 * 1024;
/** With less than this around it, in characters, nothing is an example in a text: it is the text. */
const AROUND = 20;
/** A line that goes on for longer was wrapped: the next goes on with it. */
const WRAPPED = 50;
/** Characters of a line by whose last word it is told whether it goes on. */
const TAIL = 10;
/** What stands before a colon, up to this many characters, is a label. */
const LABEL = 30;
/** Everything that is only text. */
const PLAIN = new RegExp(
  `[^\\n\\r\\t\\v\\f\\x00-\\x08\\x0e-\\x1f.!?:"“”„«»‘'\`<>*#~|&[\\]{}\\u2028\\u2029\\udb40${UNSEEN_CHARACTERS}]+`,
  'y',
);
/** Marks of chat templates, which tell a model who speaks. */
const ROLE = /<\|[a-z_]{2,24}\|>|\[\/?INST\]|<<\/?SYS>>/y;
const QUOTE_ENTITY = /&(?:quot|ldquo|rdquo|#0*34|#x0*22);/iy;
const SPACE_ENTITY = /&(?:nbsp|ensp|emsp|#0*160|#xa0);/iy;
const NUMBER_ENTITY = /&#(?:(\d{1,7})|[xX]([0-9a-fA-F]{1,6}));/y;
/** No sentence ends with these: the next line goes on with it. */
const GOES_ON =
  /(?:^|[^a-z])(?:a|an|and|are|as|be|by|can|could|for|from|in|is|its|like|may|might|must|not|of|on|or|said|say|says|should|tell|telling|tells|that|the|then|to|told|via|was|will|with|would)$/i;
const CLOSING: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ['“', '”'],
  ['„', '“'],
  ['«', '»'],
  ['‘', '’'],
  ["'", "'"],
  ['`', '`'],
]);

/** Characters of the beginning of a sentence by which it is told whether it is an item of a list. */
const BEGINNING = 8;
/** What begins an item of a list or a comment in code, or brackets a sentence. */
const BULLET = /^(?:[-+(•–·‣◦]+ ?|\/+ |\d{1,2}\) ?)+/;

/** Who is told what a text says. */
export interface Listener {
  /** What whoever reads the text sees. */
  said(text: string): void;
  /** What only machines see: comments, attributes, hidden elements, invisible characters. */
  hidden(text: string): void;
}

/**
 * Tells what a text says: plain text, Markdown or HTML, piece by piece. Each sentence stands on a line of its own, with single
 * spaces, without emphasis, tags and characters nobody sees. Quotations and code are left out, where there is a text around
 * them; nothing that is hidden is a quotation.
 */
export class Prose {
  readonly #listener: Listener;
  /** What cannot be told yet. */
  #carry = '';
  #out = '\n';
  #hiddenOut = '';
  /** Last character that was told, and the last of the line. */
  #last = '\n';
  #tail = '';
  /** Characters told since the last sentence began, and since the passage began. */
  #since = 0;
  #told = 0;
  /** Characters of the line, and whether a line break is to be told as a space or as the end of a sentence. */
  #line = 0;
  #lineBreak = false;
  /** The line is somebody else's. */
  #lineQuoted = false;
  #fence: string | null = null;
  #raw: string | null = null;
  /** Elements within which everything is quoted, or hidden: how many of them are open. */
  #quoted = 0;
  #hiding: { readonly name: string; depth: number } | null = null;
  readonly #unseen = new Unseen((text) => (this.#hiddenOut += text));

  constructor(listener: Listener) {
    this.#listener = listener;
  }

  push(text: string): void {
    this.#read(this.#carry + text, false);
    this.#flush();
  }

  /** The passage is over. */
  break(): void {
    this.#read(this.#carry, true);
    this.#unseen.seen();
    this.#sentence();
    this.#flush();
    this.#told = this.#line = this.#quoted = 0;
    this.#lineBreak = this.#lineQuoted = false;
    this.#fence = this.#raw = this.#hiding = null;
  }

  #flush(): void {
    if (this.#out !== '') this.#listener.said(this.#out);
    if (this.#hiddenOut !== '') this.#listener.hidden(this.#hiddenOut);
    this.#out = this.#hiddenOut = '';
  }

  #read(text: string, final: boolean): void {
    let at = 0;
    while (at < text.length) {
      const next = this.#step(text, at, final);
      if (next < 0) break;
      at = next;
    }
    this.#carry = at === text.length ? '' : text.slice(at);
  }

  /** Reads on at an index; returns the next, or -1 where more of the text must be there. */
  #step(text: string, at: number, final: boolean): number {
    PLAIN.lastIndex = at;
    if (PLAIN.test(text)) {
      if (!final && PLAIN.lastIndex === text.length && text.length - at < BEGINNING && this.#begins) return -1;
      this.#tell(text.slice(at, PLAIN.lastIndex));
      return PLAIN.lastIndex;
    }
    const char = text[at] as string;
    if (this.#raw !== null && char === '<') return this.#inRaw(text, at, final);
    switch (char) {
      case '<':
        return this.#markup(text, at, final);
      case '\n':
      case '\r':
        return this.#newLine(text, at);
      case '.':
      case '!':
      case '?':
      case ':':
        this.#tell(char);
        return at + 1;
      case '&':
        return this.#entity(text, at, final);
      case '\udb40':
        if (at + 1 === text.length && !final) return -1;
        this.#unseen.supplement(text.charCodeAt(at + 1));
        return at + 2;
    }
    if (CLOSING.has(char)) return this.#quotation(text, at, char, final);
    return this.#mark(text, at, char, final);
  }

  /** What comes next begins a sentence, or a line. */
  get #begins(): boolean {
    return this.#last === '\n' || this.#lineBreak;
  }

  /** Marks of Markdown, and characters nobody sees. */
  #mark(text: string, at: number, char: string, final: boolean): number {
    if (char === '[') {
      if (!final && mayBeRole(text, at)) return -1;
      ROLE.lastIndex = at;
      const role = ROLE.exec(text);
      if (role !== null) return this.#role(role[0], at);
    }
    const begins = this.#begins;
    if (char === '>' && begins && this.#line === 0 && this.#told >= AROUND) this.#lineQuoted = true;
    if (char === '~' && begins && text.startsWith('~~~', at)) return this.#openFence('~~~', at);
    if (char === '|') this.#sentence();
    else if (char === '\t' || char === '\v' || char === '\f' || char === '\u2028' || char === '\u2029') this.#tell(' ');
    else if (INVISIBLE.test(char)) this.#unseen.add();
    return at + 1;
  }

  /** Tells text, where it is to be told. */
  #tell(text: string): void {
    if (this.#unseen.any) this.#unseen.seen();
    this.#line += text.length;
    if (this.#fence !== null || this.#lineQuoted || (this.#quoted > 0 && this.#hiding === null)) return;
    let said = text.length > 1 && text.includes('  ') ? text.replaceAll(/ {2,}/g, ' ') : text;
    const spaced = said.charCodeAt(0) === 0x20;
    if (this.#lineBreak) {
      if (said === ' ') return;
      this.#endLine(said[spaced ? 1 : 0] as string);
    }
    if (spaced) {
      if (this.#endsSentence()) this.#sentence();
      if (this.#last === '\n' || this.#last === ' ') said = said.slice(1);
    }
    if (this.#last === '\n' && !isLetter(said)) said = said.replace(BULLET, '');
    if (said === '') return;
    this.#put(said);
    this.#last = said[said.length - 1] as string;
    this.#tail = said.length >= TAIL ? said : this.#tail.slice(-TAIL) + said;
    this.#since += said.length;
    this.#told += said.length;
  }

  #put(text: string): void {
    if (this.#hiding === null) this.#out += text;
    else this.#hiddenOut += text;
  }

  /** A space behind this ends a sentence, or a label. */
  #endsSentence(): boolean {
    const last = this.#last;
    return last === '.' || last === '!' || last === '?' || (last === ':' && this.#since <= LABEL);
  }

  /** What comes next begins a sentence. */
  #sentence(): void {
    if (this.#last === '\n') return;
    this.#put('\n');
    this.#last = '\n';
    this.#since = 0;
  }

  #newLine(text: string, at: number): number {
    const width = text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
    // A blank line ends what went on over lines.
    if (this.#lineBreak && this.#line === 0) this.#sentence();
    else if (this.#line <= WRAPPED && this.#fence === null && this.#line > 0 && !GOES_ON.test(this.#tail.slice(-TAIL)))
      this.#sentence();
    this.#lineBreak = this.#last !== '\n' || this.#lineBreak;
    this.#line = 0;
    this.#lineQuoted = false;
    return at + width;
  }

  /** A line ended before this character: a wrapped one goes on with a small letter. */
  #endLine(next: string): void {
    this.#lineBreak = false;
    if (this.#last === '\n') return;
    if (this.#endsSentence() || !/\p{Ll}/u.test(next)) this.#sentence();
    else if (this.#last !== ' ') {
      this.#put(' ');
      this.#last = ' ';
    }
  }

  #quotation(text: string, at: number, open: string, final: boolean): number {
    const close = CLOSING.get(open) as string;
    if (open === '`' && text.startsWith('```', at)) return this.#openFence('```', at);
    if (this.#fence !== null) return at + 1;
    const isOpening = !/[\p{L}\p{N}]/u.test(this.#last) || this.#lineBreak;
    // Within a word it is an apostrophe.
    if (!isOpening) return this.#closeQuote(at, open);
    const end = closing(text, at + 1, close);
    if (end === -1 && !final && text.length - at < LONGEST_QUOTE) return -1;
    if (end === -1) return this.#boundary(at);
    // What is hidden is no example, nor is all there is.
    if (this.#told < AROUND || this.#hiding !== null || this.#quoted > 0) return this.#openQuote(at, open);
    this.#tell('""');
    return end + close.length;
  }

  /** A mark that closes a quotation which was told, or stands within a word. One behind a sentence is none of it. */
  #closeQuote(at: number, mark: string): number {
    if (!this.#endsSentence()) this.#tell(mark);
    return at + 1;
  }

  #openQuote(at: number, mark: string): number {
    if (this.#last !== '\n' && !this.#lineBreak) this.#tell(mark);
    return at + 1;
  }

  #boundary(at: number): number {
    this.#sentence();
    return at + 1;
  }

  /** Begins or ends a block of code. */
  #openFence(mark: string, at: number): number {
    if (this.#fence === mark) this.#fence = null;
    else if (this.#fence === null && this.#told >= AROUND) this.#fence = mark;
    this.#sentence();
    return at + mark.length;
  }

  #entity(text: string, at: number, final: boolean): number {
    if (!final && at + 10 > text.length && !text.includes(';', at)) return -1;
    SPACE_ENTITY.lastIndex = QUOTE_ENTITY.lastIndex = at;
    if (SPACE_ENTITY.test(text)) {
      this.#tell(' ');
      return SPACE_ENTITY.lastIndex;
    }
    if (!QUOTE_ENTITY.test(text)) return this.#character(text, at);
    const behind = QUOTE_ENTITY.lastIndex;
    const end = text.slice(behind, behind + LONGEST_QUOTE).search(/&(?:quot|rdquo|#0*34|#x0*22);/i);
    if (end === -1 && !final && text.length - at < LONGEST_QUOTE) return -1;
    this.#sentence();
    if (end === -1 || this.#told < AROUND || this.#hiding !== null) return behind;
    return text.indexOf(';', behind + end) + 1;
  }

  /** A character by its number (HTML, "Numeric character reference"), or an ampersand. */
  #character(text: string, at: number): number {
    NUMBER_ENTITY.lastIndex = at;
    const [all = '&', decimal, hex] = NUMBER_ENTITY.exec(text) ?? [];
    const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
    this.#tell(code <= 0x10ffff ? String.fromCodePoint(code) : '&');
    return at + all.length;
  }

  #role(mark: string, at: number): number {
    this.#sentence();
    this.#tell(mark);
    this.#sentence();
    return at + mark.length;
  }

  #markup(text: string, at: number, final: boolean): number {
    const isOpen = !final && text.length - at < LONGEST_COMMENT;
    if (isOpen && (text.length - at < 4 || mayBeRole(text, at))) return -1;
    if (text.startsWith('<!--', at)) {
      const end = text.indexOf('-->', at + 4);
      if (end === -1 && isOpen) return -1;
      this.#unseen.comment(text.slice(at + 4, end === -1 ? undefined : end));
      return end === -1 ? text.length : end + 3;
    }
    ROLE.lastIndex = at;
    const role = ROLE.exec(text);
    if (role !== null) return this.#role(role[0], at);
    const tag = tagAt(text, at);
    if (tag === 'open' && isOpen) return -1;
    if (tag === null || tag === 'open') return this.#boundary(at);
    this.#element(tag);
    return tag.end;
  }

  #element(tag: Tag): void {
    const { name, closes, attributes } = tag;
    const role = roleOf(tag);
    if (attributes.length > 20 || role === 'unknown')
      this.#unseen.comment(`${role === 'unknown' ? name : ''}${attributes}`);
    if (role !== 'inline') this.#sentence();
    const opens = !closes && !isVoid(tag);
    if (this.#hiding?.name === name) {
      this.#hiding.depth += opens ? 1 : closes ? -1 : 0;
      if (this.#hiding.depth === 0) {
        this.#sentence();
        this.#hiding = null;
        this.#last = ' ';
      }
      return;
    }
    if (opens && this.#hiding === null && hides(tag)) {
      this.#hiding = { name, depth: 1 };
      this.#hiddenOut += '\n';
    } else if (role === 'quote') this.#quote(closes);
    if (opens && RAW.has(name)) this.#raw = name;
  }

  #quote(closes: boolean): void {
    if (closes) this.#quoted = Math.max(0, this.#quoted - 1);
    else if (this.#told >= AROUND || this.#quoted > 0) this.#quoted++;
  }

  /** Within a script nothing is a tag but its end. */
  #inRaw(text: string, at: number, final: boolean): number {
    const mark = `</${this.#raw ?? ''}`;
    if (!final && text.length - at < mark.length) return -1;
    if (text.slice(at, at + mark.length).toLowerCase() !== mark) return this.#boundary(at);
    this.#raw = null;
    return this.#markup(text, at, final);
  }
}

/** The beginning of a mark of a chat template, and nothing more yet. */
function mayBeRole(text: string, at: number): boolean {
  return text.length - at < 32 && /^(?:<\|[a-z_]{0,24}\|?|\[\/?I?N?S?T?|<<\/?S?Y?S?>?)$/.test(text.slice(at));
}

function isLetter(text: string): boolean {
  const code = text.charCodeAt(0) | 0x20;
  return code >= 0x61 && code <= 0x7a;
}

/** Where a quotation ends: not behind a blank line, nor too far away; -1: nowhere. */
function closing(text: string, from: number, close: string): number {
  for (
    let end = text.indexOf(close, from);
    end !== -1 && end - from < LONGEST_QUOTE;
    end = text.indexOf(close, end + 1)
  ) {
    // An apostrophe within a word ends nothing.
    if (close === "'" && /[\p{L}\p{N}]/u.test(text[end + 1] ?? ' ')) continue;
    const breaks = text.indexOf('\n', from);
    return breaks !== -1 && breaks < end && /\n\s*\n/.test(text.slice(breaks, end)) ? -1 : end;
  }
  return -1;
}
