import type { OutcomeEvent } from '../model/audit-event.ts';
import type { AuditLog } from '../audit/log.ts';
import type { Outcome } from '../model/outcome.ts';
import type { GuardedAddress } from '../network/guard.ts';
import type { Exchange } from './exchange.ts';

declare const witnessed: unique symbol;

/** Proof that the intent to send is on record. Made only here: sending demands one. */
export interface Witness {
  readonly exchange: string;
  readonly [witnessed]: true;
}

/** Puts the intent on record before the first byte leaves. Throws `audit-unavailable` when it cannot. */
export async function record(exchange: Exchange, address: GuardedAddress, audit: AuditLog): Promise<Witness> {
  exchange.address =
    address.how === 'pinned' ? `pinned ${address.addresses[0] ?? ''}:${address.port}` : (address.addresses[0] ?? null);
  await audit.append(intentText(exchange));
  return mintWitness({ exchange: exchange.id });
}

/** The canonical text of an `IntentEvent`. Written out, for it is on the path of every request (JSON.stringify: twice this). */
function intentText(exchange: Exchange): string {
  const { facts, tunnel } = exchange;
  const target = facts?.target ?? tunnel?.target;
  return (
    `{"agent":${quote(exchange.agent)},"exchange":"${exchange.id}","kind":"intent","method":${quote(facts?.method)},` +
    `"path":${quote(pathOf(exchange))},"target":${quote(target?.key)},"time":"${timestamp()}"}`
  );
}

/** The canonical text of an `OutcomeEvent`. */
export function outcomeText(exchange: Exchange, outcome: Outcome): string {
  const { facts, permit, tunnel } = exchange;
  const denial = outcome.kind === 'refused' || outcome.kind === 'truncated' ? outcome.denial : null;
  const target = facts?.target ?? tunnel?.target;
  const status = outcome.kind === 'refused' ? outcome.denial.status : outcome.status;
  const query = facts?.query ?? null;
  let text = `{"address":${quote(exchange.address)},"agent":${quote(exchange.agent)},"bytes":{"received":${exchange.received},"sent":${exchange.sent}}`;
  text +=
    member('capability', permit?.capability ?? denial?.capability) + `,"decision":"${decisionOf(exchange, outcome)}"`;
  if (denial !== null || permit?.softened != null)
    text += member('detail', denial?.message ?? permit?.softened?.detail);
  text += `,"exchange":"${exchange.id}"${member('host', target?.host.text)},"inspected":${tunnel?.opaque !== true},"kind":"outcome"`;
  text +=
    member('method', facts?.method) +
    `,"milliseconds":${Math.round((performance.now() - exchange.started) * 1000) / 1000}`;
  text += `${member('mode', permit?.mode)},"outcome":"${outcome.kind}"${member('path', pathOf(exchange))},"policy":"${exchange.now.policy.generation}"`;
  if (target !== undefined) text += `,"port":${target.port}`;
  if (query !== null && query !== '') text += `,"query":${queryShape(query)}`;
  if (denial !== null || permit?.softened != null) text += member('reason', denial?.reason ?? permit?.softened?.reason);
  text += `${member('rule', permit?.rule ?? denial?.rule)}${member('scheme', target?.scheme)},"source":"${exchange.source}","status":${status}`;
  return `${text},"time":"${timestamp()}"${member('tunnel', tunnel?.id)}}`;
}

/** A text member with its comma; nothing where there is no text. */
function member(name: string, text: string | null | undefined): string {
  if (text === null || text === undefined) return '';
  return PLAIN_TEXT.test(text) ? `,"${name}":"${text}"` : `,"${name}":${JSON.stringify(text)}`;
}

/** What the policy said, not how the exchange ended: an allowed request whose upstream failed was still allowed. */
export function decisionOf(exchange: Exchange, outcome: Outcome): OutcomeEvent['decision'] {
  if (exchange.permit === null) return 'deny';
  if (outcome.kind === 'refused' && exchange.upstreamSent === null) return 'deny';
  return exchange.permit.softened === null ? 'allow' : 'would-deny';
}

function pathOf(exchange: Exchange): string | null {
  const path = exchange.facts?.path;
  return path === undefined ? null : (path.canonical ?? path.raw);
}

const PLAIN_TEXT = /^[ !#-[\]-~]*$/;

/** A JSON string; text that needs no escape is only put in quotes. */
function quote(text: string | null | undefined): string {
  if (text === null || text === undefined) return 'null';
  return PLAIN_TEXT.test(text) ? `"${text}"` : JSON.stringify(text);
}

let stampedAt = 0;
let stamp = '';

/** The time in ISO 8601; a text a millisecond, for many events share one. */
function timestamp(): string {
  const now = Date.now();
  if (now !== stampedAt) {
    stampedAt = now;
    stamp = new Date(now).toISOString();
  }
  return stamp;
}

const MAX_PARAMETERS = 100;

/** Names and lengths: what was asked can be seen, what was said in it cannot. */
function queryShape(query: string): string {
  const shape = query.split('&', MAX_PARAMETERS).map((part) => {
    const equals = part.indexOf('=');
    // A part without "=" may be all value (?token): its length is told, its text is not.
    if (equals === -1) return { length: part.length, name: '' };
    return { length: part.length - equals - 1, name: part.slice(0, equals).slice(0, 100) };
  });
  return JSON.stringify(shape);
}

function mintWitness(parts: Omit<Witness, typeof witnessed>): Witness {
  return parts as Witness;
}
