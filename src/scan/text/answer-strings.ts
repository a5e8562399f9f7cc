import { isAscii } from 'node:buffer';
import { TextDecoder } from 'node:util';
import { EventStream, type StreamEvent } from '../event-stream.ts';

/** How an answer is to be read. `events`: server-sent events; `lines`: a JSON text on each line; `unsure`: text, where it looks like it. */
export type Form = 'text' | 'json' | 'events' | 'lines' | 'unsure';

/** Characters of one event or line. */
const LONGEST = 8 * 1024 * 1024;
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

/** How an answer of this media type is read. Whoever reads it need not mind what it calls itself. */
export function formOf(essence: string | null): Form {
  if (essence === null) return 'text';
  return FORMS.find(([pattern]) => pattern.test(essence))?.[1] ?? 'unsure';
}

/** Charsets that TextDecoder knows and that do not write ASCII as it is; UTF-16 does, but for NULs. */
const OTHERWISE: ReadonlySet<string> = new Set(['iso-2022-jp']);

/** Whether text in this charset can be read: whatever writes ASCII as it is, and UTF-16. `charset`: in lower case; null: none is named. */
export function readsCharset(charset: string | null): boolean {
  if (charset === null || charset === 'utf-8') return true;
  const encoding = encodingOf(charset) ?? encodingOf(charset.replaceAll(/[-_]/g, ''));
  return encoding !== null && !OTHERWISE.has(encoding);
}

function encodingOf(label: string): string | null {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return null;
  }
}

/** Who is told what stands in an answer. */
export interface StringsListener {
  /** A piece of a text that is neither events nor lines. */
  text(text: string): void;
  /** A piece of a text that grows over events, by its name. */
  grow(name: string, asJson: boolean, text: string): void;
  /** A text of its own. */
  whole(text: string): void;
}

/** Takes an answer apart as it comes: texts, events, lines. Deltas of model APIs are told apart by what they belong to. */
export class AnswerStrings {
  readonly #form: Form;
  readonly #listener: StringsListener;
  /** Made once there is something to read, for most answers are short and many have nothing. */
  #decoder: TextDecoder | null = null;
  #events: EventStream | null = null;
  /** A line that is not here whole. */
  #line: string[] = [];
  #lineLength = 0;

  constructor(form: Form, listener: StringsListener) {
    this.#form = form;
    this.#listener = listener;
  }

  /** Reads the next bytes, their content codings undone. Throws EventTooLong. */
  push(bytes: Uint8Array): void {
    if (this.#form === 'events') this.#readEvents(bytes);
    else this.#readText(this.#decode(bytes));
  }

  /** Most answers are ASCII, and need no decoder. */
  #decode(bytes: Uint8Array): string {
    if (this.#decoder === null && isAscii(bytes))
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    return (this.#decoder ??= new TextDecoder('utf-8')).decode(bytes, { stream: true });
  }

  #readEvents(bytes: Uint8Array): void {
    this.#events ??= new EventStream(LONGEST);
    for (const event of this.#events.push(bytes)) this.#readEvent(event);
  }

  /** The answer is over. */
  end(): void {
    if (this.#events !== null) this.#readEvents(Buffer.from('\n\n'));
    if (this.#decoder !== null) this.#readText(this.#decoder.decode());
    this.#endLine();
  }

  #readText(decoded: string): void {
    // Without them, what is written in UTF-16 or UTF-32 is as readable as the rest.
    const text = decoded.includes('\0') ? decoded.replaceAll('\0', '') : decoded;
    if (this.#form !== 'lines') return this.#listener.text(text);
    const lines = text.split('\n');
    for (const [index, line] of lines.entries()) {
      if (index > 0) this.#endLine();
      if (line === '') continue;
      this.#line.push(line);
      this.#lineLength += line.length;
    }
    // A line without an end is text.
    if (this.#lineLength > LONGEST) this.#endLine();
  }

  #endLine(): void {
    if (this.#lineLength > 0) this.message(this.#line.join(''));
    this.#line = [];
    this.#lineLength = 0;
  }

  #readEvent({ data, lines }: StreamEvent): void {
    if (data !== null) this.message(data);
    for (const line of lines)
      if (!/^(?:data|id|retry)(?::|$)/.test(line) && line.length >= 16) this.#listener.whole(line);
  }

  /** One event, line or message of a conversation, JSON or text: strings that grow over several are told as such. */
  message(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      message = text;
    }
    const growing = isDelta(message);
    const tell: Teller = (path, index, string) => {
      if (growing && GROWING.test(path)) this.#listener.grow(`${path} ${index}`, GROWS_AS_JSON.test(path), string);
      else this.#listener.whole(string);
    };
    if (!walk(message, { path: '', index: '', depth: 0 }, tell)) this.#listener.whole(text);
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
