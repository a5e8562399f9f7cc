import type { Finding } from '../../model/finding.ts';
import type { Scanner } from '../scanner.ts';
import { EventStream, type StreamEvent } from '../event-stream.ts';
import { JsonText, type TextReader } from './json-text.ts';
import { Prose } from './prose.ts';

/** How a text is to be read. `events`: server-sent events; `lines`: a JSON text on each line. */
export type Form = 'text' | 'json' | 'events' | 'lines';

/** Characters of one event or line. */
const LONGEST = 8 * 1024 * 1024;
/** Texts that grow over events, each with a scanner of its own; what is more shares the last. */
const CHANNELS = 8;
/** Members that models let grow over events. */
const GROWING =
  /\/(?:delta|content|text|partial_json|arguments|thinking|reasoning|reasoning_content|transcript|response)$/;
/** Of those, which grow as JSON. */
const GROWS_AS_JSON = /\/(?:partial_json|arguments)$/;

const FORMS: ReadonlyArray<readonly [RegExp, Form]> = [
  [/^text\/event-stream$/, 'events'],
  [/^application\/(?:x-)?(?:ndjson|jsonl|json-seq|jsonlines)$/, 'lines'],
  [/[/+]json$/, 'json'],
  [
    /^text\/|[/+]xml$|^application\/(?:xhtml|javascript|ecmascript|x-javascript|x-yaml|yaml|toml|markdown|rtf|sql|graphql|x-sh)/,
    'text',
  ],
];

/** How an answer of this media type is read; null: it is no text. An answer that does not say what it is may be one. */
export function formOf(essence: string | null): Form | null {
  if (essence === null) return 'text';
  return FORMS.find(([pattern]) => pattern.test(essence))?.[1] ?? null;
}

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
  take(): Scanner;
  give(scanner: Scanner): void;
}

/** Reads what an answer says as it comes, and scans that. */
export class AnswerText {
  readonly #form: Form;
  readonly #excerpts: boolean;
  readonly #source: ScannerSource;
  readonly #decoder = new TextDecoder('utf-8');
  readonly #events = new EventStream(LONGEST);
  readonly #channels = new Map<string, Channel>();
  #line = '';
  #reader: TextReader | null = null;

  /** `excerpts`: what is found is told in its own words, for whoever looks into an answer. Nothing of that goes on record. */
  constructor(form: Form, source: ScannerSource, excerpts = false) {
    this.#excerpts = excerpts;
    this.#form = form;
    this.#source = source;
  }

  /** Reads the next bytes, their content codings undone. Throws EventTooLong and BudgetExceeded. */
  push(bytes: Uint8Array): readonly TextFinding[] {
    if (this.#form === 'events') for (const event of this.#events.push(bytes)) this.#readEvent(event);
    else this.#readText(this.#decoder.decode(bytes, { stream: true }));
    return this.#take();
  }

  /** One message of a conversation, whole: JSON or text. */
  message(text: string): readonly TextFinding[] {
    this.#readMessage(text);
    return this.#take();
  }

  /** The answer is over. */
  end(): readonly TextFinding[] {
    if (this.#form === 'events') for (const event of this.#events.push(Buffer.from('\n\n'))) this.#readEvent(event);
    else this.#readText(this.#decoder.decode());
    if (this.#line !== '') this.#readMessage(this.#line);
    this.#reader?.break();
    const found = [...this.#channels.values()].flatMap((channel) => channel.end());
    this.#channels.clear();
    return found;
  }

  /** A match is under way. */
  get open(): boolean {
    for (const channel of this.#channels.values()) if (channel.open) return true;
    return false;
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
    const shares = name !== '' && this.#channels.size >= CHANNELS;
    if (shares) return this.#main;
    channel = new Channel(this.#source, this.#excerpts);
    this.#channels.set(name, channel);
    return channel;
  }

  #readText(text: string): void {
    if (this.#form === 'lines') {
      const lines = (this.#line + text).split('\n');
      this.#line = lines.pop() as string;
      for (const line of lines) this.#readMessage(line);
      // A line without an end is text.
      if (this.#line.length <= LONGEST) return;
      this.#readMessage(this.#line);
      this.#line = '';
      return;
    }
    if (this.#reader === null) {
      if (text.trim() === '') return;
      // Whatever it calls itself: it is what it looks like.
      const looksLikeJson = /^[\s\ufeff]*(?:\{|\[\s*[[{"\d\]])/.test(text);
      this.#reader = looksLikeJson || this.#form === 'json' ? new JsonText(this.#main.prose) : this.#main.prose;
    }
    this.#reader.push(text);
  }

  #readEvent({ data, lines }: StreamEvent): void {
    if (data !== null) this.#readMessage(data);
    for (const line of lines) {
      if (/^(?:data|id|retry)(?::|$)/.test(line) || line.length < 16) continue;
      this.#main.prose.push(line);
      this.#main.prose.break();
    }
  }

  /** One event or line: strings that grow over several are read as one text each. */
  #readMessage(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      message = text;
    }
    const growing = isDelta(message);
    const tell: Teller = (path, index, string) => {
      if (growing && GROWING.test(path)) this.#grow(`${path} ${index}`, GROWS_AS_JSON.test(path), string);
      else this.#whole(string);
    };
    if (!walk(message, { path: '', index: '', depth: 0 }, tell)) this.#whole(text);
  }

  #grow(name: string, asJson: boolean, text: string): void {
    const channel = this.#channel(name);
    const reader = channel === this.#main ? channel.prose : channel.readerOf(asJson);
    reader.push(text);
  }

  #whole(text: string): void {
    const { prose } = this.#main;
    const reader = /^\s*[[{]/.test(text) ? new JsonText(prose) : prose;
    reader.push(text);
    reader.break();
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

/** Whether an event says that its texts go on in the next. */
function isDelta(message: unknown): boolean {
  if (typeof message !== 'object' || message === null) return false;
  const { type, choices, candidates, done } = message as Record<string, unknown>;
  return (
    (typeof type === 'string' && type.includes('delta')) ||
    choices !== undefined ||
    candidates !== undefined ||
    done === false
  );
}

type Teller = (path: string, index: string, text: string) => void;

/** Nested deeper than this, nothing grows. */
const DEEPEST = 64;

interface Place {
  readonly path: string;
  /** The indices that are said beside it: of the block, call or choice it belongs to. */
  readonly index: string;
  readonly depth: number;
}

/** Hands on every string with its place; false: some are nested too deep. */
function walk(value: unknown, { path, index, depth }: Place, tell: Teller): boolean {
  if (typeof value === 'string') tell(path, index, value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth === DEEPEST) return false;
  const members = Object.entries(value);
  const numbers = members.filter(([name, each]) => typeof each === 'number' && /(?:^|_)index$/.test(name));
  const own = numbers.reduce((said, [, each]) => `${said} ${String(each)}`, index);
  return members.every(([name, each]) => {
    // Names are short, but for those that are there to be read.
    if (name.length > 24) tell(`${path}/`, own, name);
    return walk(each, { path: `${path}/${name}`, index: own, depth: depth + 1 }, tell);
  });
}
