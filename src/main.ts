import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { AuditLog } from './audit/log.ts';
import { GENESIS, eventText } from './audit/chain.ts';
import { SegmentFile, lastSegment } from './audit/sinks/segment-file.ts';
import { ConfigError, type Config } from './config/config.ts';
import { RequestError, type Control } from './control/answer.ts';
import { listenAdmin } from './control/server.ts';
import { openToken } from './control/token.ts';
import { DecisionPointError, DecisionPointOpener } from './decision-point/open.ts';
import { Denial } from './model/denial.ts';
import type { WatchKind } from './model/quarantine.ts';
import type { PolicyEvent } from './model/audit-event.ts';
import { errorCode } from './model/error-code.ts';
import { FailureThrottle } from './identity/throttle.ts';
import { DnsNameService } from './network/resolver.ts';
import type { Problem } from './policy/problem.ts';
import { Connections } from './proxy/connections.ts';
import { addressOf, listenFailure, openEntries } from './proxy/entries.ts';
import { portOf } from './proxy/listener.ts';
import { Generations, PolicyRequestError } from './proxy/generations.ts';
import { beginStopping, openHalts, openSessions } from './proxy/stopping.ts';
import { Http2Pool } from './proxy/http2-pool.ts';
import { InFlight } from './proxy/in-flight.ts';
import { Leases } from './proxy/leases.ts';
import { Quarantine } from './proxy/quarantine.ts';
import { UpstreamPool } from './proxy/pool.ts';
import type { Services } from './proxy/services.ts';
import { SessionRequestError, type Sessions } from './proxy/sessions.ts';
import type { Snapshot } from './proxy/snapshot.ts';
import { ToolRegistry, toolsFile } from './proxy/tool-registry.ts';
import { openStore } from './proxy/store.ts';
import { trust } from './proxy/trust.ts';
import type { Log } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import { loadAuthority, openAuthority } from './tls/authority.ts';
import { LeafCache } from './tls/leaves.ts';
import { VERSION } from './version.ts';

const LEAVES = 2000;
const DNS_TIMEOUT = 3000;
/** A halted agent is told so; what has not ended after this long, in milliseconds, is cut. */
const HALT_GRACE = 50;
const clock = (): number => Date.now();

/** A gate that serves. */
export interface Gate {
  readonly proxy: string;
  readonly admin: string;
  /** Every way in by its name, with the address it listens on. */
  readonly entries: Readonly<Record<string, string>>;
  readonly caFile: string;
  readonly caCreated: boolean;
  readonly snapshot: () => Snapshot;
  /** Loads the rules again; on any error the policy in force stays. Returns what is wrong. */
  reload(): readonly Problem[];
  /** Takes up a new CA from its files; leaves of the old one are dropped. Throws AuthorityError and changes nothing. */
  reloadAuthority(): void;
  /** Ends all that an agent has under way, each protocol with its goodbye. Returns the number of exchanges cut off. */
  halt(agent: string): number;
  /** Stops everything until somebody revives it. */
  killAll(reason: string, by: string): Promise<void>;
  /** Stops taking connections and waits for exchanges to end, `drain` at most. */
  drain(): Promise<void>;
  /** Ends everything now. */
  close(): void;
}

