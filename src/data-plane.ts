import type { Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SecureContext } from 'node:tls';
import { eventText } from './audit/chain.ts';
import type { AuditLog } from './audit/log.ts';
import { HttpPoster } from './audit/delivery/sinks/http-post.ts';
import { Transcripts } from './audit/transcripts/sinks/transcripts.ts';
import { ConfigError, type Config } from './config/config.ts';
import { clock } from './control-plane.ts';
import { FailureThrottle } from './identity/throttle.ts';
import type { CounterStore } from './limits/store.ts';
import type { WatchKind } from './model/quarantine.ts';
import { DnsNameService } from './network/resolver.ts';
import { loadDetectors } from './policy/load.ts';
import { Connections } from './proxy/connections.ts';
import { Crowd } from './proxy/crowd.ts';
import { connectionsFor, descriptorLimit } from './proxy/descriptors.ts';
import type { Way } from './proxy/entries.ts';
import type { HaltView } from './proxy/halt-set.ts';
import { Http2Pool } from './proxy/http2-pool.ts';
import { InFlight } from './proxy/in-flight.ts';
import { Leases } from './proxy/leases.ts';
import { UpstreamPool } from './proxy/pool.ts';
import { Quarantine } from './proxy/quarantine.ts';
import { intentsUnderWay } from './proxy/record.ts';
import { openReception, type Reception } from './proxy/reception.ts';
import { watchDocuments } from './proxy/document-store.ts';
import { watchRegistry } from './proxy/registry.ts';
import { Novelties } from './proxy/novelties.ts';
import { Scanners, scanKey } from './proxy/scanners.ts';
import type { Services } from './proxy/services.ts';
import type { Sessions } from './proxy/sessions.ts';
import type { GenerationView } from './proxy/snapshot.ts';
import type { ToolRegistry } from './proxy/tool-registry.ts';
import { Trails } from './proxy/trails.ts';
import type { Turns } from './proxy/turns.ts';
import type { Log } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { Tracer } from './telemetry/tracer.ts';
import type { Authority } from './tls/authority.ts';
import { LeafCache } from './tls/leaves.ts';
import { VERSION } from './version.ts';

const LEAVES = 2000;
const DNS_TIMEOUT = 3000;
/** Milliseconds a stopping gate waits for transcripts to be written. */
const TRANSCRIPTS = 5000;
/** The same for spans. */
const SPANS = 2000;
/** Connections of agents there may be where nobody says otherwise. */
const CONNECTIONS = 10_000;

/** What a process that carries traffic is given: by its own control plane, or by that of another process. */
export interface Governed {
  readonly config: Config;
  readonly log: Log;
  readonly authority: Authority;
  readonly upstreamTrust: SecureContext;
  readonly ticketKeys: Buffer;
  readonly ownPorts: Set<number>;
  readonly generations: GenerationView;
  readonly halts: HaltView;
  readonly sessions: Sessions;
  readonly tools: ToolRegistry;
  readonly store: CounterStore;
  readonly turns: Turns;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
  readonly pseudonym: string;
  readonly instance: string;
}

/** What carries the traffic of a gate, or a share of it. */
export interface DataPlane {
  readonly connections: Connections;
  readonly services: Services;
  /** Serves a connection that came in by this way. */
  receive(way: Way, socket: Socket): void;
  /** Takes up a new CA; leaves and session tickets of the old one are dropped. */
  replaceAuthority(authority: Authority, ticketKeys: Buffer): void;
  /** Waits for exchanges to end; whoever accepts connections has stopped. */
  drain(): Promise<void>;
  /** Ends everything now. */
  close(): void;
}

/** Opens what carries traffic. Throws ConfigError. */
export function openDataPlane(governed: Governed): DataPlane {
  const { config, log, metrics } = governed;
  const connections = new Connections();
  const leaves = new LeafCache(governed.authority, { limit: LEAVES, clock, ticketKeys: governed.ticketKeys });
  metrics.readTraffic({
    openTunnels: () => connections.tunnels,
    openConnections: () => connections.size,
    leafCounts: () => leaves.counts,
    turnedAway: () => services.crowd.turnedAway,
    waiting: () => services.turns.waiting,
  });
  const services = servicesOf(governed, leaves);
  governed.audit.readUnderWay(() => intentsUnderWay(services.inFlight.all()));
  const reception = receptionOf(config, connections, services);
  return {
    connections,
    services,
    receive: (way, socket) => reception.receive(way, socket),
    replaceAuthority: (authority, ticketKeys) => {
      leaves.replaceAuthority(authority, ticketKeys);
      reception.renew();
    },
    drain: async () => {
      if (!(await connections.drain(config.drain))) log.warn('the drain time is over; what is still open is cut off');
      await services.transcripts?.drain(TRANSCRIPTS);
      await services.tracer?.flush(SPANS);
    },
    close: () => {
      reception.close();
      connections.destroy();
      services.scanners.close();
      services.transcripts?.close();
      services.tracer?.close();
      void services.leases.close();
      services.pool.close();
      services.http2.close();
    },
  };
}

