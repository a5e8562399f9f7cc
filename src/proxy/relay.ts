import { TO_AGENT } from '../http1/fields.ts';
import { fieldLine } from '../http1/write.ts';
import type { ResponseHead } from '../http1/head.ts';
import type { Transfer } from '../model/outcome.ts';
import type { Http1Upstream } from './adapters/http1-upstream.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, AnswerHead } from './message.ts';
import type { Permit } from './permit.ts';
import type { Services } from './services.ts';
import { release, upstreamFailure, type UpstreamResponse } from './upstream.ts';

/**
 * Passes an answer on as it arrives: whatever is here is written at once, and the agent's pace holds the upstream back.
 * Throws when the upstream breaks off; the agent's connection is then destroyed, so that a cut answer looks cut.
 */
export function relay(
  response: UpstreamResponse,
  answer: Answer,
  exchange: Exchange,
  permit: Permit,
  services: Services,
): Transfer | Promise<Transfer> {
  answer.begin(answerHead(response.head, exchange, permit));
  const state = passOn(response.connection, answer, exchange);
  // Most answers are here whole when their head is: those need no promise.
  return state === 'ended'
    ? settle(response, exchange, services)
    : relayRest(state, response, answer, exchange, services);
}

/** How far an answer has come: to its end, to the end of what is here, or to where the agent must catch up. */
type Progress = 'ended' | 'waiting' | Promise<void>;

async function relayRest(
  from: Progress,
  response: UpstreamResponse,
  answer: Answer,
  exchange: Exchange,
  services: Services,
): Promise<Transfer> {
  const { connection } = response;
  for (let state = from; state !== 'ended'; state = passOn(connection, answer, exchange)) {
    if (state !== 'waiting') await state;
    else {
      answer.flush();
      await connection.more();
    }
  }
  return settle(response, exchange, services);
}

function passOn(connection: Http1Upstream, answer: Answer, exchange: Exchange): Progress {
  try {
    for (let event = connection.poll(); event !== null; event = connection.poll()) {
      if (event.type === 'head') throw new Error('a head within an answer');
      if (event.type === 'end') {
        answer.end(event.trailers.text(TO_AGENT));
        return 'ended';
      }
      exchange.received += event.bytes.length;
      const caughtUp = answer.write(event.bytes);
      if (caughtUp !== null) return caughtUp;
    }
    if (connection.gone) throw new Error('the answer ended without an end');
    return 'waiting';
  } catch (error) {
    connection.destroy();
    throw upstreamFailure(error);
  }
}

function settle(response: UpstreamResponse, exchange: Exchange, services: Services): Transfer {
  release(response, exchange, services);
  return { sent: exchange.sent, received: exchange.received };
}

function answerHead(head: ResponseHead, exchange: Exchange, permit: Permit): AnswerHead {
  let fieldText = head.fields.text(TO_AGENT.naming(head.connection));
  const warned = permit.mode === 'warn' && permit.softened !== null;
  if (warned) fieldText += fieldLine('Sallyport-Warning', `${permit.softened?.reason ?? ''}; exchange=${exchange.id}`);
  const bodiless = exchange.facts?.method === 'HEAD' || head.status === 204 || head.status === 304;
  const declared = head.declared !== null && head.declared >= 0 && head.status !== 204 ? head.declared : null;
  return { status: head.status, phrase: head.phrase, fieldText, framing: bodiless ? null : head.framing, declared };
}
