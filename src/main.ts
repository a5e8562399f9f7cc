import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AuditLog } from './audit/log.ts';
import { GENESIS, eventText } from './audit/chain.ts';
import { SegmentFile, lastSegment } from './audit/sinks/segment-file.ts';
import { ConfigError, type Config } from './config/config.ts';
import { listenAdmin } from './control/server.ts';
import { Denial } from './model/denial.ts';
import { errorCode } from './model/error-code.ts';
import { FailureThrottle } from './identity/throttle.ts';
import { DnsNameService } from './network/resolver.ts';
import { loadPolicy } from './policy/load.ts';
import { formatProblem, type Problem } from './policy/problem.ts';
import { Connections } from './proxy/connections.ts';
import { addressOf, listenFailure, openEntries } from './proxy/entries.ts';
import { portOf } from './proxy/listener.ts';
import { Http2Pool } from './proxy/http2-pool.ts';
import { InFlight } from './proxy/in-flight.ts';
import { UpstreamPool } from './proxy/pool.ts';
import type { Services } from './proxy/services.ts';
import { makeSnapshot, type Snapshot } from './proxy/snapshot.ts';
import { ToolRegistry, toolsFile } from './proxy/tool-registry.ts';
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
  /** Stops taking connections and waits for exchanges to end, `drain` at most. */
  drain(): Promise<void>;
  /** Ends everything now. */
  close(): void;
}

/** Composition root: configuration in, a serving gate out. The only place that knows everything. */
export async function startGate(config: Config, log: Log): Promise<Gate> {
  const { authority, created } = openAuthority(config.certs, new Date());
  const rules = openRules(config, log);
  const connections = new Connections();
  const leaves = new LeafCache(authority, { limit: LEAVES, clock });
  const metrics = openMetrics(rules, connections, leaves);
  const services = openServices(config, rules, leaves, metrics, log);
  const { audit, pool, http2 } = services;

  const unready = (): string | null =>
    connections.draining ? 'draining' : audit.healthy ? null : 'the audit log cannot be written';
  const control = { unready, metricsText: () => metrics.registry.metrics(), metricsType: metrics.registry.contentType };
  const admin = await listenAdmin(config.listen.admin, control).catch(
    listenFailure('listen.admin', config.listen.admin),
  );
  const entries = await openEntries(config, connections, services).catch((error: unknown) => {
    admin.close();
    throw error;
  });
  for (const port of [portOf(admin), ...entries.ports]) rules.ownPorts.add(port);

  return {
    proxy: entries.addresses['proxy'] ?? '',
    admin: addressOf(admin),
    caFile: authority.certificateFile,
    caCreated: created,
    snapshot: () => rules.snapshot,
    reload: () => reload(config, rules, metrics, log),
    reloadAuthority: () => {
      leaves.replaceAuthority(loadAuthority(config.certs, new Date()));
      entries.renew();
    },
    halt: (agent) => {
      const count = services.inFlight.stop(agent, new Denial('halted', 'the agent has been halted'));
      connections.dismiss(agent, HALT_GRACE);
      return count;
    },
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
      pool.close();
      http2.close();
      audit.close();
      metrics.close();
    },
  };
}

/** The snapshot in force, and the ports no request may reach. */
interface Rules {
  snapshot: Snapshot;
  readonly ownPorts: Set<number>;
}

function openRules(config: Config, log: Log): Rules {
  const { policy, problems } = loadPolicy(config.rules);
  if (policy === null)
    throw new ConfigError(`the rules in ${config.rules} do not load:\n${problems.map(formatProblem).join('\n')}`);
  for (const problem of problems) log.warn(formatProblem(problem));
  const ownPorts = new Set<number>();
  return { snapshot: makeSnapshot(policy, config.upstream, () => ownPorts), ownPorts };
}

function reload(config: Config, rules: Rules, metrics: Metrics, log: Log): readonly Problem[] {
  const { policy, problems } = loadPolicy(config.rules);
  if (policy === null) {
    metrics.policyFailed();
    return problems;
  }
  for (const problem of problems) log.warn(formatProblem(problem));
  rules.snapshot = makeSnapshot(policy, config.upstream, () => rules.ownPorts);
  metrics.policyLoaded(policy.generation, clock() / 1000);
  return [];
}

function openMetrics(rules: Rules, connections: Connections, leaves: LeafCache): Metrics {
  const metrics = new Metrics({
    openTunnels: () => connections.tunnels,
    openConnections: () => connections.size,
    leafCounts: () => leaves.counts,
    knownAgent: (name) => rules.snapshot.policy.agents.has(name),
    knownCapability: (name) => rules.snapshot.policy.capabilities.has(name),
  });
  metrics.policyLoaded(rules.snapshot.policy.generation, clock() / 1000);
  return metrics;
}

function openServices(config: Config, rules: Rules, leaves: LeafCache, metrics: Metrics, log: Log): Services {
  const { resolvers: servers, timeouts, ca } = config.upstream;
  const pseudonym = `sallyport-${randomBytes(4).toString('hex')}`;
  return {
    snapshot: () => rules.snapshot,
    names: new DnsNameService({ servers, timeout: DNS_TIMEOUT, clock }),
    throttle: new FailureThrottle(clock),
    leaves,
    upstreamTrust: trust(ca),
    upstreamSessions: new Map(),
    audit: openAudit(config, pseudonym, metrics, log),
    tools: openTools(config, log),
    pool: new UpstreamPool(clock),
    http2: new Http2Pool(),
    inFlight: new InFlight(),
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