/** Composition root: configuration in, a serving gate out. The only place that knows everything. */
export async function startGate(config: Config, log: Log): Promise<Gate> {
  const { authority, created } = openAuthority(config.certs, new Date());
  const ownPorts = new Set<number>();
  const upstreamTrust = trust(config.upstream.ca);
  const decisionPoints = new DecisionPointOpener(config.policy, upstreamTrust);
  const generations = openGenerations(config, decisionPoints, ownPorts, log);
  const connections = new Connections();
  const leaves = new LeafCache(authority, { limit: LEAVES, clock });
  const metrics = openMetrics(generations, connections, leaves);
  const services = openServices({ config, generations, leaves, metrics, upstreamTrust, log });
  generations.listen((event) => changed(event, services));

  const admin = await listenAdmin(config.listen.admin, controlOf(config, connections, services))
    .catch(listenFailure('listen.admin', config.listen.admin))
    .catch(closing(() => closeAll(services, decisionPoints)));
  await services.leases.store.whenReady();
  await beginStopping(connections, services);
  const entries = await openEntries(config, connections, services).catch(
    closing(() => {
      admin.close();
      closeAll(services, decisionPoints);
    }),
  );
  for (const port of [portOf(admin), ...entries.ports]) ownPorts.add(port);

  return {
    proxy: entries.addresses['proxy'] ?? '',
    admin: addressOf(admin),
    caFile: authority.certificateFile,
    caCreated: created,
    snapshot: () => generations.stable,
    reload: () => {
      const problems = generations.reload();
      metrics.policyRead(problems.length > 0 ? 'failed' : 'loaded');
      return problems;
    },
    reloadAuthority: () => {
      leaves.replaceAuthority(loadAuthority(config.certs, new Date()));
      entries.renew();
    },
    halt: (agent) => {
      const count = services.inFlight.stop((each) => each === agent, new Denial('halted', 'the agent has been halted'));
      connections.dismiss((each) => each === agent, HALT_GRACE);
      return count;
    },
    killAll: (reason, by) => services.halts.kill({ kind: 'all', name: '' }, reason, by),
    entries: entries.addresses,
    drain: async () => {
      entries.close();
      if (!(await connections.drain(config.drain))) log.warn('the drain time is over; what is still open is cut off');
    },
    close: () => {
      entries.close();
      admin.close();
      admin.closeAllConnections();
      connections.destroy();
      closeAll(services, decisionPoints);
    },
  };
}

function closeAll(services: Services, decisionPoints: DecisionPointOpener): void {
  const { leases, pool, http2, halts, sessions, generations, audit, metrics } = services;
  void leases.close();
  for (const each of [pool, http2, halts, sessions, generations, decisionPoints, audit, metrics]) each.close();
}

/** What was opened before a start fails keeps no process alive. */
function closing(close: () => void): (error: unknown) => never {
  return (error) => {
    close();
    throw error;
  };
}

function openGenerations(
  config: Config,
  decisionPoints: DecisionPointOpener,
  ownPorts: ReadonlySet<number>,
  log: Log,
): Generations {
  try {
    return new Generations({ config, decisionPoints, ownPorts, clock, log });
  } catch (error) {
    if (error instanceof DecisionPointError) throw new ConfigError(`${error.file}: ${error.message}`);
    throw new ConfigError((error as Error).message);
  }
}

/** Puts a change of rules on record, and counts it. */
function changed(event: PolicyEvent, { audit, metrics, generations }: Services): void {
  audit.note(eventText(event));
  metrics.policyChanged(event.action, generations.stable.policy.generation, clock() / 1000);
}

/** What the admin listener may know of the gate, and ask of it. */
function controlOf(
  config: Config,
  connections: Connections,
  { audit, metrics, generations, halts, sessions }: Services,
): Control {
  return {
    unready: () => (connections.draining ? 'draining' : audit.healthy ? null : 'the audit log cannot be written'),
    metricsText: () => metrics.registry.metrics(),
    metricsType: metrics.registry.contentType,
    token: openAdminToken(config),
    policy: policyControl(generations),
    halts: {
      list: () => halts.all,
      kill: (what, reason, by) => halts.kill(what, reason, by),
      revive: (what, reason, by) => halts.revive(what, reason, by),
    },
    sessions: sessionControl(sessions, generations),
  };
}

function openAdminToken({ state }: Config): string {
  try {
    return openToken(state);
  } catch (error) {
    throw new ConfigError(`state: ${(error as Error).message}`);
  }
}

/** What the admin listener may ask about sessions. */
function sessionControl(sessions: Sessions, generations: Generations): Control['sessions'] {
  return {
    list: () => sessions.list(),
    create: (asked, by) => {
      try {
        return sessions.create(asked, generations.stable.policy, by);
      } catch (error) {
        throw error instanceof SessionRequestError ? new RequestError(409, error.message, error) : error;
      }
    },
    rotateKeys: (by) => sessions.rotateKeys(by),
    revokeAll: (by) => sessions.revokeAll(by),
  };
}

