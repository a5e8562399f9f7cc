import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { eventText } from './audit/chain.ts';
import { ConfigError, type Config } from './config/config.ts';
import { clock, openAdmin, openControlPlane, type ControlPlane } from './control-plane.ts';
import { ServedStore, type StoreQuestion } from './limits/stores/remote.ts';
import type { MemoryStore } from './limits/stores/memory.ts';
import type { Gate } from './main.ts';
import type { Session, SessionUse } from './model/session.ts';
import type { Halt } from './model/halt.ts';
import type { Tally } from './policy/rollout.ts';
import { certificateEnds } from './proxy/certificate-ends.ts';
import { openEntries, type Entries, type Way } from './proxy/entries.ts';
import type { InForceNow } from './proxy/followed-generations.ts';
import type { HaltView } from './proxy/halt-set.ts';
import { openLocalStore } from './proxy/store.ts';
import type { ToolNews } from './proxy/tool-registry.ts';
import { aggregatedText, retired, type ScrapedMetric } from './telemetry/aggregate.ts';
import type { Log } from './telemetry/log.ts';
import { loadAuthority } from './tls/authority.ts';
import { makeTicketKeys } from './tls/leaves.ts';
import { Fleet, FleetError, type Member } from './workers/fleet.ts';

/** What a worker is told when it starts. */
export interface Welcome {
  readonly texts: ReadonlyArray<readonly [string, readonly string[]]>;
  readonly lane: number;
  readonly lanes: number;
  readonly pseudonym: string;
  readonly instance: string;
  /** Base64. */
  readonly ticketKeys: string;
  readonly ownPorts: readonly number[];
  readonly halts: readonly Halt[];
  readonly inForce: InForceNow;
}

/** What becomes of what a worker asks for and tells, by name. */
export interface Asked {
  readonly hello: [null, Welcome];
  readonly store: [StoreQuestion, unknown];
  readonly contain: [Parameters<HaltView['quarantine']>, boolean];
  readonly entered: [Session, void];
  readonly used: [ReadonlyArray<readonly [string, SessionUse]>, void];
  readonly judged: [readonly [string, Tally], void];
  readonly tool: [ToolNews, void];
  readonly audited: [boolean, void];
  readonly halt: [string, void];
}

type Handlers = {
  readonly [Name in keyof Asked]: (payload: Asked[Name][0]) => Asked[Name][1] | Promise<Asked[Name][1]>;
};

/** Composition root of a gate of several processes: this one governs, the others carry the traffic. */
export async function startPrimary(config: Config, log: Log): Promise<Gate> {
  const control = openControlPlane(config, log, { lane: 0, lanes: config.workers });
  let primary: Primary | null = null;
  try {
    primary = new Primary(control, openLocalStore(config, clock, log));
    return await compose(control, primary);
  } catch (error) {
    // What was opened before a start fails keeps no process alive.
    (primary ?? control).close();
    throw error instanceof FleetError ? new ConfigError(error.message) : error;
  }
}

async function compose(control: ControlPlane, primary: Primary): Promise<Gate> {
  const admin = await openAdmin(control, primary.traffic);
  const close = (): void => {
    admin.close();
    primary.close();
  };
  const { addresses } = await primary.start().catch((error: unknown) => {
    admin.close();
    throw error;
  });
  return {
    proxy: addresses['proxy'] ?? '',
    admin: admin.address,
    entries: addresses,
    caFile: control.authority.certificateFile,
    caCreated: control.caCreated,
    snapshot: () => control.generations.stable,
    reload: () => control.reload(),
    reloadAuthority: () => primary.reloadAuthority(),
    killAll: (reason, by) => control.halts.kill({ kind: 'all', name: '' }, reason, by),
    drain: () => primary.drain(),
    close,
  };
}

/** How long a scrape waits for a worker, in milliseconds: Prometheus gives up after ten seconds. */
const SCRAPE = 5000;

/** The process that governs the workers. */
class Primary {
  readonly #control: ControlPlane;
  readonly #local: MemoryStore;
  readonly #fleet: Fleet;
  readonly #served = new Map<Member, ServedStore>();
  /** Workers that cannot write their audit log. */
  readonly #mute = new Set<Member>();
  readonly #scraped = new Map<Member, readonly ScrapedMetric[]>();
  #retired: Promise<readonly ScrapedMetric[]> = Promise.resolve([]);
  #ticketKeys = makeTicketKeys();
  #draining = false;
  #entries: Entries | null = null;

