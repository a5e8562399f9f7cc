import type { Config } from '../config/config.ts';
import { DecisionPointError, type DecisionPointOpener } from '../decision-point/open.ts';
import type { DecisionPoints } from '../decision-point/decision-point.ts';
import type { PolicyEvent } from '../model/audit-event.ts';
import { loadPolicy } from '../policy/load.ts';
import type { AgentPolicy, Policy } from '../policy/policy.ts';
import { fileProblem, formatProblem, type Problem } from '../policy/problem.ts';
import { NO_REQUESTS, tallyText, verdictOn, type Tally } from '../policy/rollout.ts';
import type { Log } from '../telemetry/log.ts';
import { GenerationStore, type GenerationState } from './generation-store.ts';
import type { GenerationStatus, PolicyStatus } from './generation-status.ts';
import { isKnown, pick, tenantIn } from './in-force.ts';
import { loadRules } from './rules-folder.ts';
import { makeSnapshot, type GenerationView, type Snapshot } from './snapshot.ts';

export interface GenerationsOptions {
  readonly config: Config;
  readonly decisionPoints: DecisionPointOpener;
  /** Ports of the gate itself, as they become known. */
  readonly ownPorts: ReadonlySet<number>;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly log: Log;
}

/** Rules under which requests are decided, since when, and what they refused. */
interface InForce {
  readonly policy: Policy;
  readonly since: number;
  snapshot: Snapshot;
  tally: Tally;
}

/** Rules that a share of sessions tries out. */
interface Canary extends InForce {
  /** What the others were refused meanwhile. */
  others: Tally;
  readonly before: Tally;
}

/** Somebody asked for what cannot be done now. */
export class PolicyRequestError extends Error {
  override name = 'PolicyRequestError';
}

/** Told of every change. */
export type PolicyListener = (event: PolicyEvent) => void;

/** Longest time a timer is set for. */
const MAX_TIMER = 3_600_000;

/**
 * The generations of rules: the one in force, the one a share of sessions tries out, and those before. A generation is known
 * by the content hash of its files. Whatever happens to the folder of rules, some generation that loaded is in force.
 */
export class Generations implements GenerationView {
  readonly #options: GenerationsOptions;
  readonly #store: GenerationStore;
  #points: DecisionPoints;
  #state: GenerationState;
  #stable: InForce;
  #canary: Canary | null = null;
  #timer: NodeJS.Timeout | null = null;
  #renewed: () => void = () => undefined;
  /** What happened before anybody listened. */
  #unheard: PolicyEvent[] = [];
  #listener: PolicyListener = (event) => void this.#unheard.push(event);

  /** Throws an Error whose message says what is wrong: rules that do not load, a state that was not written by a gate. */
  constructor(options: GenerationsOptions) {
    this.#options = options;
    const { config, log } = options;
    this.#store = new GenerationStore(config.state);
    this.#points = options.decisionPoints.open();
    this.#state = this.#store.read();
    const { policy, problems } = loadRules(config);
    if (policy === null)
      throw new Error(`the rules in ${config.rules} do not load:\n${problems.map(formatProblem).join('\n')}`);
    for (const problem of problems) log.warn(formatProblem(problem));
    const before = this.#before(policy.generation);
    this.#stable = this.#inForce(before ?? policy);
    if (before === null) this.#settle(policy, 'loaded', 'gate', 'the gate started with these rules');
    else this.#resume(before, policy);
  }

  /** The rules in force for all who are in no rollout. */
  get stable(): Snapshot {
    return this.#stable.snapshot;
  }

  get canary(): Snapshot | null {
    return this.#canary?.snapshot ?? null;
  }

