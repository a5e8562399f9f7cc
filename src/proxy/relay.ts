import { OutgoingFields, TO_AGENT } from '../http1/fields.ts';
import type { ResponseHead } from '../http1/head.ts';
import { Denial } from '../model/denial.ts';
import type { Transfer } from '../model/outcome.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, AnswerHead, UpstreamExchange } from './message.ts';
import type { AnswerReading } from './answer-reading.ts';
import { Notes, essenceOf, isAnnotated, rewrite, rewritten } from './rewrite.ts';
import type { Permit } from './permit.ts';
import { both } from './pause.ts';
import { relayRead } from './relay-read.ts';
import type { ScannedResponse } from './scan-response.ts';
import type { Services } from './services.ts';
import { readsTools, relayTools } from './tools.ts';
import { upstreamFailure, type UpstreamResponse } from './upstream.ts';
import { converse } from './websocket.ts';

/**
 * Passes an answer on as it arrives: whatever is here is written at once, and the agent's pace holds the upstream back.
 * Throws when the upstream breaks off; the agent's connection is then destroyed, so that a cut answer looks cut.
 */
export function relay(
  response: ScannedResponse,
  answer: Answer,
  exchange: Exchange,
  permit: Permit,
  services: Services,
): Transfer | Promise<Transfer> {
  if (response.head.status === 101) return converse(response, answer, exchange, permit, services);
  const form = permit.tools === null ? null : readsTools(response.head);
  if (form !== null)
    return settled(relayJudged(form, response, answer, exchange, permit, services), response, exchange);
  measure(response.head, exchange);
  const { reading } = response;
  if (reading?.holds === true)
    return settled(relayHeld(reading, response, answer, exchange, permit, services), response, exchange);
  begin(response, answer, exchange, permit);
  // What is only to be told of is read as it passes.
  exchange.reading = reading;
  const state = passOn(response.connection, answer, exchange);
  // Most answers are here whole when their head is: those need no promise.
  if (state === 'ended') return settle(response, exchange);
  return settled(relayRest(state, response, answer, exchange), response, exchange);
}

/** Passes on an answer that is read on its way, since it may list tools. */
async function relayJudged(
  form: 'json' | 'events',
  response: ScannedResponse,
  answer: Answer,
  exchange: Exchange,
  permit: Permit,
  services: Services,
): Promise<void> {
  const { head, connection } = response;
  const { tools } = permit;
  if (tools === null) throw new Error('an answer is read for tools under a permit that has none');
  const notes = new Notes(exchange, permit);
  const to = {
    head: answerHead(head, exchange, permit),
    connection,
    answer,
    exchange,
    tools,
    reading: response.reading,
    note: (message: Buffer) => notes.on(message, 'application/json'),
    review: services.tools.reviewOf(permit.target.key),
  };
  await relayTools(form, head.fields.values('content-encoding'), { ...to, buffer: services.inspectBuffer });
}

/** Passes on an answer of which nothing may go on before it was read. */
async function relayHeld(
  reading: AnswerReading,
  { head, connection }: ScannedResponse,
  answer: Answer,
  exchange: Exchange,
  permit: Permit,
  services: Services,
): Promise<void> {
  await relayRead({
    connection,
    answer,
    exchange,
    reading,
    limit: services.inspectBuffer,
    head: () => answerHead(head, exchange, permit),
    rewrite: (decoded) => {
      const bytes = rewrite(decoded, reading, essenceOf(head), exchange, permit);
      if (bytes === null) return null;
      const { length } = bytes;
      return { bytes, head: { ...rewritten(answerHead(head, exchange, permit)), framing: length, declared: length } };
    },
  });
}

/** Waits until an answer has passed; where it cannot, the connection it came over is of no more use. */
async function settled(passing: Promise<void>, response: ScannedResponse, exchange: Exchange): Promise<Transfer> {
  try {
    await passing;
  } catch (error) {
    response.connection.destroy();
    throw upstreamFailure(error);
  }
  return settle(response, exchange);
}

