import { Http1Error } from '../http1/error.ts';
import { Fields, OutgoingFields, TO_AGENT } from '../http1/fields.ts';
import { Denial, asDenial } from '../model/denial.ts';
import type { Outcome } from '../model/outcome.ts';
import { REASONS } from '../model/reason.ts';
import { unknownNames } from '../policy/content/rpc.ts';
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
  const { reason } = denial;
  const { status, type, text } = toolRefusal(denial, exchange) ?? problem(denial, exchange);
  const body = Buffer.from(text, 'utf8');
  const fields = new OutgoingFields(Fields.NONE, TO_AGENT, [
    'Content-Type',
    type,
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

/** The status a refusal is told with, for the record. */
export function refusalStatus(denial: Denial, exchange: Exchange): number {
  return toolRefusal(denial, exchange)?.status ?? denial.status;
}

/** What a refusal says, and how. */
interface Words {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

function problem(denial: Denial, exchange: Exchange): Words {
  const { reason, status } = denial;
  const { title } = REASONS[reason];
  const document = {
    type: `urn:sallyport:reason:${reason}`,
    title,
    status,
    detail: denial.message === '' ? title : denial.message,
    reason,
    rule: denial.rule,
    exchange: exchange.id,
    agent: exchange.agent,
    remedy: denial.remedy,
  };
  return { status, type: 'application/problem+json', text: `${JSON.stringify(document, null, 2)}\n` };
}

/**
 * A tool that is not granted does not exist: its caller is told so in the words of its own protocol (MCP, "Error Handling"),
 * which clients hand to the model. Null where the request was no such call.
 */
function toolRefusal({ reason, message }: Denial, exchange: Exchange): Words | null {
  const body = exchange.facts?.body;
  if ((reason !== 'tool-not-found' && reason !== 'tool-changed') || body?.kind !== 'whole') return null;
  const answers = unknownNames(body.bytes, reason === 'tool-changed' ? message : null);
  if (answers === null) return null;
  const detail = { reason, detail: message, exchange: exchange.id };
  const messages = answers.map((each) => ({ ...each, error: { ...each.error, data: detail } }));
  const single = messages.length === 1 ? messages[0] : messages;
  return { status: 200, type: 'application/json', text: `${JSON.stringify(single)}\n` };
}
