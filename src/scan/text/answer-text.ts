import type { Finding } from '../../model/finding.ts';
import type { Scanner } from '../scanner.ts';
import { AnswerStrings, type Form, type StringsListener } from './answer-strings.ts';
import { looksLikeText } from './looks-like-text.ts';
import { JsonText, type TextReader } from './json-text.ts';
import { Prose } from './prose.ts';
import type { Screen } from './screen.ts';

/** Texts that grow over events, each with a scanner of its own; what is more shares the last. */
const CHANNELS = 8;
/** Bytes of which it is told together whether they look like text. */
const SLICE = 4096;
/** No instruction is shorter than this, in bytes. */
const SHORTEST = 16;
const NOTHING: readonly TextFinding[] = [];

/** What was found in what an answer says. */
export interface TextFinding extends Finding {
  /** People who read the answer do not see it. */
  readonly hidden: boolean;
  /** What it says, where excerpts are kept. */
  readonly excerpt: string | null;
}

/** Characters of a text that are kept for excerpts. */
const KEPT = 16 * 1024;

/** Scanners for what is said, and where they go when the answer is over. */
export interface ScannerSource {
  /** Tells texts in which they would find nothing; null: none is told. */
  readonly screen: Screen | null;
  take(): Scanner;
  give(scanner: Scanner): void;
}

/** Reads what an answer says as it comes, and scans that. */
export class AnswerText implements StringsListener {
  readonly #form: Form;
  readonly #source: ScannerSource;
  readonly #excerpts: boolean;
  readonly #strings: AnswerStrings;
  readonly #channels = new Map<string, Channel>();
  #reader: TextReader | null = null;
  /** What came first, while it is too little to say anything. */
  #first: Buffer | null = Buffer.alloc(0);
  #isBinary = false;

  /** `excerpts`: what is found is told in its own words, for whoever looks into an answer. Nothing of that goes on record. */
  constructor(form: Form, source: ScannerSource, excerpts = false) {
    this.#form = form;
    this.#source = source;
    this.#excerpts = excerpts;
    this.#strings = new AnswerStrings(form, this);
  }

  /** Reads the next bytes, their content codings undone. Throws EventTooLong and BudgetExceeded. */
  push(bytes: Uint8Array): readonly TextFinding[] {
    if (this.#form === 'unsure') return this.#pushUnsure(bytes);
    this.#push(bytes);
    return this.#take();
  }

  /** What does not look like text is left out, and ends what stood before it. */
  #pushUnsure(bytes: Uint8Array): readonly TextFinding[] {
    for (let at = 0; at < bytes.length; at += SLICE) {
      const slice = bytes.subarray(at, at + SLICE);
      const wasBinary = this.#isBinary;
      this.#isBinary = !looksLikeText(slice);
      if (!this.#isBinary) this.#push(slice);
      else if (!wasBinary) this.#endPassage();
    }
    return this.#channels.size === 0 ? NOTHING : this.#take();
  }

  #endPassage(): void {
    this.#reader?.break();
    this.#reader = null;
  }

  #push(bytes: Uint8Array): void {
    if (this.#first !== null) {
      this.#first = this.#first.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#first, bytes]);
      if (this.#first.length < SHORTEST) return;
      this.#strings.push(this.#first);
      this.#first = null;
    } else this.#strings.push(bytes);
  }

  /** One message of a conversation, whole: JSON or text. */
  message(text: string): readonly TextFinding[] {
    this.#strings.message(text);
    return this.#take();
  }