/** What the admin listener may ask of the rules. */
function policyControl(generations: Generations): Control['policy'] {
  const asking = (change: () => void): void => {
    try {
      change();
    } catch (error) {
      throw error instanceof PolicyRequestError ? new RequestError(409, error.message, error) : error;
    }
  };
  return {
    status: () => generations.status(),
    promote: (by) => asking(() => generations.promote(by)),
    rollback: (by) => asking(() => generations.rollback(by)),
  };
}

function openMetrics(generations: Generations, connections: Connections, leaves: LeafCache): Metrics {
  const metrics = new Metrics({
    openTunnels: () => connections.tunnels,
    openConnections: () => connections.size,
    leafCounts: () => leaves.counts,
    knownAgent: (name) => generations.knows('agent', name),
    knownCapability: (name) => generations.knows('capability', name),
  });
  metrics.policyRead('loaded');
  return metrics;
}

/** What services are made of. */
interface Parts {
  readonly config: Config;
  readonly generations: Generations;
  readonly leaves: LeafCache;
  readonly metrics: Metrics;
  readonly upstreamTrust: SecureContext;
  readonly log: Log;
}

function openServices({ config, generations, leaves, metrics, upstreamTrust, log }: Parts): Services {
  const { resolvers: servers, timeouts } = config.upstream;
  const pseudonym = `sallyport-${randomBytes(4).toString('hex')}`;
  const halts = openHalts(config, upstreamTrust, clock, log);
  const sessions = openSessions(config, clock);
  const store = openStore(config, upstreamTrust, clock, log, (answers) => metrics.storeAnswers(answers));
  metrics.alsoRead({ halts: () => halts.all, sessions: () => sessions.list().length });
  const contained = (cause: WatchKind): void => metrics.contained(cause);
  return {
    generations,
    names: new DnsNameService({ servers, timeout: DNS_TIMEOUT, clock }),
    throttle: new FailureThrottle(clock),
    leaves,
    upstreamTrust,
    upstreamSessions: new Map(),
    audit: openAudit(config, pseudonym, metrics, log),
    tools: openTools(config, log),
    pool: new UpstreamPool(clock),
    http2: new Http2Pool(),
    inFlight: new InFlight(),
    sessions,
    halts,
    quarantine: new Quarantine({ store, halts, clock, log, contained }),
    leases: new Leases(store, log),
    metrics,
    log,
    timeouts,
    inspectBuffer: config.inspect.buffer,
    pseudonym,
  };
}

function openTools(config: Config, log: Log): ToolRegistry {
  try {
    return new ToolRegistry(toolsFile(config.state), clock, log);
  } catch (error) {
    throw new ConfigError(`state: ${(error as Error).message}`);
  }
}

function openAudit(config: Config, instance: string, metrics: Metrics, log: Log): AuditLog {
  const folder = join(config.state, 'audit');
  try {
    const predecessor = lastSegment(folder);
    const sink = new SegmentFile(folder, new Date());
    const onState = (error: unknown): void => {
      if (error === null) log.info('the audit log can be written again');
      else log.fatal({ err: error }, 'the audit log cannot be written: every request is denied');
      if (error !== null) metrics.auditFailed();
    };
    const audit = new AuditLog({
      sink,
      previous: predecessor?.hash ?? GENESIS,
      defer: setImmediate,
      onState,
    });
    const segment = {
      instance,
      kind: 'segment',
      previous: predecessor?.name ?? null,
      time: new Date().toISOString(),
      torn: predecessor?.torn ?? 0,
      version: VERSION,
    } as const;
    audit
      .append(eventText(segment), null)
      .catch((error: unknown) => log.fatal({ err: error }, 'the audit log cannot be written'));
    return audit;
  } catch (error) {
    throw new ConfigError(`state: the audit log cannot be opened in ${folder}: ${errorCode(error)}`);
  }
}
