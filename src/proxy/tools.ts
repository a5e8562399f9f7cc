import { Http1Error } from '../http1/error.ts';
import { Fields } from '../http1/fields.ts';
import { CHUNKED, type ResponseHead } from '../http1/head.ts';
import type { MessageEvent } from '../http1/reader.ts';
import type { ToolGrants } from '../model/decision.ts';
import { JsonError } from '../model/json.ts';
import { parseMediaType } from '../policy/content/text.ts';
import { shownTools, type ToolReview } from '../policy/content/tools.ts';
import { CodingError, ContentDecoder, contentCodings, decodeContent, type Coding } from '../scan/content-decoder.ts';
import { EventStream, EventTooLong, eventText, type StreamEvent } from '../scan/event-stream.ts';
import type { AnswerReading } from './answer-reading.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, AnswerHead, UpstreamExchange } from './message.ts';
import { rewritten } from './rewrite.ts';

/** How much larger than the inspection buffer an answer or event may be, as it comes and once its codings are undone. */
const ROOM = 8;

/** What the answer of a server of MCP is read as; null: it is none of what such servers answer, and passed on unread. */
export function readsTools(head: ResponseHead): 'json' | 'events' | null {
  if (head.framing === 0 || head.status < 200 || head.status > 299) return null;
  const essence = parseMediaType(head.fields.values('content-type'))?.essence;
  if (essence === 'application/json') return 'json';
  return essence === 'text/event-stream' ? 'events' : null;
}

/** An answer under way, and who gets it. */
export interface ToolAnswer {
  readonly head: AnswerHead;
  readonly connection: UpstreamExchange;
  readonly answer: Answer;
  readonly exchange: Exchange;
  readonly tools: ToolGrants;
  /** Reads what is passed on; null: nothing is looked for. */
  readonly reading: AnswerReading | null;
  /** The message with a note on what was found in it; null: there is none to make. */
  readonly note: (decoded: Buffer) => Buffer | null;
  readonly review: ToolReview;
  /** Bytes of a request that are held to be judged; results of tools are larger, and get more room. */
  readonly buffer: number;
}

/**
 * Passes on an answer that may list tools, with those that are not granted left out: an agent is not shown what it may not
 * call. Throws Http1Error for answers that cannot be read, which are not passed on.
 */
export async function relayTools(form: 'json' | 'events', codings: readonly string[], to: ToolAnswer): Promise<void> {
  const known = contentCodings(codings);
  if (known === null) throw new Http1Error('its content coding is not one the gate can undo');
  try {
    if (form === 'json') await relayJson(known, to);
    else await relayEvents(known, to);
  } catch (error) {
    if (error instanceof CodingError || error instanceof JsonError || error instanceof EventTooLong)
      throw new Http1Error(error.message);
    throw error;
  }
}

/** One message or batch: held, and sent as it came where nothing had to be left out. */
async function relayJson(codings: readonly Coding[], to: ToolAnswer): Promise<void> {
  const { head, answer } = to;
  const limit = to.buffer * ROOM;
  const pieces: Buffer[] = [];
  let size = 0;
  let trailers = Fields.NONE;
  for (;;) {
    const event = await next(to);
    if (event.type === 'head') throw new Http1Error('a head within an answer');
    if (event.type === 'end') {
      trailers = event.trailers;
      break;
    }
    size += event.bytes.length;
    if (size > limit) throw new Http1Error(`an answer of more than ${limit} bytes where tools may be listed`);
    pieces.push(event.bytes);
  }
  const decoded = await decodeContent(pieces, codings, limit);
  to.reading?.read(decoded);
  to.reading?.finish();
  to.reading?.settle();
  const shown = shownTools(decoded, to.tools, to.review);
  const noted = to.note(shown === null ? decoded : Buffer.from(shown));
  if (shown === null && noted === null) {
    answer.begin(head);
    for (const bytes of pieces) await answer.write(bytes);
    answer.end(trailers);
    return;
  }
  const bytes = noted ?? Buffer.from(shown as string);
  answer.begin({ ...rewritten(head), framing: bytes.length, declared: bytes.length });
  await answer.write(bytes);
  answer.end(Fields.NONE);
}

/** Messages one after another, each on its way as soon as it is here whole. */
async function relayEvents(codings: readonly Coding[], to: ToolAnswer): Promise<void> {
  const { head, answer } = to;
  const limit = to.buffer * ROOM;
  const decoder = new ContentDecoder(codings, limit, true);
  const stream = new EventStream(limit);
  answer.begin({ ...rewritten(head), framing: CHUNKED, declared: null });
  answer.flush();
  try {
    for (;;) {
      const event = await next(to);
      if (event.type === 'head') throw new Http1Error('a head within an answer');
      const bytes = event.type === 'end' ? await decoder.end() : await decoder.push(event.bytes);
      const text = stream
        .push(bytes)
        .map((each) => shownEvent(each, to))
        .join('');
      if (text !== '') await answer.write(Buffer.from(text));
      answer.flush();
      if (event.type !== 'end') continue;
      to.reading?.finish();
      answer.end(Fields.NONE);
      return;
    }
  } finally {
    decoder.destroy();
    to.reading?.close();
  }
}

function shownEvent(event: StreamEvent, { tools, review, reading, note }: ToolAnswer): string {
  reading?.message(Buffer.from(event.data ?? event.lines.join('\n')));
  reading?.settle();
  if (event.data === null) return eventText(event);
  try {
    const shown = shownTools(Buffer.from(event.data), tools, review);
    return eventText(event, note(Buffer.from(shown ?? event.data))?.toString() ?? shown);
  } catch (error) {
    // The older transport names its endpoint in plain text; what only some readers take for JSON is not passed on.
    if (!(error instanceof JsonError) || isSomeJson(event.data)) throw error;
    return eventText(event);
  }
}

function isSomeJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function next({ connection, exchange }: ToolAnswer): Promise<MessageEvent<ResponseHead>> {
  for (;;) {
    const event = connection.poll();
    if (event !== null) {
      if (event.type === 'body') {
        await exchange.lease?.download(event.bytes.length);
        exchange.received += event.bytes.length;
        exchange.transcript?.said('to-agent', event.bytes);
      }
      return event;
    }
    if (connection.gone) throw new Error('the answer ended without an end');
    await connection.more();
  }
}