  snapshotFor(agent: string, source: string): Snapshot {
    return pick(this, this.#options.config.rollout?.share ?? 1, agent, source);
  }

  knows(what: 'agent' | 'capability', name: string): boolean {
    return isKnown(this, what, name);
  }

  tenantOf(agent: string): string | null {
    return tenantIn(this, agent);
  }

  /** Calls back whenever what is in force was made anew, if only by being read again. */
  whenChanged(renewed: () => void): void {
    this.#renewed = renewed;
  }

  /** Hears of everything from the start on. */
  listen(listener: PolicyListener): void {
    this.#listener = listener;
    for (const event of this.#unheard.splice(0)) listener(event);
  }

  triesOut({ policy }: Snapshot): boolean {
    return policy === this.#canary?.policy;
  }

  /** Counts a request that was judged under a snapshot; what it adds up to may end a rollout. */
  count(now: Snapshot, denied: boolean): void {
    this.countAll(now.policy.generation, { requests: 1, denied: denied ? 1 : 0 });
  }

  /** The same for requests that other processes of this gate have judged. */
  countAll(generation: string, tally: Tally): void {
    const canary = this.#canary;
    const under = canary !== null && generation === canary.policy.generation ? canary : this.#stable;
    under.tally = added(under.tally, tally);
    if (canary === null) return;
    if (under === canary) this.#review();
    else canary.others = added(canary.others, tally);
  }

  /** Loads the rules again; on any error all stays as it was. Returns what is wrong. */
  reload(): readonly Problem[] {
    const { config, log } = this.#options;
    const { policy, problems } = loadRules(config);
    if (policy === null) return problems;
    try {
      this.#points = this.#options.decisionPoints.open();
    } catch (error) {
      if (error instanceof DecisionPointError) return [fileProblem(error.file, error.message)];
      throw error;
    }
    for (const problem of problems) log.warn(formatProblem(problem));
    this.#take(policy);
    return [];
  }

  /** Puts what is tried out, or what was taken back, in force for all. Throws PolicyRequestError where there is neither. */
  promote(by: string): void {
    if (this.#canary !== null) return this.#promote(by, `asked for; ${this.#figures(this.#canary)}`);
    const { policy } = loadRules(this.#options.config);
    if (policy === null) throw new PolicyRequestError('the rules in the folder do not load: see `sallyport check`');
    const { generation } = policy;
    if (generation === this.#stable.policy.generation)
      throw new PolicyRequestError(`generation ${generation} is in force already`);
    this.#settle(policy, 'promoted', by, 'asked for');
  }

  /** Takes back what is tried out; else goes back to the generation before. Throws PolicyRequestError where there is none. */
  rollback(by: string): void {
    if (this.#canary !== null) return this.#abort(by, `asked for; ${this.#figures(this.#canary)}`);
    const current = this.#stable.policy.generation;
    const earlier = this.#state.history.filter((each) => each.generation !== current).reverse();
    for (const { generation } of earlier) {
      const policy = this.#stored(generation);
      if (policy === null) continue;
      this.#reject(current, by, 'asked for');
      this.#settle(policy, 'rolled-back', by, `asked for; instead of ${current}`);
      return;
    }
    throw new PolicyRequestError('there is no earlier generation to go back to');
  }

  status(): PolicyStatus {
    const canary = this.#canary;
    const { share = 1, duration = 0 } = this.#options.config.rollout ?? {};
    const current = this.#stable.policy.generation;
    return {
      inForce: statusOf(this.#stable),
      canary:
        canary === null
          ? null
          : {
              ...statusOf(canary),
              share,
              until: new Date(canary.since + duration).toISOString(),
              others: canary.others,
            },
      rejected: this.#state.rejected,
      earlier: this.#state.history.filter((each) => each.generation !== current),
    };
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** The policy that was in force when the gate last ran, where the one in the folder is not simply to take its place. */
  #before(generation: string): Policy | null {
    const last = this.#state.history.at(-1)?.generation;
    if (last === undefined || last === generation) return null;
    const held = this.#options.config.rollout !== null || this.#isRejected(generation);
    return held ? this.#stored(last) : null;
  }

  /** Goes on where the gate stopped: with the rules of then in force, and those in the folder tried out or left out. */
  #resume(before: Policy, policy: Policy): void {
    const since = Date.parse(this.#state.history.at(-1)?.since ?? '');
    this.#stable = { ...this.#stable, since: Number.isNaN(since) ? this.#stable.since : since };
    this.#tell('loaded', before.generation, 'gate', 'the gate started with the rules that were in force before');
    this.#take(policy);
  }

  /** Rules as they stand in the folder: in force at once, or for a share of sessions, or not while they are rejected. */
  #take(policy: Policy): void {
    const { generation } = policy;
    const { config, log } = this.#options;
    if (generation === this.#stable.policy.generation) {
      if (this.#canary !== null) this.#abort('gate', 'the folder of rules went back to what is in force');
      this.#renew();
    } else if (generation === this.#canary?.policy.generation) this.#renew();
    else if (this.#isRejected(generation)) {
      log.warn(
        { generation, inForce: this.#stable.policy.generation },
        'these rules were rolled back and stay so: change them, or put them in force with `sallyport policy promote`',
      );
      this.#renew();
    } else if (config.rollout === null) this.#settle(policy, 'loaded', 'gate', 'the rules have changed');
    else this.#begin(policy);
  }

  #begin(policy: Policy): void {
    const { generation } = policy;
    const { log, config } = this.#options;
    const resumed = this.#state.canary?.generation === generation ? Date.parse(this.#state.canary.since) : NaN;
    const held = this.#inForce(policy);
    const since = Number.isNaN(resumed) ? held.since : resumed;
    this.#canary = { ...held, since, others: NO_REQUESTS, before: this.#stable.tally };
    this.#renew();
    this.#keep(generation);
    this.#remember({ ...this.#state, canary: { generation, since: new Date(since).toISOString() } });
    const share = `${Math.round((config.rollout?.share ?? 1) * 1000) / 10} %`;
    log.info({ generation, share }, 'changed rules are tried out');
    this.#tell('canary', generation, 'gate', `the rules have changed: ${share} of sessions try them out`);
    this.#review();
  }

  /** Ends a rollout that has shown enough, and waits for the rest of its time otherwise. */
  #review(): void {
    const canary = this.#canary;
    const terms = this.#options.config.rollout;
    if (canary === null || terms === null) return;
    const elapsed = this.#options.clock() - canary.since;
    const verdict = verdictOn(terms, elapsed, canary.tally, canary.others, canary.before);
    if (verdict === 'promote') this.#promote('gate', `the time is over; ${this.#figures(canary)}`);
    else if (verdict === 'abort') this.#abort('gate', `it refuses too much: ${this.#figures(canary)}`);
    else
      this.#timer ??= setTimeout(
        () => {
          this.#timer = null;
          this.#review();
        },
        Math.min(MAX_TIMER, Math.max(1, terms.duration - elapsed)),
      ).unref();
  }

  #promote(by: string, reason: string): void {
    if (this.#canary !== null) this.#settle(this.#canary.policy, 'promoted', by, reason);
  }

  #abort(by: string, reason: string): void {
    if (this.#canary === null) return;
    const { generation } = this.#canary.policy;
    this.#endCanary();
    this.#reject(generation, by, reason);
    this.#renew();
    this.#options.log.warn({ generation, reason, by }, 'the rules that were tried out are taken back');
    this.#tell('rolled-back', generation, by, reason);
  }

  /** Puts rules in force for all. */
  #settle(policy: Policy, action: PolicyEvent['action'], by: string, reason: string): void {
    const { generation } = policy;
    const previous = this.#state.history.at(-1)?.generation ?? null;
    const known = this.#store.rootOf(generation) !== null;
    this.#endCanary();
    this.#stable = this.#inForce(policy);
    this.#renew();
    if (!known) this.#keep(generation);
    const since = new Date(this.#stable.since).toISOString();
    const history = generation === previous ? this.#state.history : [...this.#state.history, { generation, since }];
    const rejected = this.#state.rejected.filter((each) => each.generation !== generation);
    this.#remember({ version: 1, history, canary: null, rejected });
    this.#tell(action, generation, by, reason, previous);
  }

  #endCanary(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#canary = null;
  }

  #reject(generation: string, by: string, reason: string): void {
    const time = new Date(this.#options.clock()).toISOString();
    const rejected = [...this.#state.rejected, { generation, time, by, reason }];
    this.#remember({ ...this.#state, canary: null, rejected });
  }

  #isRejected(generation: string): boolean {
    return this.#state.rejected.some((each) => each.generation === generation);
  }

  #stored(generation: string): Policy | null {
    const root = this.#store.rootOf(generation);
    const policy = root === null ? null : loadPolicy(root).policy;
    return policy?.generation === generation ? policy : null;
  }

  /** Copies are for going back: without them the gate goes on. */
  #keep(generation: string): void {
    try {
      this.#store.keep(generation, this.#options.config.rules);
    } catch (error) {
      this.#options.log.error(
        { err: error, generation },
        'the rules cannot be kept: there will be no going back to them',
      );
    }
  }

  #remember(state: GenerationState): void {
    this.#state = state;
    try {
      this.#state = this.#store.write(state);
    } catch (error) {
      this.#options.log.error({ err: error }, 'generations of rules cannot be remembered over a restart');
    }
  }

  /** Makes the snapshots anew. While two generations hold, callers may prove themselves by either. */
  #renew(): void {
    const agents = [...this.#stable.policy.agents.values(), ...(this.#canary?.policy.agents.values() ?? [])];
    for (const each of [this.#stable, this.#canary])
      if (each !== null) each.snapshot = this.#snapshotOf(each.policy, agents);
    this.#renewed();
  }

  #snapshotOf(policy: Policy, callers: Iterable<AgentPolicy>): Snapshot {
    const { config, ownPorts } = this.#options;
    const parts = { routes: config.upstream, ownPorts: () => ownPorts, decisionPoints: this.#points, callers };
    return makeSnapshot(policy, parts);
  }

  #inForce(policy: Policy): InForce {
    const snapshot = this.#snapshotOf(policy, policy.agents.values());
    return { policy, snapshot, since: this.#options.clock(), tally: NO_REQUESTS };
  }

  #figures({ tally, others }: Canary): string {
    return `refused ${tallyText(tally)} requests, the rules in force ${tallyText(others)}`;
  }

  #tell(action: PolicyEvent['action'], generation: string, by: string, reason: string, previous?: string | null): void {
    const time = new Date(this.#options.clock()).toISOString();
    const stands = previous === undefined ? this.#stable.policy.generation : previous;
    this.#listener({ action, by, generation, kind: 'policy', previous: stands, reason, time });
  }
}

function added(to: Tally, { requests, denied }: Tally): Tally {
  return { requests: to.requests + requests, denied: to.denied + denied };
}

function statusOf({ policy, since, tally }: InForce): GenerationStatus {
  return { generation: policy.generation, since: new Date(since).toISOString(), ...tally };
}
