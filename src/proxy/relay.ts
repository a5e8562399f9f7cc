import { TO_AGENT } from '../http1/fields.ts';
import { fieldLine } from '../http1/write.ts';
import type { ResponseHead } from '../http1/head.ts';
import type { Transfer } from '../model/outcome.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, AnswerHead } from './message.ts';
import type { Permit } from './permit.ts';
import { upstreamFailure, type UpstreamResponse } from './upstream.ts';

/**
 * Passes an answer on as it arrives: whatever is here is written at once, and the agent's pace holds the upstream back.
 * Throws when the upstream breaks off; the agent's connection is then destroyed, so that a cut answer looks cut.
 */
export async function relay(
  response: UpstreamResponse,
  answer: Answer,
  exchange: Exchange,
  permit: Permit,
): Promise<Transfer> {
  const { connection, head } = response;
  answer.begin(answerHead(head, exchange, permit));
  try {
    for (;;) {
      let event = connection.poll();
      if (event === null) {
        answer.flush();
        event = await connection.next();
      }
      if (event === null || event.type === 'head') throw new Error('the answer ended without an end');
      if (event.type === 'end') {
        answer.end(event.trailers.text(TO_AGENT));
        break;
      }
      exchange.received += event.bytes.length;
      const caughtUp = answer.write(event.bytes);
      if (caughtUp !== null) await caughtUp;
    }
  } catch (error) {
    connection.destroy();
    throw upstreamFailure(error);
  }
  response.release();
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
