import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { eventText } from './audit/chain.ts';
import type { AuditLog } from './audit/log.ts';
import { Delivery } from './audit/delivery/sinks/delivery.ts';
import { openAuditLog, type OpenAuditOptions } from './audit/open.ts';
import { ConfigError, type Config } from './config/config.ts';
import { loadSinks } from './config/load.ts';
import { RequestError, type Control } from './control/answer.ts';
import { listenAdmin } from './control/server.ts';
import { openToken } from './control/token.ts';
import { DecisionPointError, DecisionPointOpener } from './decision-point/open.ts';
import { errorCode } from './model/error-code.ts';
import { certificateEnds } from './proxy/certificate-ends.ts';
import type { PolicyEvent, SinkEvent } from './model/audit-event.ts';
import type { Sink } from './model/sink.ts';
import type { Problem } from './policy/problem.ts';
import { addressOf, listenFailure, portOf } from './proxy/entries.ts';
import { Generations, PolicyRequestError } from './proxy/generations.ts';
import type { Halts } from './proxy/halts.ts';
import { SessionRequestError, type Sessions } from './proxy/sessions.ts';
import { openHalts, openSessions } from './proxy/stopping.ts';
import { ToolRegistry, toolsFile } from './proxy/tool-registry.ts';
import { Turns } from './proxy/turns.ts';
import { trust } from './proxy/trust.ts';
import { Retention } from './proxy/retention.ts';
import type { Log } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import { openAuthority, type Authority } from './tls/authority.ts';
import { VERSION } from './version.ts';

export const clock = (): number => Date.now();

/** Which of a gate's processes this is. A gate of one process is the first of one; 0 has others carry its traffic. */
export interface Lane {
  readonly lane: number;
  readonly lanes: number;
}

/** What a gate is governed by: one of each, however many processes carry its traffic. */
export interface ControlPlane {
  readonly config: Config;
  readonly log: Log;
  readonly authority: Authority;
  readonly caCreated: boolean;
  readonly upstreamTrust: SecureContext;
  /** Ports of the gate itself, as they become known. */
  readonly ownPorts: Set<number>;
  readonly generations: Generations;
  readonly halts: Halts;
  readonly sessions: Sessions;
  readonly tools: ToolRegistry;
  readonly turns: Turns;
  readonly audit: AuditLog;
  readonly metrics: Metrics;
  /** This gate's name in `Via`. */
  readonly pseudonym: string;
  /** Loads the rules again; on any error the policy in force stays. Returns what is wrong. */
  reload(): readonly Problem[];
  close(): void;
}

/** Opens what governs a gate. Throws ConfigError. */
export function openControlPlane(config: Config, log: Log, lane: Lane): ControlPlane {
  // What is wrong with their files is said before anything is opened.
  const sinks = loadSinks(config.audit.sinks);
  const { authority, created } = openAuthority(config.certs, new Date());
  const ownPorts = new Set<number>();
  const upstreamTrust = trust(config.upstream.ca);
  const decisionPoints = new DecisionPointOpener(config.policy, upstreamTrust);
  const generations = openGenerations(config, decisionPoints, ownPorts, log);
  const pseudonym = `sallyport-${randomBytes(4).toString('hex')}`;
  const metrics = metricsOf(generations);
  const halts = openHalts(config, upstreamTrust, clock, log);
  try {
    return governing({
      config,
      log,
      lane,
      authority,
      caCreated: created,
      upstreamTrust,
      ownPorts,
      decisionPoints,
      generations,
      pseudonym,
      metrics,
      halts,
      sinks,
    });
  } catch (error) {
    // The board of halts may be in Redis, and a client that is open keeps the process alive.
    for (const each of [halts, generations, decisionPoints, metrics]) each.close();
    throw error;
  }
}

/** What is open when the rest of a control plane is. */
type Opened = Pick<
  ControlPlane,
  | 'config'
  | 'log'
  | 'authority'
  | 'caCreated'
  | 'upstreamTrust'
  | 'ownPorts'
  | 'generations'
  | 'pseudonym'
  | 'metrics'
  | 'halts'
> & {
  readonly lane: Lane;
  readonly decisionPoints: DecisionPointOpener;
  readonly sinks: readonly Sink[];
};

function governing({ lane, decisionPoints, sinks, ...opened }: Opened): ControlPlane {
  const { config, log, halts, generations, metrics, pseudonym } = opened;
  const sessions = openSessions(config, clock, log);
  for (const { kind, name, quarantine } of halts.all)
    if (kind === 'session' && quarantine === undefined) sessions.forget(name);
  const tools = openTools(config, log);
  const turns = new Turns(setImmediate);
  const audit = openAudit(config, { ...lane, instance: pseudonym, defer: turns.after }, metrics, log);
  metrics.policyRead('loaded');
  metrics.agentsKnown(generations.stable.policy.agents.keys());
  metrics.certificatesEnd(certificateEnds(config, opened.authority));
  metrics.readStopping({ halts: () => halts.all, sessions: () => sessions.list().length });
  const retention = new Retention(config, log);
  const delivery = openDelivery(sinks, { config, audit, metrics, log });
  const parts = { halts, sessions, generations, decisionPoints, retention, delivery, audit, metrics };
  const reload = (): readonly Problem[] => {
    const problems = generations.reload();
    metrics.policyRead(problems.length > 0 ? 'failed' : 'loaded');
    return problems;
  };
  const close = (): void => Object.values(parts).forEach((each) => each.close());
  const plane = { ...opened, sessions, tools, turns, audit, reload, close };
  generations.listen((event) => changed(event, plane));
  return plane;
}

