import type { IntentEvent, OutcomeEvent } from '../model/audit-event.ts';
import type { AuditLog } from '../audit/log.ts';
import type { Outcome } from '../model/outcome.ts';
import type { GuardedAddress } from '../network/guard.ts';
import { Denial } from '../model/denial.ts';
import type { Exchange } from './exchange.ts';
import type { Carried } from './in-flight.ts';
import { refusalStatus } from './refusal.ts';
import type { Permit } from './permit.ts';

declare const witnessed: unique symbol;

/** Proof that the intent to send is on record. Made only here: sending demands one. */
export interface Witness {
  readonly exchange: string;
  readonly [witnessed]: true;
}

/** Puts the intent on record before the first byte leaves. Throws `audit-unavailable` when it cannot. */
export function record(exchange: Exchange, permit: Permit, address: GuardedAddress, audit: AuditLog): Promise<Witness> {
  exchange.trace?.step('record');
  exchange.address = recordedAddress(address);
  const { intent } = partsOf(permit, exchange);
  const text =
    `${intent.agent}${exchange.id}","kind":"intent","method":${quote(exchange.facts?.method)},` +
    `"path":${quote(pathOf(exchange))}${intent.target}${timestamp()}"}`;
  return audit.append(text, mintWitness({ exchange: exchange.id }));
}

/** The intents of exchanges that are under way, as they were recorded: what has not been guarded yet has none. */
export function intentsUnderWay(exchanges: Iterable<Carried>): IntentEvent[] {
  const behind = Date.now() - performance.now();
  return [...exchanges].flatMap((exchange) => {
    const { agent, id, facts, permit, address, started } = exchange;
    if (address === null || permit === null) return [];
    const [method, path] = [facts?.method ?? null, pathOf(exchange)];
    const time = new Date(behind + started).toISOString();
    return [{ agent, exchange: id, kind: 'intent', method, path, target: permit.target.key, time }];
  });
}

/** An address that was judged stands for itself; one that was not says so, and which way the request went. */
function recordedAddress({ how, addresses, port, parent }: GuardedAddress): string | null {
  if (how === 'pinned') return `pinned ${addresses[0] ?? ''}:${port}`;
  if (how === 'unchecked') return `unchecked ${parent?.authority ?? ''}`;
  return addresses[0] ?? null;
}

/** The parts of both texts that are the same for every request a rule allows. */
export interface RecordParts {
  readonly intent: { readonly agent: string; readonly target: string };
  readonly outcome: OutcomeParts;
}

/** The text of an outcome between the members that differ from request to request. */
interface OutcomeParts {
  readonly toBytes: string;
  readonly toExchange: string;
  readonly toMethod: string;
  readonly toPath: string;
  readonly toQuery: string;
  readonly toSource: string;
}

function partsOf(permit: Permit, exchange: Exchange): RecordParts {
  permit.parts ??= {
    intent: {
      agent: `{"agent":${quote(permit.agent)},"exchange":"`,
      target: `,"target":${quote(permit.target.key)},"time":"`,
    },
    outcome: outcomeParts(exchange, permit, 'allow', 'delivered', null),
  };
  return permit.parts;
}

/**
 * The canonical text of an `OutcomeEvent`. Written out, for it is on the path of every request (JSON.stringify: twice this),
 * and from parts, for most of it repeats.
 */
