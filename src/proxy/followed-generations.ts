import type { Config } from '../config/config.ts';
import type { DecisionPointOpener } from '../decision-point/open.ts';
import type { DecisionPoints } from '../decision-point/decision-point.ts';
import { loadPolicy } from '../policy/load.ts';
import type { AgentPolicy, Policy } from '../policy/policy.ts';
import { NO_REQUESTS, type Tally } from '../policy/rollout.ts';
import { GenerationStore } from './generation-store.ts';
import { isKnown, pick, tenantIn } from './in-force.ts';
import { makeSnapshot, type GenerationView, type Snapshot } from './snapshot.ts';

/** Generations of rules in force, by their content hashes. */
export interface InForceNow {
  readonly stable: string;
  /** What a share of sessions tries out. */
  readonly canary: string | null;
}

export interface FollowedGenerationsOptions {
  readonly config: Config;
  readonly decisionPoints: DecisionPointOpener;
  readonly ownPorts: ReadonlySet<number>;
  /** Tells what was judged under a generation since it was last told. */
  readonly report: (generation: string, tally: Tally) => void;
}

/** How often counts are reported, in milliseconds. */
const REPORT = 250;

/** The generations of rules, in a process that is told by another which of them are in force. */
export class FollowedGenerations implements GenerationView {
  readonly #options: FollowedGenerationsOptions;
  readonly #store: GenerationStore;
  readonly #tallies = new Map<string, Tally>();
  readonly #timer: NodeJS.Timeout;
  #stable: Snapshot;
  #canary: Snapshot | null = null;

  /** Throws an Error whose message says what is wrong. */
  constructor(now: InForceNow, options: FollowedGenerationsOptions) {
    this.#options = options;
    this.#store = new GenerationStore(options.config.state);
    [this.#stable, this.#canary] = this.#load(now);
    this.#timer = setInterval(() => this.#report(), REPORT).unref();
  }

  get stable(): Snapshot {
    return this.#stable;
  }

  get canary(): Snapshot | null {
    return this.#canary;
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

  triesOut({ policy }: Snapshot): boolean {
    return policy === this.#canary?.policy;
  }

  count({ policy: { generation } }: Snapshot, denied: boolean): void {
    const tally = this.#tallies.get(generation) ?? NO_REQUESTS;
    this.#tallies.set(generation, { requests: tally.requests + 1, denied: tally.denied + (denied ? 1 : 0) });
  }

  /** These are in force from now on. Throws an Error, and changes nothing, where they cannot be had. */
  follow(now: InForceNow): void {
    [this.#stable, this.#canary] = this.#load(now);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#report();
  }

  #report(): void {
    for (const [generation, tally] of this.#tallies) this.#options.report(generation, tally);
    this.#tallies.clear();
  }

  #load(now: InForceNow): [Snapshot, Snapshot | null] {
    const stable = this.#policyOf(now.stable);
    const canary = now.canary === null ? null : this.#policyOf(now.canary);
    const points = this.#options.decisionPoints.open();
    // While two generations hold, callers may prove themselves by either.
    const callers = [...stable.agents.values(), ...(canary?.agents.values() ?? [])];
    const snapshotOf = (policy: Policy): Snapshot => this.#snapshotOf(policy, points, callers);
    return [snapshotOf(stable), canary === null ? null : snapshotOf(canary)];
  }

  #snapshotOf(policy: Policy, decisionPoints: DecisionPoints, callers: Iterable<AgentPolicy>): Snapshot {
    const { config, ownPorts } = this.#options;
    return makeSnapshot(policy, { routes: config.upstream, ownPorts: () => ownPorts, decisionPoints, callers });
  }

  /** As it stands in the folder of rules; else, where that has moved on, as it was kept. */
  #policyOf(generation: string): Policy {
    const known = [this.#stable as Snapshot | undefined, this.#canary].find(
      (each) => each?.policy.generation === generation,
    );
    if (known != null) return known.policy;
    for (const root of [this.#options.config.rules, this.#store.rootOf(generation)]) {
      const policy = root === null ? null : loadPolicy(root).policy;
      if (policy?.generation === generation) return policy;
    }
    throw new Error(`generation ${generation} of the rules cannot be found`);
  }
}
