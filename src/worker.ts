import { Socket } from 'node:net';
import type { AuditLog } from './audit/log.ts';
import { ConfigError } from './config/config.ts';
import { loadConfig } from './config/load.ts';
import { clock, metricsOf, openAudit } from './control-plane.ts';
import { openDataPlane, type DataPlane } from './data-plane.ts';
import { DecisionPointOpener } from './decision-point/open.ts';
import { RemoteStore } from './limits/stores/remote.ts';
import type { Halt } from './model/halt.ts';
import type { Asked, Welcome } from './primary.ts';
import { WAYS } from './proxy/entries.ts';
import { FollowedGenerations, type InForceNow } from './proxy/followed-generations.ts';
import { FollowedHalts } from './proxy/followed-halts.ts';
import type { Sessions } from './proxy/sessions.ts';
import { halter, openSessions, sessionEnder } from './proxy/stopping.ts';
import { openStore } from './proxy/store.ts';
import { ToolRegistry, toolsFile } from './proxy/tool-registry.ts';
import { Turns } from './proxy/turns.ts';
import { trust } from './proxy/trust.ts';
import { openLog, type Log } from './telemetry/log.ts';
import { loadAuthority } from './tls/authority.ts';
import { Channel } from './workers/channel.ts';
import type { HandOver } from './workers/fleet.ts';

/** A worker at work. */
interface Worker {
  readonly data: DataPlane;
  readonly audit: AuditLog;
  readonly handlers: Readonly<Record<string, (payload: never) => unknown>>;
  close(): void;
}

/** What its fleet hears of a worker. */
interface Said {
  readonly ready: null;
  readonly taken: number;
  readonly failed: string;
}

/** What the process that governs this one is asked and told. */
class Primary {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  ask<Name extends keyof Asked>(name: Name, payload: Asked[Name][0]): Promise<Asked[Name][1]> {
    return this.#channel.ask(name, payload) as Promise<Asked[Name][1]>;
  }

  tell<Name extends keyof Asked | keyof Said>(
    name: Name,
    payload: Name extends keyof Asked ? Asked[Name][0] : Name extends keyof Said ? Said[Name] : never,
  ): void {
    this.#channel.tell(name, payload);
  }
}

/** Composition root of a process that carries a share of a gate's traffic, as another one tells it. */
function openWorker(welcome: Welcome, primary: Primary): Worker {
  const { texts, lane, lanes, pseudonym, instance, inForce, ownPorts: ports } = welcome;
  const config = loadConfig({ file: null, environment: {}, flags: new Map(texts), workingFolder: process.cwd() });
  const log = openLog(config.log.level, config.log.format).child({ worker: lane });
  const upstreamTrust = trust(config.upstream.ca);
  const ownPorts = new Set(ports);
  const decisionPoints = new DecisionPointOpener(config.policy, upstreamTrust);
  const report = (...judged: Asked['judged'][0]): void => primary.tell('judged', judged);
  const generations = new FollowedGenerations(inForce, { config, decisionPoints, ownPorts, report });
  const metrics = metricsOf(generations);
  const halts = new FollowedHalts(welcome.halts, { clock, contain: (...asked) => primary.ask('contain', asked) });
  const sessions = openSessions(config, clock, null);
  const local = new RemoteStore((question) => primary.ask('store', question));
  const store = openStore(config, upstreamTrust, local, log, (answers) => metrics.storeAnswers(answers));
  const turns = new Turns(setImmediate);
  const writer = { lane, lanes, instance, defer: turns.after };
  const audit = openAudit(config, writer, metrics, log, (healthy) => primary.tell('audited', healthy));
  const data = openDataPlane({
    config,
    log,
    authority: loadAuthority(config.certs, new Date()),
    upstreamTrust,
    ticketKeys: Buffer.from(welcome.ticketKeys, 'base64'),
    ownPorts,
    generations,
    halts,
    sessions,
    tools: new ToolRegistry(toolsFile(config.state), clock, log, (news) => primary.tell('tool', news)),
    store,
    turns,
    audit,
    metrics,
    pseudonym,
    instance,
  });
  const { connections, services } = data;
  halts.start(halter(connections, services));
  sessions.listen({
    end: sessionEnder(connections, services),
    record: () => undefined,
    entered: (session) => primary.tell('entered', session),
  });
  const using = setInterval(() => tellUse(sessions, primary), REPORT);
  using.unref();
  const handlers = {
    halts: (all: readonly Halt[]) => halts.take(all),
    'in-force': (now: InForceNow) => follow(generations, now, log),
    'sessions-revoked': () => sessions.endAll(),
    authority: (keys: string) =>
      data.replaceAuthority(loadAuthority(config.certs, new Date()), Buffer.from(keys, 'base64')),
    metrics: () => metrics.registry.getMetricsAsJSON(),
    drain: () => data.drain(),
  };
  const close = (): void => {
    clearInterval(using);
    data.close();
    for (const each of [generations, sessions, decisionPoints, audit, metrics]) each.close();
  };
  return { data, audit, handlers, close };
}

