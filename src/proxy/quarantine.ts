import { StoreError, type CounterStore, type Demand } from '../limits/store.ts';
import { MemoryStore } from '../limits/stores/memory.ts';
import type { Halt } from '../model/halt.ts';
import { watched, type QuarantineTerms, type Threshold, type WatchKind } from '../model/quarantine.ts';
import type { Reason } from '../model/reason.ts';
import type { Log } from '../telemetry/log.ts';
import type { AgentPolicy } from '../policy/policy.ts';
import type { Exchange } from './exchange.ts';
import type { HaltView } from './halt-set.ts';

export interface QuarantineOptions {
  /** Counts for all gates that share it. */
  readonly store: CounterStore;
  readonly halts: HaltView;
  readonly clock: () => number;
  readonly log: Log;
  /** Told when an agent is contained, and what for. */
  readonly contained: (cause: WatchKind) => void;
}

/** A denial, or what would have been one, as it is counted. */
interface Offence {
  readonly reason: Reason;
  /** Where to. */
  readonly target: string;
}

/** The gate's own brake: an agent that is refused too often, or found with something, is contained before a person looks. */
export class Quarantine {
  readonly #options: QuarantineOptions;
  /** Counts here while the store is away: what cannot be counted for all is counted all the same. */
  readonly #local: MemoryStore;

  constructor(options: QuarantineOptions) {
    this.#options = options;
    this.#local = new MemoryStore({ clock: options.clock, journal: null });
  }

  /** Takes note of how an exchange ended. `denied`: why it was refused, if it was. */
  watch(exchange: Exchange, denied: Reason | null): void {
    const reason = denied ?? exchange.softened?.reason ?? null;
    if (reason === null || exchange.agent === null) return;
    const kinds = watched(reason);
    if (kinds.length === 0) return;
    const agent = exchange.now.policy.agents.get(exchange.agent);
    const terms = agent?.quarantine ?? null;
    if (agent === undefined || terms === null || !concerns(terms, agent, denied !== null)) return;
    const target = exchange.facts?.target ?? exchange.tunnel?.target;
    const offence = { reason, target: target?.host.text ?? '' };
    for (const threshold of terms.thresholds)
      if (kinds.includes(threshold.kind)) this.#note(threshold, offence, exchange, agent);
  }

  #note(threshold: Threshold, offence: Offence, exchange: Exchange, agent: AgentPolicy): void {
    const terms = agent.quarantine as QuarantineTerms;
    const subject = subjectOf(terms, exchange, agent);
    this.#reached(threshold, offence, exchange, `${tagOf(agent)}/${subject.kind}/${subject.name}`)
      .then((reached) => (reached ? this.#contain(threshold, offence, subject, terms) : undefined))
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'an agent cannot be quarantined'));
  }

  /** Counts one more; whether that makes as many as there may not be. */
  async #reached(
    { kind, count, window }: Threshold,
    { target }: Offence,
    { id }: Exchange,
    base: string,
  ): Promise<boolean> {
    // The last one is never counted: there is room for one less than are too many.
    if (count === 1) return true;
    const key = `${base}/quarantine/${kind}/${window}`;
    const limit = count - 1;
    const demand: Demand =
      kind === 'unknown-hosts'
        ? { kind: 'member', key, limit, window, member: target }
        : { kind: 'event', key, limit, window };
    const ask = (store: CounterStore): Promise<boolean> =>
      store.reserve(`${id}/${kind}`, [demand]).then(({ ok }) => !ok);
    return ask(this.#options.store).catch((error: unknown) => {
      if (error instanceof StoreError) return ask(this.#local);
      throw error;
    });
  }

  async #contain(
    { kind, text }: Threshold,
    { reason, target }: Offence,
    subject: Pick<Halt, 'kind' | 'name'>,
    { does, duration }: QuarantineTerms,
  ): Promise<void> {
    const { halts, contained } = this.#options;
    const way = does === 'observe→enforce' ? 'enforce' : 'halt';
    const why = `${kind} reached ${text}; the last one: ${reason}${target === '' ? '' : `, ${target}`}`;
    if (await halts.quarantine(subject, way, why, duration)) contained(kind);
  }
}

/** A promise was made to agents that are only observed: nothing of theirs is stopped. They can be held to their rules. */
function concerns({ does }: QuarantineTerms, { mode }: AgentPolicy, denied: boolean): boolean {
  return does === 'observe→enforce' ? !denied || mode !== 'enforce' : denied;
}

/** Who is counted, and contained. An agent that came without a session is its own. */
function subjectOf(
  { does }: QuarantineTerms,
  { session }: Exchange,
  { name }: AgentPolicy,
): Pick<Halt, 'kind' | 'name'> {
  return does === 'kill-session' && session !== null ? { kind: 'session', name: session.id } : { kind: 'agent', name };
}

/** No tenant shares a counter with another. */
function tagOf({ tenant, name }: AgentPolicy): string {
  return `{${tenant === null ? `agent/${name}` : `tenant/${tenant}`}}`;
}
