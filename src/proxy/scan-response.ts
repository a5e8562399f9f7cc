import type { ResponseHead } from '../http1/head.ts';
import { Denial } from '../model/denial.ts';
import { parseMediaType } from '../policy/content/text.ts';
import { contentCodings } from '../scan/content-decoder.ts';
import { formOf, readsCharset, type Form } from '../scan/text/answer-strings.ts';
import { AnswerReading, type FindingTerms } from './answer-reading.ts';
import type { Exchange } from './exchange.ts';
import { Inspection } from './inspection.ts';
import { ReceivedText } from './novelties.ts';
import type { UpstreamExchange } from './message.ts';
import type { Services } from './services.ts';
import type { UpstreamResponse } from './upstream.ts';

declare const scanned: unique symbol;

/** Proof that an answer is read on its way, where there is something to look for. Made only here. */
export interface ScannedResponse {
  readonly head: ResponseHead;
  readonly connection: UpstreamExchange;
  /** What reads it; null: nothing is looked for in it. */
  readonly reading: AnswerReading | null;
  readonly [scanned]: true;
}

/**
 * Looks at what comes back: text is read for instructions to the agent, and for secrets where the rules say so. Throws the
 * denial of an answer that cannot be read where what is in it might have to be stopped.
 */
export function scanResponse(response: UpstreamResponse, exchange: Exchange, services: Services): ScannedResponse {
  const { head, connection } = response;
  try {
    return mintScannedResponse({ head, connection, reading: readingOf(head, exchange, services) });
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

function readingOf(head: ResponseHead, exchange: Exchange, services: Services): AnswerReading | null {
  if (head.framing === 0 || head.status === 101 || exchange.facts?.method === 'HEAD') return null;
  const { form, isReadable } = kindOf(head.fields.values('content-type'));
  const inspection = Inspection.of(exchange);
  const found = inspection.answerTerms;
  const received = receivedBy(exchange, form, services);
  if (found === null && received === null) return null;
  const codings = contentCodings(head.fields.values('content-encoding'));
  if (codings !== null && isReadable)
    return new AnswerReading({ form, codings, received }, found ?? NOTHING, inspection);
  inspection.unread();
  const what = codings === null ? 'content coding' : 'charset';
  if (found?.holds === true) throw new Denial('scan-budget', `the ${what} of the answer is not one the gate can read`);
  return null;
}

/** How an answer is to be read. */
interface Kind {
  readonly form: Form;
  readonly isReadable: boolean;
}

/** Most upstreams say one of a few things of their answers. */
const kinds = new Map<string, Kind>();
const MOST_KINDS = 256;

function kindOf(types: readonly string[]): Kind {
  const said = types.length === 1 ? (types[0] as string) : '';
  let kind = kinds.get(said);
  if (kind === undefined) {
    const type = parseMediaType(types);
    kind = { form: formOf(type?.essence ?? null), isReadable: readsCharset(type?.charset ?? null) };
    if (kinds.size >= MOST_KINDS) kinds.clear();
    kinds.set(said, kind);
  }
  return kind;
}

/** Nothing is looked for. */
export const NOTHING: FindingTerms = { instructions: false, secrets: false, holds: false };

/** Notes what the agent receives; null where nobody asks how much of what it sends is new. */
export function receivedBy(exchange: Exchange, form: Form, { novelties }: Services): ReceivedText | null {
  return exchange.lease?.countsNovelty === true ? new ReceivedText(novelties.of(exchange), form) : null;
}

function mintScannedResponse(parts: Omit<ScannedResponse, typeof scanned>): ScannedResponse {
  return parts as ScannedResponse;
}
