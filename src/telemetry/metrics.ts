import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { PolicyEvent } from '../model/audit-event.ts';
import { HALT_KINDS, type Halt } from '../model/halt.ts';
import { WATCH_KINDS, type WatchKind } from '../model/quarantine.ts';
import { REASONS, type Reason } from '../model/reason.ts';
import { HotCounter, HotHistogram } from './hot.ts';
import { AgentCounters } from './agent-counters.ts';
import { AuditMetrics } from './audit-metrics.ts';
import { TraceMetrics } from './trace-metrics.ts';

/** Agents that get a label of their own; the rest share `other`, so that a large fleet cannot flood the SOC's store. */
const MAX_AGENT_LABELS = 1000;
const SECONDS = [
  0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];
const DECISION_SECONDS = [
  0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.001, 0.01, 0.05, 0.2, 0.5, 1,
];

/** One finished exchange, as counters see it. */
export interface CountedExchange {
  readonly agent: string | null;
  readonly decision: 'allow' | 'deny' | 'would-deny';
  readonly reason: Reason | null;
  readonly capability: string | null;
  readonly totalSeconds: number;
  readonly decisionSeconds: number | null;
  readonly consultSeconds: number | null;
  readonly upstreamSeconds: number | null;
  readonly scanSeconds: number | null;
  readonly sent: number;
  readonly received: number;
}

/** What becomes a label. */
export interface KnownNames {
  readonly knownAgent: (name: string) => boolean;
  readonly knownCapability: (name: string) => boolean;
}

/** What is read of the traffic when Prometheus scrapes. */
export interface TrafficSources {
  readonly openTunnels: () => number;
  readonly openConnections: () => number;
  readonly leafCounts: () => { readonly mints: number; readonly hits: number };
  /** Connections for which there was no room. */
  readonly turnedAway: () => { readonly crowded: number; readonly silent: number };
  /** Requests and handshakes that wait for their turn. */
  readonly waiting: () => number;
}

/** What is read of workers. */
export interface FleetSources {
  /** How many there should be. */
  readonly workers: number;
  readonly ready: () => number;
}

/** What is read of halts and sessions. */
export interface StoppingSources {
  readonly halts: () => readonly Halt[];
  readonly sessions: () => number;
}

/** A finding, for counting. */
export interface CountedFinding {
  readonly family: string;
  readonly action: string;
  readonly direction: string;
  readonly agent: string | null;
}

/** What an agent is denied for what it asked: not for being unknown, and not because something else is away. */
function isOfTheAgent(reason: Reason | null): boolean {
  return reason !== null && reason !== 'agent-unknown' && REASONS[reason].status < 500;
}