/** Metrics of a process that judges by these rules. */
export function metricsOf(generations: Pick<Generations, 'knows'>): Metrics {
  return new Metrics({
    knownAgent: (name) => generations.knows('agent', name),
    knownCapability: (name) => generations.knows('capability', name),
  });
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
function changed(event: PolicyEvent, { audit, metrics, generations }: ControlPlane): void {
  audit.note(eventText(event));
  metrics.policyChanged(event.action, generations.stable.policy.generation, clock() / 1000);
  metrics.agentsKnown(generations.stable.policy.agents.keys());
}

/** Remembered tools of MCP servers. Throws ConfigError. */
function openTools(config: Config, log: Log): ToolRegistry {
  try {
    return new ToolRegistry(toolsFile(config.state), clock, log);
  } catch (error) {
    throw new ConfigError(`state: ${(error as Error).message}`);
  }
}

/** Where the keys are that sign the audit log. */
export function keyFolder({ state }: Pick<Config, 'state'>): string {
  return join(state, 'keys');
}

/** Opens the audit log of a process; `healthy` is told when it cannot be written, and when it can be again. Throws ConfigError. */
export function openAudit(
  config: Config,
  writer: Lane & Pick<OpenAuditOptions, 'instance' | 'defer'>,
  metrics: Metrics,
  log: Log,
  healthy: (healthy: boolean) => void = () => undefined,
): AuditLog {
  const folder = join(config.state, 'audit');
  const onTrouble = (error: unknown): void => {
    metrics.audit.troubled();
    log.error({ err: error }, 'the audit log is in trouble; what is recorded goes on');
  };
  const onState = (error: unknown): void => {
    healthy(error === null);
    if (error === null) log.info('the audit log can be written again');
    else log.fatal({ err: error }, 'the audit log cannot be written: every request is denied');
    if (error !== null) metrics.audit.failed();
  };
  try {
    const audit = openAuditLog({
      folder,
      keys: keyFolder(config),
      ...writer,
      ...config.audit,
      version: VERSION,
      clock,
      onState,
      onTrouble,
    });
    metrics.audit.read(audit);
    return audit;
  } catch (error) {
    throw new ConfigError(`state: the audit log cannot be opened in ${folder}: ${errorCode(error)}`);
  }
}

/** Takes the events of the audit log to where they are wanted. Throws ConfigError. */
function openDelivery(
  sinks: readonly Sink[],
  { config, audit, metrics, log }: Pick<ControlPlane, 'config' | 'audit' | 'metrics' | 'log'>,
): { close(): void } {
  if (sinks.length === 0) return { close: () => undefined };
  metrics.audit.sinks.known(sinks.map(({ name }) => name));
  const record = (event: Omit<SinkEvent, 'time'>): void => {
    log[event.action === 'recovered' ? 'info' : 'error'](
      { sink: event.sink, count: event.count },
      `sink ${event.sink}: ${event.action}, ${event.detail}`,
    );
    audit.note(eventText({ ...event, time: new Date(clock()).toISOString() }));
  };
  try {
    return new Delivery({
      log: join(config.state, 'audit'),
      places: join(config.state, 'sinks'),
      version: VERSION,
      sinks,
      clock,
      tell: (news) => (news.kind === 'record' ? record(news.event) : metrics.audit.sinks.report(news.report)),
      onLost: (error) =>
        log.error({ err: error }, 'the thread that sends to the sinks has died; another takes its place'),
    });
  } catch (error) {
    throw new ConfigError(`audit.sinks: ${(error as Error).message}`);
  }
}

/** What the admin listener is told by those who carry the traffic. */
export type TrafficControl = Pick<Control, 'unready' | 'metricsText'>;

/** The admin listener, open. */
export interface Admin {
  readonly address: string;
  close(): void;
}

/** Opens the admin listener; its port is the gate's own. Throws ConfigError. */
export async function openAdmin(plane: ControlPlane, traffic: TrafficControl): Promise<Admin> {
  const { admin } = plane.config.listen;
  const server = await listenAdmin(admin, controlOf(plane, traffic)).catch(listenFailure('listen.admin', admin));
  plane.ownPorts.add(portOf(server));
  return {
    address: addressOf(server),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What the admin listener may know of the gate, and ask of it. Throws ConfigError. */
function controlOf(plane: ControlPlane, { unready, metricsText }: TrafficControl): Control {
  const { config, metrics, generations, halts, sessions } = plane;
  return {
    unready,
    metricsText,
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