/** How often what sessions have used is told, in milliseconds. */
const REPORT = 250;

function tellUse(sessions: Sessions, primary: Primary): void {
  const used = sessions.takeUse();
  if (used.length > 0) primary.tell('used', used);
}

/** A worker that cannot take up the rules in force must not go on with others: it ends, and the next one begins with them. */
function follow(generations: FollowedGenerations, now: InForceNow, log: Log): void {
  try {
    generations.follow(now);
  } catch (error) {
    log.fatal({ err: error }, 'this worker cannot take up the rules in force: it ends');
    process.exit(1);
  }
}

/** Serves as a worker of the gate that started this process, until that is gone. */
async function serve(): Promise<void> {
  const handlers: Record<string, (payload: never) => unknown> = {};
  const port = {
    send: (message: unknown) => void process.send?.(message, undefined, undefined, () => undefined),
    onMessage: (take: (message: unknown) => void) => void process.on('message', take),
  };
  // What is told before this worker is at work waits for it.
  let atWork = (): void => undefined;
  const working = new Promise<void>((resolve) => (atWork = resolve));
  const names = ['halts', 'in-force', 'sessions-revoked', 'authority', 'metrics', 'drain'];
  const later = (name: string) => (payload: never) => working.then(() => handlers[name]?.(payload));
  const heard = Object.fromEntries(names.map((name) => [name, later(name)]));
  const primary = new Primary(new Channel({ port, handlers: heard, failed: fail, defer: setImmediate }));
  ignoreSignals(primary);
  // What is not governed any more carries nothing.
  process.on('disconnect', () => process.exit(0));
  try {
    const welcome = await primary.ask('hello', null);
    const worker = openWorker(welcome, primary);
    Object.assign(handlers, worker.handlers);
    atWork();
    // Whatever ends this process, what has happened is written down.
    process.on('exit', () => worker.close());
    await worker.data.services.leases.store.whenReady();
    process.on('message', (message, socket) => takeIn(message, socket, worker.data, primary));
    primary.tell('ready', null);
  } catch (error) {
    primary.tell('failed', error instanceof ConfigError ? error.message : ((error as Error).stack ?? String(error)));
    setImmediate(() => process.exit(1));
  }
}

/** What could not be taken up leaves this worker behind the others: it ends, and the next one begins with what is so. */
function fail(name: string, error: unknown): never {
  process.stderr.write(`sallyport: a worker cannot take up "${name}": ${(error as Error).message}\n`);
  process.exit(1);
}

/** Serves a connection that is handed over. Null comes where it has ended on its way. */
function takeIn(message: unknown, socket: unknown, data: DataPlane, primary: Primary): void {
  if (Array.isArray(message)) return;
  const { connection, way: name } = message as HandOver;
  primary.tell('taken', connection);
  const way = WAYS.find((each) => each === name);
  if (way !== undefined && socket instanceof Socket) data.receive(way, socket);
}

/** Signals of the terminal reach every process of the gate: the one that governs says what becomes of them. */
function ignoreSignals(primary: Primary): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('SIGUSR1', () => primary.tell('halt', 'SIGUSR1 was sent to a worker'));
}

await serve();
