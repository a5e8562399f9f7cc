import { isFloor, type Reason } from '../model/reason.ts';
import type { Outcome } from '../model/outcome.ts';
import type { Exchange } from './exchange.ts';
import type { AgentRequest } from './message.ts';
import { decisionOf, denialOf, outcomeText } from './record.ts';
import { refusalStatus, refuse } from './refusal.ts';
import type { ExchangeTrace } from '../telemetry/exchange-trace.ts';
import type { Services } from './services.ts';
import type { Transcript } from './transcript.ts';

/** The one place with consequences: the answer to the agent, the record, the counters, the log. */
export function conclude(exchange: Exchange, outcome: Outcome, request: AgentRequest | null, services: Services): void {
  if (request !== null) answerAgent(exchange, outcome, request);
  exchange.ended = performance.now();
  services.audit.note(outcomeText(exchange, outcome));
  count(exchange, outcome, request, services);
  // Rules that are tried out may be wrong: nobody is contained for what they refuse.
  if (!services.generations.triesOut(exchange.now))
    services.quarantine.watch(exchange, denialOf(outcome)?.reason ?? null);
  report(exchange, outcome, services);
  if (exchange.trace !== null) trace(exchange, exchange.trace, outcome, services);
  if (exchange.transcript !== null) void keep(exchange.transcript, services);
}

function trace(exchange: Exchange, noted: ExchangeTrace, outcome: Outcome, { tracer }: Services): void {
  const { id, started, ended, facts, tunnel, permit, agent, peer } = exchange;
  const target = facts?.target ?? tunnel?.target ?? null;
  const denial = denialOf(outcome);
  tracer?.end({
    trace: noted,
    id,
    started,
    ended,
    agent,
    method: facts?.method ?? null,
    scheme: target?.scheme ?? null,
    host: target?.host.text ?? null,
    port: target?.port ?? null,
    path: facts?.path.canonical ?? null,
    status: outcome.kind === 'refused' ? refusalStatus(outcome.denial, exchange) : outcome.status,
    source: peer.source,
    capability: permit?.capability ?? denial?.capability ?? null,
    rule: permit?.rule ?? denial?.rule ?? null,
    decision: decisionOf(exchange, outcome),
    reason: denial?.reason ?? exchange.softened?.reason ?? null,
    outcome: outcome.kind,
  });
}

/** What was said is kept once it is over. */
async function keep(transcript: Transcript, { transcripts, log }: Services): Promise<void> {
  try {
    transcripts?.keep(await transcript.end());
  } catch (error) {
    log.error({ err: error }, 'a transcript could not be made');
  }
}

function answerAgent(exchange: Exchange, outcome: Outcome, request: AgentRequest): void {
  if (outcome.kind === 'refused') refuse(request.answer, outcome.denial, exchange, request.method);
  else if (outcome.kind !== 'delivered') request.answer.destroy();
}

/** It was refused, and other rules might have allowed it. Somebody who showed no credentials may only want to be asked for them. */
function refusedByRules(reason: Reason | undefined, request: AgentRequest | null): boolean {
  if (reason === undefined) return false;
  return !isFloor(reason) || (reason === 'agent-unknown' && request !== null && request.credentials.length > 0);
}

function count(exchange: Exchange, outcome: Outcome, request: AgentRequest | null, services: Services): void {
  const { permit, upstreamSent, upstreamAnswered, inspection } = exchange;
  const denial = denialOf(outcome);
  const { session, sent, received } = exchange;
  if (session !== null)
    services.sessions.use(session.id, { requests: 1, denied: outcome.kind === 'refused' ? 1 : 0, sent, received });
  services.generations.count(exchange.now, refusedByRules(denial?.reason, request));
  services.metrics.exchange({
    agent: exchange.agent,
    decision: decisionOf(exchange, outcome),
    reason: denial?.reason ?? exchange.softened?.reason ?? null,
    capability: permit?.capability ?? denial?.capability ?? null,
    totalSeconds: (exchange.ended - exchange.started) / 1000,
    decisionSeconds: exchange.decisionTime === null ? null : exchange.decisionTime / 1000,
    consultSeconds: exchange.consultTime === null ? null : exchange.consultTime / 1000,
    upstreamSeconds:
      upstreamSent === null || upstreamAnswered === null ? null : (upstreamAnswered - upstreamSent) / 1000,
    scanSeconds: inspection === null || inspection.time === 0 ? null : inspection.time / 1000,
    sent,
    received,
  });
}

function report(exchange: Exchange, outcome: Outcome, services: Services): void {
  const { log } = services;
  const denial = denialOf(outcome);
  const { softened } = exchange;
  if (denial === null && softened === null && !log.isLevelEnabled('debug')) return;
  const target = exchange.facts?.target.key ?? exchange.tunnel?.target.key;
  const line = { exchange: exchange.id, agent: exchange.agent, method: exchange.facts?.method, target };
  if (denial?.reason === 'internal-fault') log.error({ ...line, err: denial.cause }, 'a fault');
  else if (denial !== null) log.info({ ...line, reason: denial.reason, detail: denial.message }, outcome.kind);
  else if (softened !== null) log.info({ ...line, reason: softened.reason, mode: exchange.permit?.mode }, 'would deny');
  else log.debug(line, outcome.kind);
}
