import { consult, type Judgement } from '../decision-point/consult.ts';
import type { Denial } from '../model/denial.ts';
import type { Facts } from '../model/facts.ts';
import type { Session } from '../model/session.ts';
import type { Outcome } from '../model/outcome.ts';
import type { UsageMeter } from '../scan/usage.ts';
import { decide } from '../policy/decide.ts';
import type { AnswerReading } from './answer-reading.ts';
import { hold, look } from './body.ts';
import { Cancellation } from './cancellation.ts';
import { conclude } from './conclude.ts';
import type { Tunnel } from './tunnel.ts';
import type { Inspected, Inspection } from './inspection.ts';
import { gatherFacts } from './gather.ts';
import type { AgentRequest, Peer, Protocol } from './message.ts';
import { refuseExpired } from './principal.ts';
import { refuseHalted } from './refuse-halted.ts';
import type { Lease } from './lease.ts';
import { enforce, type Permit, type Softened } from './permit.ts';
import { prepare } from './prepare.ts';
import { record } from './record.ts';
import { outcomeOf } from './refusal.ts';
import { relay } from './relay.ts';
import { reserve } from './reserve.ts';
import { resolve } from './resolve.ts';
import { scanRequest } from './scan-request.ts';
import { scanResponse } from './scan-response.ts';
import type { Services } from './services.ts';
import type { Snapshot } from './snapshot.ts';
import type { ExchangeTrace } from '../telemetry/exchange-trace.ts';
import { COST } from './turns.ts';
import { transcribe, type Transcript } from './transcript.ts';
import { send } from './upstream.ts';

/** One request and its answer, as it becomes known. Hot: every member exists from the start. */
export interface Exchange {
  readonly id: string;
  readonly peer: Peer;
  readonly tunnel: Tunnel | null;
  /** What the agent spoke; null where it asked nothing. */
  readonly protocol: Protocol | null;
  /** Replaced once it is known who asks, and never after. */
  now: Snapshot;
  /** Clock readings in milliseconds; null, or 0 for the end, until reached. */
  readonly started: number;
  ended: number;
  upstreamSent: number | null;
  upstreamAnswered: number | null;
  /** Milliseconds `decide` took. */
  decisionTime: number | null;
  /** Milliseconds decision points took; null where none was asked. */
  consultTime: number | null;
  agent: string | null;
  session: Session | null;
  facts: Facts | null;
  permit: Permit | null;
  /** The denial that observing or warning did not enforce. */
  softened: Softened | null;
  /** What it may use up; null where nothing limits it. */
  lease: Lease | null;
  /** Looks at what leaves and what comes back; null until something is to leave. */
  inspection: Inspection | null;
  /** What the scanner found, where anything. */
  findings: Inspected[] | null;
  /** Its rules say that it is not to be scanned. */
  unscanned: boolean;
  /** Counts the tokens of the answer, where they are limited. */
  usage: UsageMeter | null;
  /** Reads the answer as it passes, where something is looked for in it. */
  reading: AnswerReading | null;
  /** What is noted of it for a trace; null where nobody traces. */
  readonly trace: ExchangeTrace | null;
  /** Writes down what is said; null where nobody asks for it. */
  transcript: Transcript | null;
  address: string | null;
  status: number | null;
  sent: number;
  received: number;
  /** Cuts the exchange off: the agent left, or was stopped. */
  readonly cancellation: Cancellation;
}

/** Serves one request and leaves its audit record, whatever happens. */
export async function serveExchange(
  request: AgentRequest,
  peer: Peer,
  tunnel: Tunnel | null,
  services: Services,
): Promise<void> {
  const exchange = openExchange(peer, tunnel, request, services);
  request.onAbort = () => exchange.cancellation.cancel(null);
  let outcome: Outcome;
  try {
    outcome = await carry(exchange, request, services);
  } catch (thrown) {
    outcome = outcomeOf(thrown, exchange, request.answer.begun);
  }
  request.onAbort = null;
  services.inFlight.leave(exchange);
  giveBack(exchange, services);
  conclude(exchange, outcome, request, services);
}

/** The life of a request. Each step needs the proof the one before it returns, so none can be skipped or moved. */
async function carry(exchange: Exchange, request: AgentRequest, services: Services): Promise<Outcome> {
  await turnOf(exchange, services);
  const asked = gatherFacts(request, exchange, services);
  services.inFlight.enter(exchange);
  const { facts, read } = await look(request, asked, exchange.now, services);
  exchange.facts = facts;
  const judgement = await judge(facts, exchange, services);
  const strict = services.halts.enforces(facts.agent);
  const permit = enforce(judgement, facts, exchange.tunnel?.latest ?? null, strict);
  keep(permit, exchange, services);
  const reservation = await reserve(permit, exchange, services.leases);
  const held = await hold(request, read, reservation, exchange, services);
  const said = transcribe(request, facts, held, permit, exchange, services);
  const body = await scanRequest(request, facts, said, permit, exchange, services);
  const address = await resolve(permit, exchange, services);
  const upstream = prepare(facts, request, body, permit, exchange.trace, services.pseudonym);
  const witness = await record(exchange, permit, address, services.audit);
  const response = await send(upstream, address, witness, exchange, request.answer, services);
  const scanned = scanResponse(response, exchange, services);
  const transfer = await relay(scanned, request.answer, exchange, permit, services);
  return { kind: 'delivered', status: response.head.status, transfer };
}

