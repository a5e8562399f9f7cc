import type { ExchangeEvent } from '../model/audit-event.ts';
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
  exchange.address = address.how === 'pinned' ? `pinned ${address.addresses[0] ?? ''}:${address.port}` : (address.addresses[0] ?? null);
  await audit.append(eventOf(exchange, 'intent', null));
  return mintWitness({ exchange: exchange.id });
}

/** The event of an exchange: its intent, or with an outcome its end. Members in alphabetical order (audit/chain). */
export function eventOf(exchange: Exchange, kind: 'intent' | 'outcome', outcome: Outcome | null): ExchangeEvent {
  const { facts, permit, tunnel } = exchange;
  const denial = outcome !== null && (outcome.kind === 'refused' || outcome.kind === 'truncated') ? outcome.denial : null;
  const detail = denial?.message ?? permit?.softened?.detail;
  const target = facts?.target ?? tunnel?.target ?? null;
  const ended = kind === 'outcome' && outcome !== null;
  return {
    address: exchange.address,
    agent: exchange.agent,
    ...(ended ? { bytes: { received: exchange.received, sent: exchange.sent } } : {}),
    capability: permit?.capability ?? denial?.capability ?? null,
    decision: decisionOf(exchange, outcome),
    ...(detail === undefined || detail === '' ? {} : { detail }),
    exchange: exchange.id,
    host: target?.host.text ?? null,
    inspected: !(tunnel?.opaque ?? false),
    kind,
    method: facts?.method ?? null,
    ...(ended ? { milliseconds: Math.round((performance.now() - exchange.started) * 1000) / 1000 } : {}),
    mode: permit?.mode ?? null,
    ...(ended ? { outcome: outcome.kind } : {}),
    path: facts === null ? null : (facts.path.canonical ?? facts.path.raw),
    policy: exchange.now.policy.generation,
    port: target?.port ?? null,
    query: queryShape(facts?.query ?? null),
    reason: denial?.reason ?? permit?.softened?.reason ?? null,
    rule: permit?.rule ?? denial?.rule ?? null,
    scheme: target?.scheme ?? null,
    source: exchange.source,
    status: outcome === null ? null : outcome.kind === 'refused' ? outcome.denial.status : outcome.status,
    time: new Date().toISOString(),
    tunnel: tunnel?.id ?? null,
  };
}

/** What the policy said, not how the exchange ended: an allowed request whose upstream failed was still allowed. */
export function decisionOf(exchange: Exchange, outcome: Outcome | null): ExchangeEvent['decision'] {
  if (exchange.permit === null) return 'deny';
  if (outcome?.kind === 'refused' && exchange.upstreamSent === null) return 'deny';
  return exchange.permit.softened === null ? 'allow' : 'would-deny';
}

const NO_QUERY: ExchangeEvent['query'] = [];
const MAX_PARAMETERS = 100;

/** Names and lengths: what was asked can be seen, what was said in it cannot. */
function queryShape(query: string | null): ExchangeEvent['query'] {
  if (query === null || query === '') return NO_QUERY;
  return query.split('&', MAX_PARAMETERS).map((part) => {
    const equals = part.indexOf('=');
    // A part without "=" may be all value (?token): its length is told, its text is not.
    if (equals === -1) return { length: part.length, name: '' };
    return { length: part.length - equals - 1, name: part.slice(0, equals).slice(0, 100) };
  });
}

function mintWitness(parts: Omit<Witness, typeof witnessed>): Witness {
  return parts as Witness;
}