export function outcomeText(exchange: Exchange, outcome: Outcome): string {
  const { permit } = exchange;
  const status = outcome.kind === 'refused' ? refusalStatus(outcome.denial, exchange) : outcome.status;
  const query = exchange.facts?.query ?? null;
  const parts =
    permit !== null && exchange.softened === null && outcome.kind === 'delivered'
      ? partsOf(permit, exchange).outcome
      : outcomeParts(exchange, permit, decisionOf(exchange, outcome), outcome.kind, denialOf(outcome));
  return (
    `{"address":${quote(exchange.address)}${parts.toBytes}${exchange.received},"sent":${exchange.sent}${parts.toExchange}` +
    `${exchange.id}"${findingsOf(exchange)}${parts.toMethod}${member('method', exchange.facts?.method)}` +
    `,"microseconds":${Math.round((exchange.ended - exchange.started) * 1000)}${parts.toPath}` +
    `${member('path', pathOf(exchange))}${parts.toQuery}${query === null || query === '' ? '' : `,"query":${queryShape(query)}`}` +
    `${parts.toSource}${exchange.peer.source}","status":${status},"time":"${timestamp()}"${timingOf(exchange)}${member('tunnel', exchange.tunnel?.id)}${exchange.unscanned ? ',"unscanned":true' : ''}${exchange.facts?.websocket === true ? ',"websocket":true' : ''}}`
  );
}

function outcomeParts(
  exchange: Exchange,
  permit: Permit | null,
  decision: OutcomeEvent['decision'],
  kind: Outcome['kind'],
  denial: Denial | null,
): OutcomeParts {
  const target = exchange.facts?.target ?? exchange.tunnel?.target;
  const why = denial ?? exchange.softened;
  const detail = why === null ? '' : member('detail', why instanceof Denial ? why.message : why.detail);
  const capability = member('capability', permit?.capability ?? denial?.capability);
  return {
    toBytes: `,"agent":${quote(exchange.agent)},"bytes":{"received":`,
    toExchange: `}${capability},"decision":"${decision}"${detail},"exchange":"`,
    toMethod: `${member('host', target?.host.text)},"inspected":${(exchange.tunnel?.opaque ?? null) === null},"kind":"outcome"`,
    toPath: `${member('mode', permit?.mode)},"outcome":"${kind}"`,
    toQuery: `,"policy":"${exchange.now.policy.generation}"${target === undefined ? '' : `,"port":${target.port}`}${member('protocol', exchange.protocol)}`,
    toSource: `${member('reason', why?.reason)}${member('rule', permit?.rule ?? denial?.rule)}${member('scheme', target?.scheme)}${member('session', exchange.session?.id)},"source":"`,
  };
}

/** The denial an exchange ended with; null where none did. */
export function denialOf(outcome: Outcome): Denial | null {
  return outcome.kind === 'refused' || outcome.kind === 'truncated' ? outcome.denial : null;
}

/** How long steps took, in microseconds; nothing where none was taken. */
function timingOf({
  started,
  upstreamSent,
  upstreamAnswered,
  decisionTime,
  consultTime,
  inspection,
}: Exchange): string {
  const scanned = inspection === null ? 0 : inspection.time;
  let text = '';
  if (upstreamAnswered !== null) text += `,"answered":${Math.round((upstreamAnswered - started) * 1000)}`;
  if (consultTime !== null) text += `,"consulted":${Math.round(consultTime * 1000)}`;
  if (decisionTime !== null) text += `,"decided":${Math.round(decisionTime * 1000)}`;
  if (scanned > 0) text += `,"scanned":${Math.round(scanned * 1000)}`;
  if (upstreamSent !== null) text += `,"sent":${Math.round((upstreamSent - started) * 1000)}`;
  return text === '' ? '' : `,"timing":{${text.slice(1)}}`;
}

/** What the scanner found, in the order it was found; members of each stand in alphabetical order. */
function findingsOf({ findings }: Exchange): string {
  return findings === null ? '' : `,"findings":${JSON.stringify(findings)}`;
}

/** A text member with its comma; nothing where there is no text. */
function member(name: string, text: string | null | undefined): string {
  return text === null || text === undefined ? '' : `,"${name}":${quote(text)}`;
}

/** What the policy said, not how the exchange ended: an allowed request whose upstream failed was still allowed. */
export function decisionOf(exchange: Exchange, outcome: Outcome): OutcomeEvent['decision'] {
  if (exchange.permit === null) return 'deny';
  if (outcome.kind === 'refused' && exchange.upstreamSent === null) return 'deny';
  return exchange.softened === null ? 'allow' : 'would-deny';
}

function pathOf(exchange: Pick<Exchange, 'facts'>): string | null {
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