/** Every metric of the gate. docs/reference/metrics.md describes them, and a test compares the two. */
export class Metrics {
  readonly registry = new Registry();
  readonly #names: KnownNames;
  readonly #agents = new Set<string>();
  readonly #requests = new HotCounter(
    'sallyport_requests_total',
    'Exchanges that ended, by agent, decision, reason and capability.',
    ['agent', 'decision', 'reason', 'capability'],
    this.registry,
  );
  readonly #bytes = new HotCounter(
    'sallyport_bytes_total',
    'Body bytes that passed, by direction (sent to upstreams, received from them).',
    ['direction'],
    this.registry,
  );
  readonly #total = new HotHistogram(
    'sallyport_request_seconds',
    'Time from the head of a request to the end of its exchange.',
    SECONDS,
    this.registry,
  );
  readonly #decision = new HotHistogram(
    'sallyport_decision_seconds',
    'Time the policy took to decide.',
    DECISION_SECONDS,
    this.registry,
  );
  readonly #consult = new HotHistogram(
    'sallyport_decision_point_seconds',
    'Time external policies took to answer, for requests they were asked about.',
    SECONDS,
    this.registry,
  );
  readonly #upstream = new HotHistogram(
    'sallyport_upstream_seconds',
    'Time from sending a request to the head of its answer.',
    SECONDS,
    this.registry,
  );
  readonly #findings = new Counter<'family' | 'action' | 'direction' | 'agent'>({
    name: 'sallyport_findings_total',
    help: 'What the scanner found, by family, action, direction and agent.',
    labelNames: ['family', 'action', 'direction', 'agent'],
    registers: [this.registry],
  });
  readonly #scan = new HotHistogram(
    'sallyport_scan_seconds',
    'Time the scanner worked for one exchange, its request and its answer.',
    DECISION_SECONDS,
    this.registry,
  );
  readonly #offloads = new Counter({
    name: 'sallyport_scan_offloads_total',
    help: 'Scans that took too long for the event loop and went to a thread of their own.',
    registers: [this.registry],
  });
  readonly #scanBudget = new Counter({
    name: 'sallyport_scan_budget_exceeded_total',
    help: 'Streams that could not be looked at: too costly, or in a form the gate cannot read.',
    registers: [this.registry],
  });
  readonly #loads = new Counter<'result'>({
    name: 'sallyport_policy_loads_total',
    help: 'Policy loads, by result.',
    labelNames: ['result'],
    registers: [this.registry],
  });
  readonly #policy = new Gauge<'generation'>({
    name: 'sallyport_policy_generation',
    help: 'Unix time at which the policy in force was loaded; its content hash is the label.',
    labelNames: ['generation'],
    registers: [this.registry],
  });
  readonly #changes = new Counter<'action'>({
    name: 'sallyport_policy_changes_total',
    help: 'Rules that came into force or were taken back, by action.',
    labelNames: ['action'],
    registers: [this.registry],
  });
  readonly #certificates = new Gauge<'certificate'>({
    name: 'sallyport_certificate_expires_seconds',
    help: 'Unix time at which a certificate ends.',
    labelNames: ['certificate'],
    registers: [this.registry],
    aggregator: 'min',
  });
  #generation = '';
  readonly #byAgent = new AgentCounters(this.registry);
  /** How the audit log does. */
  readonly audit: AuditMetrics = new AuditMetrics(this.registry);
  readonly traces: TraceMetrics = new TraceMetrics(this.registry);
  readonly #quarantines = new Counter<'cause'>({
    name: 'sallyport_quarantines_total',
    help: 'Times this gate contained an agent or a session by itself, by what it had too many of.',
    labelNames: ['cause'],
    registers: [this.registry],
  });
  readonly #storeAnswers = new Gauge({
    name: 'sallyport_store_available',
    help: '1 while the store of counters answers, 0 while it is away.',
    registers: [this.registry],
    aggregator: 'min',
  });
  readonly #storeFailures = new Counter({
    name: 'sallyport_store_failures_total',
    help: 'Times the store of counters went away.',
    registers: [this.registry],
  });
  #deaths: Counter | null = null;
  readonly #loopDelay = monitorEventLoopDelay({ resolution: 10 });

  constructor(names: KnownNames) {
    this.#names = names;
    this.#byAgent.know('');
    this.#requests.add(' deny agent-unknown ', () => ['', 'deny', 'agent-unknown', ''], 0);
    for (const action of ['loaded', 'canary', 'promoted', 'rolled-back']) this.#changes.inc({ action }, 0);
    for (const cause of WATCH_KINDS) this.#quarantines.inc({ cause }, 0);
    this.#storeAnswers.set(1);
    for (const result of ['loaded', 'failed']) this.#loads.inc({ result }, 0);
    collectDefaultMetrics({ register: this.registry, prefix: 'sallyport_' });
    this.#loopDelay.enable();
  }

  exchange(each: CountedExchange): void {
    const agent = this.#agentLabel(each.agent);
    const capability = each.capability !== null && this.#names.knownCapability(each.capability) ? each.capability : '';
    const reason = each.reason ?? '';
    this.#requests.add(
      `${agent} ${each.decision} ${reason} ${capability}`,
      () => [agent, each.decision, reason, capability],
      1,
    );
    if (each.decision === 'deny' && isOfTheAgent(each.reason)) this.#byAgent.denied(agent);
    this.#total.observe(each.totalSeconds);
    if (each.decisionSeconds !== null) this.#decision.observe(each.decisionSeconds);
    if (each.consultSeconds !== null) this.#consult.observe(each.consultSeconds);
    if (each.upstreamSeconds !== null) this.#upstream.observe(each.upstreamSeconds);
    if (each.scanSeconds !== null) this.#scan.observe(each.scanSeconds);
    if (each.sent > 0) this.#bytes.add('sent', () => ['sent'], each.sent);
    if (each.received > 0) this.#bytes.add('received', () => ['received'], each.received);
  }

  /** The scanner found something. */
  found({ family, action, direction, agent }: CountedFinding): void {
    const label = this.#agentLabel(agent);
    this.#findings.inc({ family, action, direction, agent: label });
    this.#byAgent.found(label, action);
  }

  /** A scan went to a thread of its own. */
  scanOffloaded(): void {
    this.#offloads.inc();
  }

  scanBudgetExceeded(): void {
    this.#scanBudget.inc();
  }

  /** Rules came into force or were taken back; `generation` is the one in force for all from now on. */
  policyChanged(action: PolicyEvent['action'], generation: string, seconds: number): void {
    this.#changes.inc({ action });
    if (action === 'canary' || generation === this.#generation) return;
    this.#generation = generation;
    this.#policy.reset();
    this.#policy.set({ generation }, seconds);
  }

  /** These are the agents of the rules in force: they are told of before they do anything. */
  agentsKnown(names: Iterable<string>): void {
    for (const name of names) this.#byAgent.know(this.#agentLabel(name));
  }

  /** When certificates end: Unix time in seconds. */
  certificatesEnd(ends: ReadonlyMap<string, number>): void {
    for (const [certificate, seconds] of ends) this.#certificates.set({ certificate }, seconds);
  }

  /** The rules were read, whether or not anything in them is new. */
  policyRead(result: 'loaded' | 'failed'): void {
    this.#loads.inc({ result });
  }

  /** The gate has contained somebody. */
  contained(cause: WatchKind): void {
    this.#quarantines.inc({ cause });
  }

  /** The store of counters went away, or answers again. */
  storeAnswers(answers: boolean): void {
    this.#storeAnswers.set(answers ? 1 : 0);
    if (!answers) this.#storeFailures.inc();
  }

  /** What is stopped, and sessions that have not ended, are read on each scrape from now on. */
  readStopping({ halts, sessions }: StoppingSources): void {
    new Gauge({
      name: 'sallyport_halts',
      help: 'What is halted, by kind; quarantines are told apart.',
      labelNames: ['kind'],
      registers: [this.registry],
      aggregator: 'max',
      collect() {
        this.reset();
        for (const kind of [...HALT_KINDS, 'quarantine']) this.set({ kind }, 0);
        for (const { kind, quarantine } of halts()) this.inc({ kind: quarantine === undefined ? kind : 'quarantine' });
      },
    });
    new Gauge({
      name: 'sallyport_sessions',
      help: 'Sessions that have not ended, as far as this gate has made or seen them.',
      registers: [this.registry],
      aggregator: 'max',
      collect() {
        this.set(sessions());
      },
    });
  }

  /** Processes that carry the traffic are read on each scrape from now on. */
  readFleet({ workers, ready }: FleetSources): void {
    new Gauge({
      name: 'sallyport_workers',
      help: 'Processes that carry traffic, by state: those that do, and those that should.',
      labelNames: ['state'],
      registers: [this.registry],
      collect() {
        this.set({ state: 'ready' }, ready());
        this.set({ state: 'wanted' }, workers);
      },
    });
    this.#deaths = new Counter({
      name: 'sallyport_worker_deaths_total',
      help: 'Workers that died and were replaced.',
      registers: [this.registry],
    });
  }

  workerDied(): void {
    this.#deaths?.inc();
  }

  close(): void {
    this.#loopDelay.disable();
    this.registry.clear();
  }

  /** What passes is read on each scrape from now on. */
  readTraffic(sources: TrafficSources): void {
    const registers = [this.registry];
    const delay = this.#loopDelay;
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers,
        aggregator: name.endsWith('_seconds') ? 'max' : 'sum',
        collect() {
          this.set(read());
        },
      });
    };
    const counter = (name: string, help: string, read: () => number): void => {
      new Counter({
        name,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    };
    gauge('sallyport_tunnels_open', 'CONNECT tunnels that are open.', sources.openTunnels);
    new Counter({
      name: 'sallyport_connections_turned_away_total',
      help: 'Connections for which there was no room, by cause: their agent had too many, or they said nothing.',
      labelNames: ['cause'],
      registers,
      collect() {
        this.reset();
        const { crowded, silent } = sources.turnedAway();
        this.inc({ cause: 'crowded' }, crowded);
        this.inc({ cause: 'silent' }, silent);
      },
    });
    gauge('sallyport_turns_waiting', 'Requests and handshakes that wait for their turn.', sources.waiting);
    gauge('sallyport_connections_open', 'Agent connections that are open.', sources.openConnections);
    gauge('sallyport_event_loop_lag_seconds', '99th percentile of the event loop delay since the last scrape.', () => {
      const lag = Math.max(0, delay.percentile(99) / 1e9 - 0.01);
      delay.reset();
      return Number.isFinite(lag) ? lag : 0;
    });
    counter('sallyport_leaf_mints_total', 'Leaf certificates made.', () => sources.leafCounts().mints);
    counter(
      'sallyport_leaf_cache_hits_total',
      'Handshakes served from the leaf cache.',
      () => sources.leafCounts().hits,
    );
  }

  #agentLabel(agent: string | null): string {
    if (agent === null || !this.#names.knownAgent(agent)) return '';
    if (this.#agents.has(agent)) return agent;
    if (this.#agents.size >= MAX_AGENT_LABELS) return 'other';
    this.#agents.add(agent);
    return agent;
  }
}
