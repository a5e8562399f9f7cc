import { CodingError, contentCodings, decodeContent } from './content-decoder.ts';
import { EventStream, EventTooLong } from './event-stream.ts';

/** Most of an answer that is kept to find its usage in, as it came and once its codings are undone. */
const MOST = 8 * 1024 * 1024;
/** Characters of text that make a token, where an API does not say: more for most languages and code, so that too much is counted. */
const CHARACTERS = 4;

/** What an API said it used, as far as it has said. */
interface Said {
  total: number;
  input: number;
  output: number;
  any: boolean;
}

/**
 * Counts the tokens of a model API's answer from its own usage fields, as the answer passes: OpenAI (chat, responses, embeddings),
 * Anthropic, Gemini, and what speaks like them; whole answers and event streams. A stream that never says is estimated, or an
 * agent could choose not to be counted.
 */
export class UsageMeter {
  readonly #form: 'json' | 'events' | 'other';
  readonly #codings: readonly string[];
  readonly #said: Said = { total: 0, input: 0, output: 0, any: false };
  readonly #events = new EventStream(MOST);
  #pieces: Buffer[] = [];
  #size = 0;
  #count = 0;
  #lost = false;
  #ended = false;

  /** Values of `Content-Type` and `Content-Encoding` of an answer. */
  constructor(contentType: readonly string[], codings: readonly string[]) {
    const essence = (contentType[0] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
    this.#form =
      essence === 'text/event-stream' ? 'events' : /^application\/(?:.+\+)?json$/.test(essence) ? 'json' : 'other';
    this.#codings = codings.filter((coding) => coding.trim().toLowerCase() !== 'identity');
  }

  push(bytes: Buffer): void {
    if (this.#form === 'other' || this.#lost) return;
    this.#size += bytes.length;
    if (this.#form === 'events' && this.#codings.length === 0) this.#readEvents(bytes);
    else if (this.#size > MOST) this.#lose();
    // The piece is the connection's own, which it may use again.
    else this.#pieces.push(Buffer.from(bytes));
  }

  /** The answer came to its end; one that broke off, or was left by its agent, has not said all it used. */
  end(): void {
    this.#ended = true;
  }

  /** The tokens of an answer that is over, to a request of so many bytes. */
  async tokens(sent: number): Promise<number> {
    if (this.#form === 'other' || this.#size === 0) return 0;
    if (this.#pieces.length > 0) await this.#readHeld();
    const { total, input, output, any } = this.#said;
    const cut = this.#form === 'events' && !this.#ended;
    if (any) return Math.max(total, input + Math.max(output, cut ? this.#count : 0));
    if (this.#lost) return Math.ceil((sent + this.#size) / CHARACTERS);
    // Answers that are no generation (a list of models, say) have no usage; a stream is one, with a token an event at least.
    return this.#form === 'events' ? Math.ceil(sent / CHARACTERS) + this.#count : 0;
  }

  async #readHeld(): Promise<void> {
    const codings = contentCodings(this.#codings);
    const pieces = this.#pieces;
    this.#pieces = [];
    try {
      if (codings === null) throw new CodingError('an unknown coding', false);
      const bytes = codings.length === 0 ? Buffer.concat(pieces) : await decodeContent(pieces, codings, MOST);
      if (this.#form === 'events') this.#readEvents(bytes);
      else this.#read(bytes.toString('utf8'));
    } catch (error) {
      if (!(error instanceof CodingError)) throw error;
      this.#lose();
    }
  }

  #readEvents(bytes: Buffer): void {
    try {
      for (const { data } of this.#events.push(bytes)) {
        if (data === null) continue;
        this.#count++;
        if (data.includes('"usage')) this.#read(data);
      }
    } catch (error) {
      if (!(error instanceof EventTooLong)) throw error;
      this.#lose();
    }
  }

  #read(text: string): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      this.#lost ||= this.#form === 'json';
      return;
    }
    // A batch is a list of answers.
    for (const each of Array.isArray(value) ? value : [value]) find(each, this.#said);
  }

  #lose(): void {
    this.#lost = true;
    this.#pieces = [];
  }
}

/** Tokens that one message of a conversation says were used; 0 where it says nothing of it. */
export function tokensSaid(message: Buffer): number {
  if (!message.includes('"usage')) return 0;
  const said: Said = { total: 0, input: 0, output: 0, any: false };
  try {
    find(JSON.parse(message.toString('utf8')), said);
  } catch {
    return 0;
  }
  return Math.max(said.total, said.input + said.output);
}

/** Usage stands at the top, or in what an event wraps. Streams say more and more: the most is what counts. */
function find(value: unknown, said: Said): void {
  for (const holder of [value, memberOf(value, 'response'), memberOf(value, 'message')]) {
    note(said, memberOf(holder, 'usage'), {
      total: ['total_tokens'],
      input: ['input_tokens', 'prompt_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'],
      output: ['output_tokens', 'completion_tokens'],
    });
    note(said, memberOf(holder, 'usageMetadata'), {
      total: ['totalTokenCount'],
      input: ['promptTokenCount'],
      output: ['candidatesTokenCount', 'responseTokenCount', 'thoughtsTokenCount'],
    });
  }
}

function note(
  said: Said,
  usage: unknown,
  names: Readonly<Record<'total' | 'input' | 'output', readonly string[]>>,
): void {
  if (typeof usage !== 'object' || usage === null) return;
  said.any = true;
  for (const what of ['total', 'input', 'output'] as const) {
    const sum = names[what].reduce((before, name) => before + countIn(usage, name), 0);
    said[what] = Math.max(said[what], sum);
  }
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** What is no count of tokens counts as none. */
function countIn(usage: object, name: string): number {
  const value = memberOf(usage, name);
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.min(Math.ceil(value), 1e9) : 0;
}