  /** The answer is over. */
  end(): readonly TextFinding[] {
    if (this.#first !== null && this.#channels.size === 0) return NOTHING;
    this.#strings.end();
    this.#reader?.break();
    const found = [...this.#channels.values()].flatMap((channel) => channel.end());
    this.#channels.clear();
    return found;
  }

  /** Nothing of what came last can be read. */
  get isBinary(): boolean {
    return this.#isBinary;
  }

  /** A match is under way. */
  get open(): boolean {
    for (const channel of this.#channels.values()) if (channel.open) return true;
    return false;
  }

  text(text: string): void {
    if (this.#reader === null) {
      if (text.trim() === '') return;
      // Whatever it calls itself: it is what it looks like.
      const looksLikeJson = /^[\s\ufeff\ufffd]*(?:\{|\[\s*[[{"\d\]])/.test(text);
      this.#reader = looksLikeJson || this.#form === 'json' ? new JsonText(this.#main.prose) : this.#main.prose;
    }
    this.#reader.push(text);
  }

  grow(name: string, asJson: boolean, text: string): void {
    const channel = this.#channel(name);
    const reader = channel === this.#main ? channel.prose : channel.readerOf(asJson);
    reader.push(text);
  }

  whole(text: string): void {
    const { prose } = this.#main;
    const reader = /^\s*[[{]/.test(text) ? new JsonText(prose) : prose;
    reader.push(text);
    reader.break();
  }

  #take(): readonly TextFinding[] {
    if (this.#channels.size === 1) return this.#main.take();
    return [...this.#channels.values()].flatMap((channel) => channel.take());
  }

  get #main(): Channel {
    return this.#channel('');
  }

  #channel(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel !== undefined) return channel;
    if (name !== '' && this.#channels.size >= CHANNELS) return this.#main;
    channel = new Channel(this.#source, this.#excerpts);
    this.#channels.set(name, channel);
    return channel;
  }
}

/** One text, and the scanners that read what it says and what it hides. */
class Channel {
  readonly prose: Prose;
  readonly #said: Voice;
  readonly #hidden: Voice;
  #json: JsonText | null = null;

  constructor(source: ScannerSource, excerpts: boolean) {
    this.#said = new Voice(source, false, excerpts);
    this.#hidden = new Voice(source, true, excerpts);
    this.prose = new Prose({
      said: (text) => this.#said.push(text),
      hidden: (text) => this.#hidden.push(text),
    });
  }

  readerOf(asJson: boolean): TextReader {
    return asJson ? (this.#json ??= new JsonText(this.prose)) : this.prose;
  }

  get open(): boolean {
    return this.#said.open || this.#hidden.open;
  }

  take(): readonly TextFinding[] {
    const said = this.#said.take();
    const hidden = this.#hidden.take();
    return hidden.length === 0 ? said : [...said, ...hidden];
  }

  end(): readonly TextFinding[] {
    this.#json?.break();
    this.prose.break();
    this.#said.end();
    this.#hidden.end();
    return this.take();
  }
}

/** What one text says, or what it hides, and the scanner that reads it. */
class Voice {
  readonly #source: ScannerSource;
  readonly #hidden: boolean;
  readonly #excerpts: boolean;
  #scanner: Scanner | null = null;
  #found: TextFinding[] = [];
  #kept = Buffer.alloc(0);
  #end = 0;

  constructor(source: ScannerSource, hidden: boolean, excerpts: boolean) {
    this.#source = source;
    this.#hidden = hidden;
    this.#excerpts = excerpts;
  }

  get open(): boolean {
    return this.#scanner?.open === true;
  }

  push(text: string): void {
    const bytes = Buffer.from(text);
    if (this.#excerpts) {
      this.#kept = Buffer.concat([this.#kept, bytes]).subarray(-KEPT);
      this.#end += bytes.length;
    }
    this.#scanner ??= this.#source.take();
    this.#note(this.#scanner.push(bytes));
  }

  take(): readonly TextFinding[] {
    const found = this.#found;
    if (found.length > 0) this.#found = [];
    return found;
  }

  end(): void {
    if (this.#scanner === null) return;
    this.#note(this.#scanner.end());
    this.#source.give(this.#scanner);
    this.#scanner = null;
  }

  #note(findings: readonly Finding[]): void {
    for (const each of findings)
      this.#found.push({ ...each, hidden: this.#hidden, excerpt: this.#excerpts ? this.#excerptOf(each) : null });
  }

  #excerptOf({ offset, length }: Finding): string {
    const from = Math.max(0, offset - (this.#end - this.#kept.length));
    return this.#kept.toString('utf8', from, from + length).trim();
  }
}