/** The store is this plane's from the start: it is closed with it, also where the plane does not open. */
function receptionOf(config: Config, connections: Connections, services: Services): Reception {
  try {
    return openReception(config, connections, services);
  } catch (error) {
    void services.leases.close();
    throw error;
  }
}

function servicesOf(governed: Governed, leaves: LeafCache): Services {
  const { config, log, metrics, halts, store, upstreamTrust } = governed;
  const { generations, sessions, tools, turns, audit, pseudonym, instance } = governed;
  const { resolvers: servers, timeouts } = config.upstream;
  const crowd = new Crowd(roomOf(config, log));
  const contained = (cause: WatchKind): void => metrics.contained(cause);
  return {
    generations,
    names: new DnsNameService({ servers, timeout: DNS_TIMEOUT, clock }),
    throttle: new FailureThrottle(clock),
    leaves,
    upstreamTrust,
    upstreamSessions: new Map(),
    scanners: scannersOf(config, generations, log),
    trails: new Trails(),
    novelties: new Novelties(),
    audit,
    tracer: openTracer(governed),
    transcripts: openTranscripts(governed),
    transcriptBody: config.audit.transcript.body,
    tools,
    pool: new UpstreamPool(clock),
    http2: new Http2Pool(),
    inFlight: new InFlight(),
    sessions,
    crowd,
    turns,
    halts,
    quarantine: new Quarantine({ store, halts, clock, log, contained }),
    leases: new Leases(store, log),
    metrics,
    log,
    timeouts,
    inspectBuffer: config.inspect.buffer,
    pseudonym,
    instance,
  };
}

/** Exports traces, where there is somebody to take them. Throws ConfigError. */
function openTracer({ config, instance, metrics, log }: Governed): Tracer | null {
  const { traces } = config;
  if (traces === null) return null;
  const { url, tokenFile, ca, share } = traces;
  try {
    const poster = new HttpPoster({ url: { text: url }, tokenFile, ca });
    return new Tracer({
      share,
      instance,
      version: VERSION,
      post: (body) => poster.post(body),
      onSpans: (result, count) => metrics.traces.spans(result, count),
      onState: (problem) => {
        if (problem === null) log.info('the collector takes spans again');
        else log.warn({ problem }, 'the collector does not take spans; those that wait for too long are given up');
      },
    });
  } catch (error) {
    throw new ConfigError(`traces.ca: ${(error as Error).message}`);
  }
}

/** Keeps transcripts, where there is somebody who can read them. Throws ConfigError. */
function openTranscripts({ config, audit, metrics, log }: Governed): Transcripts | null {
  const { recipients } = config.audit.transcript;
  if (recipients.length === 0) return null;
  try {
    const transcripts = new Transcripts({
      folder: join(config.state, 'transcripts'),
      recipients,
      clock,
      onKept: (exchange, objects) =>
        audit.note(eventText({ exchange, kind: 'transcript', objects, time: new Date(clock()).toISOString() })),
      onState: (problem) => {
        if (problem === null) log.info('transcripts can be written again');
        else log.error({ problem }, 'transcripts cannot be written: what asks for one is denied');
        if (problem !== null) metrics.audit.failed();
      },
    });
    metrics.audit.readTranscripts(() => transcripts.waiting);
    return transcripts;
  } catch (error) {
    throw new ConfigError(`audit.transcript.recipients: ${(error as Error).message}`);
  }
}

/** Detectors that ship with the gate. */
const DETECTORS = fileURLToPath(new URL('../rules/detectors', import.meta.url));

/** All detectors are compiled before anything is served. */
function scannersOf({ state }: Config, generations: GenerationView, log: Log): Scanners {
  const key = scanKey(join(state, 'scan.key'));
  const failed = (what: string) => (error: Error) => log.error({ err: error }, `${what} cannot be read`);
  const registry = watchRegistry(state, key, failed('registered values'));
  const documents = watchDocuments(state, key, failed('fingerprints of documents'));
  const scanners = new Scanners(() => loadDetectors(DETECTORS), registry, documents, key);
  scanners.enginesOf(generations.stable.policy);
  return scanners;
}

/** Connections this process may have of its agents: its share, and no more than it can open. */
function roomOf({ connections, workers }: Config, log: Log): number {
  const wanted = Math.ceil((connections.max ?? CONNECTIONS) / workers);
  const descriptors = descriptorLimit();
  const room = connectionsFor(wanted, descriptors);
  if (room < wanted && connections.max !== null)
    log.warn(
      { descriptors, wanted, room },
      'fewer connections than connections.max can be open: raise the limit of open files',
    );
  return room;
}