  constructor(control: ControlPlane, local: MemoryStore) {
    this.#control = control;
    this.#local = local;
    const size = control.config.workers;
    this.#fleet = new Fleet({
      size,
      program: fileURLToPath(new URL('./worker.js', import.meta.url)),
      handlers: (member) => this.#handlers(member),
      failed: (name, error) => control.log.error({ err: error, name }, 'what a worker told could not be taken up'),
      // What was counted is written down before a worker hears that it was.
      beforeSend: () => local.flush(),
      lost: (member, how) => this.#lost(member, how),
    });
    control.metrics.readFleet({ workers: size, ready: () => this.#fleet.ready });
  }

  get traffic(): { unready: () => string | null; metricsText: () => Promise<string> } {
    return { unready: () => this.#unready(), metricsText: () => this.#metricsText() };
  }

  /** Opens the ways in, and starts the workers once what they are told of can be told. Rejects with ConfigError and FleetError. */
  async start(): Promise<Entries> {
    const { halts, sessions, audit, config, generations, ownPorts, log } = this.#control;
    const receive = (way: Way, socket: Socket): void => this.#fleet.hand(way, socket);
    const entries = await openEntries(config, { receive, pauseOnConnect: true, log });
    this.#entries = entries;
    for (const port of entries.ports) ownPorts.add(port);
    sessions.listen({
      end: () => undefined,
      entered: () => undefined,
      record: (event) => {
        audit.note(eventText(event));
        if (event.action === 'keys-revoked') this.#fleet.tell('sessions-revoked', null);
      },
    });
    await halts.start({
      cut: ({ kind, name, quarantine }) => {
        if (kind === 'session' && quarantine === undefined) sessions.forget(name);
      },
      record: (event) => audit.note(eventText(event)),
      changed: () => this.#fleet.tell('halts', halts.all),
    });
    generations.whenChanged(() => this.#fleet.tell('in-force', this.#inForce()));
    await this.#fleet.start();
    return entries;
  }

  reloadAuthority(): void {
    // Read here first: what is wrong with it is said once, and changes nothing.
    const { config, metrics } = this.#control;
    metrics.certificatesEnd(certificateEnds(config, loadAuthority(config.certs, new Date())));
    this.#ticketKeys = makeTicketKeys();
    this.#fleet.tell('authority', this.#ticketKeys.toString('base64'));
  }

  async drain(): Promise<void> {
    this.#draining = true;
    this.#entries?.close();
    this.#fleet.stop();
    // They keep to the drain time themselves; one that hangs is not waited for much longer.
    await this.#fleet.ask('drain', null, this.#control.config.drain + SCRAPE);
  }

  close(): void {
    this.#entries?.close();
    this.#fleet.close();
    void this.#local.close();
    this.#control.close();
  }

  #handlers(member: Member): Handlers {
    const { halts, sessions, generations, tools } = this.#control;
    const served = new ServedStore(this.#local);
    this.#served.set(member, served);
    return {
      hello: () => this.#welcome(member),
      store: (question) => served.answer(question),
      contain: (asked) => halts.quarantine(...asked),
      entered: (session) => sessions.enter(session),
      used: (used) => used.forEach(([id, use]) => sessions.use(id, use)),
      judged: ([generation, tally]) => generations.countAll(generation, tally),
      tool: (news) => tools.learn(news),
      audited: (healthy) => void (healthy ? this.#mute.delete(member) : this.#mute.add(member)),
      halt: (reason) => halts.kill({ kind: 'all', name: '' }, reason, 'signal'),
    };
  }

  #welcome({ lane, incarnation }: Member): Welcome {
    const { config, pseudonym, ownPorts, halts } = this.#control;
    return {
      texts: [...config.texts],
      lane,
      lanes: config.workers,
      pseudonym,
      instance: `${pseudonym}-${incarnation}`,
      ticketKeys: this.#ticketKeys.toString('base64'),
      ownPorts: [...ownPorts],
      halts: halts.all,
      inForce: this.#inForce(),
    };
  }

  #inForce(): InForceNow {
    const { stable, canary } = this.#control.generations;
    return { stable: stable.policy.generation, canary: canary?.policy.generation ?? null };
  }

  #lost(member: Member, how: string): void {
    const { log, metrics } = this.#control;
    log.error({ worker: member.lane, how }, 'a worker died: another takes its place, and says what was interrupted');
    metrics.workerDied();
    this.#mute.delete(member);
    void this.#served.get(member)?.release();
    this.#served.delete(member);
    const last = this.#scraped.get(member);
    this.#scraped.delete(member);
    if (last !== undefined) this.#retired = this.#retired.then((before) => retired(before, last));
  }

  #unready(): string | null {
    if (this.#draining) return 'draining';
    if (this.#fleet.ready === 0) return 'no worker takes traffic';
    return this.#control.audit.healthy && this.#mute.size === 0 ? null : 'the audit log cannot be written';
  }

  async #metricsText(): Promise<string> {
    const own = (await this.#control.metrics.registry.getMetricsAsJSON()) as unknown as ScrapedMetric[];
    const answers = await this.#fleet.ask('metrics', null, SCRAPE);
    for (const { member, answer } of answers) this.#scraped.set(member, answer as ScrapedMetric[]);
    return aggregatedText([own, ...answers.map(({ answer }) => answer as ScrapedMetric[]), await this.#retired]);
  }
}