/** Resolves when this request may begin. Whose it is, is known by its tunnel, or by what its connection asked before. */
function turnOf({ agent, peer }: Exchange, { turns }: Services): Promise<void> {
  return turns.take(agent ?? peer.seat.owner ?? peer.source, COST.request);
}

/** What the rules say, and after them whoever else has a say. */
export function judge(facts: Facts, exchange: Exchange, services: Services): Judgement | Promise<Judgement> {
  const { agent, session } = exchange;
  refuseExpired(session, services);
  refuseHalted({ agent: agent ?? facts.agent, session, capability: null }, exchange.now, services);
  const { policy, decisionPoints } = exchange.now;
  exchange.trace?.step('decide');
  const began = performance.now();
  const decision = decide(facts, policy);
  const decided = performance.now();
  exchange.decisionTime = decided - began;
  const judgement = consult(decision, facts, decisionPoints);
  if (!(judgement instanceof Promise)) return judgement;
  return judgement.finally(() => (exchange.consultTime = performance.now() - decided));
}

/** What was reserved and not used is given back. */
export function giveBack({ lease, reading, upstreamSent }: Exchange, { leases }: Services): void {
  reading?.close();
  if (lease !== null) leases.settle(lease, upstreamSent !== null);
}

/** From here on the exchange is known by its capability: whoever stops that later finds it, and what was stopped before ends it. */
export function keep(permit: Permit, exchange: Exchange, services: Services): void {
  exchange.permit = permit;
  exchange.softened = permit.softened ?? exchange.softened;
  const { agent, capability } = permit;
  refuseHalted({ agent, session: exchange.session, capability }, exchange.now, services);
  if (exchange.tunnel !== null) exchange.tunnel.latest = permit;
}

let count = 0;

/** A new exchange under the snapshot of this moment. `request`: null where none was read. */
export function openExchange(
  peer: Peer,
  tunnel: Tunnel | null,
  request: AgentRequest | null,
  services: Services,
): Exchange {
  const { findings, softened } = foundIn(tunnel);
  return {
    id: `${services.instance}-${++count}`,
    peer,
    tunnel,
    protocol: request?.protocol ?? null,
    now:
      tunnel === null
        ? services.generations.stable
        : services.generations.snapshotFor(tunnel.agent, tunnel.session?.id ?? peer.source),
    started: performance.now(),
    ended: 0,
    upstreamSent: null,
    upstreamAnswered: null,
    decisionTime: null,
    consultTime: null,
    agent: tunnel?.agent ?? null,
    session: tunnel?.session ?? null,
    facts: null,
    permit: null,
    softened,
    lease: null,
    inspection: null,
    findings,
    unscanned: false,
    usage: null,
    reading: null,
    trace: services.tracer?.begin(request?.fields.values('traceparent') ?? NO_FIELD) ?? null,
    transcript: null,
    address: null,
    status: null,
    sent: 0,
    received: 0,
    cancellation: new Cancellation(),
  };
}

const NO_FIELD: readonly string[] = [];
const NOTHING_FOUND: Tunnel['found'] = { findings: null, softened: null };

/** What was found in the name of a tunnel's host stands on record once. */
function foundIn(tunnel: Tunnel | null): Tunnel['found'] {
  if (tunnel === null) return NOTHING_FOUND;
  const { found } = tunnel;
  tunnel.found = NOTHING_FOUND;
  return found;
}

/** Records a tunnel in which no request was ever read: refused at CONNECT, or failed before HTTP began. */
export function concludeTunnel(peer: Peer, tunnel: Tunnel, denial: Denial, services: Services): void {
  conclude(openExchange(peer, tunnel, null, services), { kind: 'refused', denial }, null, services);
}

/** Records a connection that was refused before it said anything HTTP can answer. */
export function concludeEntry(peer: Peer, agent: string | null, denial: Denial, services: Services): void {
  const exchange = openExchange(peer, null, null, services);
  exchange.agent = agent;
  conclude(exchange, { kind: 'refused', denial }, null, services);
}

/** Refuses a CONNECT outside any tunnel, for want of an agent or a target. */
export function concludeConnect(
  request: AgentRequest,
  peer: Peer,
  agent: string | null,
  denial: Denial,
  services: Services,
): void {
  const exchange = openExchange(peer, null, request, services);
  exchange.agent = agent;
  conclude(exchange, { kind: 'refused', denial }, request, services);
}
