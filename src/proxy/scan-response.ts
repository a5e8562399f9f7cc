import type { ResponseHead } from '../http1/head.ts';
import { Denial } from '../model/denial.ts';
import { parseMediaType } from '../policy/content/text.ts';
import { contentCodings } from '../scan/content-decoder.ts';
import { formOf } from '../scan/text/answer-text.ts';
import { AnswerReading } from './answer-reading.ts';
import type { Exchange } from './exchange.ts';
import { Inspection } from './inspection.ts';
import type { UpstreamExchange } from './message.ts';
import type { Permit } from './permit.ts';
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
export function scanResponse(
  response: UpstreamResponse,
  permit: Permit,
  exchange: Exchange,
  services: Services,
): ScannedResponse {
  const { head, connection } = response;
  try {
    return mintScannedResponse({ head, connection, reading: readingOf(head, permit, exchange, services) });
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

function readingOf(head: ResponseHead, permit: Permit, exchange: Exchange, services: Services): AnswerReading | null {
  if (head.framing === 0 || head.status === 101 || exchange.facts?.method === 'HEAD') return null;
  const types = head.fields.values('content-type');
  const form = formOf(types.length === 0 ? null : (parseMediaType(types)?.essence ?? null));
  if (form === null) return null;
  const inspection = new Inspection(permit, exchange, services);
  const terms = inspection.answerTerms;
  if (terms === null) return null;
  const codings = contentCodings(head.fields.values('content-encoding'));
  if (codings !== null) return new AnswerReading(form, codings, terms, inspection);
  inspection.unread();
  if (terms.holds) throw new Denial('scan-budget', 'the content coding of the answer is not one the gate can undo');
  return null;
}

function mintScannedResponse(parts: Omit<ScannedResponse, typeof scanned>): ScannedResponse {
  return parts as ScannedResponse;
}
