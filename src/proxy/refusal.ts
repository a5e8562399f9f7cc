import { Http1Error } from '../http1/error.ts';
import { Fields, OutgoingFields, TO_AGENT } from '../http1/fields.ts';
import { Denial, asDenial } from '../model/denial.ts';
import type { Outcome } from '../model/outcome.ts';
import { REASONS } from '../model/reason.ts';
import type { Exchange } from './exchange.ts';
import type { Answer } from './message.ts';

/** What was thrown on the way, as the end of the exchange. */
export function outcomeOf(thrown: unknown, exchange: Exchange, begun: boolean): Outcome {
  const transfer = { sent: exchange.sent, received: exchange.received };
  const { cancelled, denial: stop } = exchange.cancellation;
  if (cancelled && stop === null) return { kind: 'aborted', status: exchange.status, transfer };
  const denial =
    stop ??
    (thrown instanceof Http1Error
      ? new Denial(thrown.reason, thrown.message, { status: thrown.status })
      : asDenial(thrown));
  if (begun) return { kind: 'truncated', status: exchange.status ?? 0, transfer, denial };
  return { kind: 'refused', denial };
}

/**
 * Tells the agent no (POLICY.md, "Refusals"): status, Proxy-Status (RFC 9209), our reason, and a problem document
 * (RFC 9457) that says what was refused, by which rule, and what would allow it.
 */
export function refuse(answer: Answer, denial: Denial, exchange: Exchange, method: string): void {
  const { reason, status } = denial;
  const detail = denial.message === '' ? REASONS[reason].title : denial.message;
  const problem = {
    type: `urn:sallyport:reason:${reason}`,
    title: REASONS[reason].title,
    status,
    detail,
    reason,
    rule: denial.rule,
    exchange: exchange.id,
    agent: exchange.agent,
    remedy: denial.remedy,
  };
  const body = Buffer.from(`${JSON.stringify(problem, null, 2)}\n`, 'utf8');
  const fields = new OutgoingFields(Fields.NONE, TO_AGENT, [
    'Content-Type',
    'application/problem+json',
    'Cache-Control',
    'no-store',
    'Proxy-Status',
    `sallyport; error=${REASONS[reason].error}; details="${reason}"`,
    'Sallyport-Reason',
    reason,
    ...denial.headers,
  ]);
  // After malformed bytes nobody can say where the next request begins.
  if (reason === 'request-malformed') answer.close();
  const bodiless = method === 'HEAD';
  answer.begin({ status, phrase: reason, fields, framing: bodiless ? null : body.length, declared: body.length });
  if (!bodiless) void answer.write(body);
  answer.end(Fields.NONE);
}