/** Not every head an upstream can send can be said to every agent: what cannot is the upstream's fault, not the agent's. */
function begin({ head, connection }: UpstreamResponse, answer: Answer, exchange: Exchange, permit: Permit): void {
  try {
    answer.begin(answerHead(head, exchange, permit));
  } catch (error) {
    connection.destroy();
    throw upstreamFailure(error);
  }
}

/** Counts the tokens of an answer, where they are limited and the upstream did what it was asked for. */
function measure({ status, fields }: ResponseHead, exchange: Exchange): void {
  if (exchange.lease === null || status < 200 || status > 299) return;
  const [type, codings] = [fields.values('content-type'), fields.values('content-encoding')];
  exchange.usage = exchange.lease.meter(type, codings, exchange.sent);
}

/** How far an answer has come: to its end, to the end of what is here, or to where the agent must catch up. */
type Progress = 'ended' | 'waiting' | Promise<void>;

async function relayRest(
  from: Progress,
  { connection }: UpstreamResponse,
  answer: Answer,
  exchange: Exchange,
): Promise<void> {
  for (let state = from; state !== 'ended'; state = passOn(connection, answer, exchange)) {
    if (state !== 'waiting') await state;
    else {
      answer.flush();
      await connection.more();
    }
  }
}

function passOn(connection: UpstreamExchange, answer: Answer, exchange: Exchange): Progress {
  try {
    for (let event = connection.poll(); event !== null; event = connection.poll()) {
      if (event.type === 'head') throw new Error('a head within an answer');
      if (event.type === 'end') {
        exchange.usage?.end();
        exchange.reading?.followEnd();
        answer.end(event.trailers);
        return 'ended';
      }
      const { bytes } = event;
      const paid = exchange.lease?.download(bytes.length) ?? null;
      if (paid !== null) return writePaid(paid, bytes, answer, exchange);
      exchange.received += bytes.length;
      exchange.usage?.push(bytes);
      exchange.transcript?.said('to-agent', bytes);
      const due = both(exchange.reading?.follow(bytes) ?? null, answer.write(bytes));
      if (due !== null) return due;
    }
    if (connection.gone) throw new Error('the answer ended without an end');
    return 'waiting';
  } catch (error) {
    connection.destroy();
    // What came before the upstream broke off is the agent's; what must not pass stays here.
    if (!(error instanceof Denial)) answer.flush();
    throw upstreamFailure(error);
  }
}

/** Passes bytes on once they are counted; where they may not pass, the answer is cut off. */
async function writePaid(paid: Promise<void>, bytes: Buffer, answer: Answer, exchange: Exchange): Promise<void> {
  await paid;
  exchange.received += bytes.length;
  exchange.usage?.push(bytes);
  exchange.transcript?.said('to-agent', bytes);
  await both(exchange.reading?.follow(bytes) ?? null, answer.write(bytes));
}

function settle(response: UpstreamResponse, exchange: Exchange): Transfer | Promise<Transfer> {
  exchange.cancellation.onCancel = null;
  response.connection.release();
  const transfer = { sent: exchange.sent, received: exchange.received };
  const reading = exchange.reading?.following ?? null;
  return reading === null ? transfer : reading.then(() => transfer);
}

const NOTHING: readonly string[] = [];

function answerHead(head: ResponseHead, exchange: Exchange, permit: Permit): AnswerHead {
  const { softened } = exchange;
  const warning =
    permit.mode === 'warn' && softened !== null ? softened.reason : isAnnotated(exchange) ? 'injection-found' : null;
  const own = warning === null ? NOTHING : ['Sallyport-Warning', `${warning}; exchange=${exchange.id}`];
  const fields = new OutgoingFields(head.fields, TO_AGENT.naming(head.connection), own);
  const bodiless = exchange.facts?.method === 'HEAD' || head.status === 204 || head.status === 304;
  const declared = head.declared !== null && head.declared >= 0 && head.status !== 204 ? head.declared : null;
  return { status: head.status, phrase: head.phrase, fields, framing: bodiless ? null : head.framing, declared };
}
