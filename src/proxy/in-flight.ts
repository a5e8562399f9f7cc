import type { Denial } from '../model/denial.ts';
import type { Exchange } from './exchange.ts';

/** An exchange as far as stopping it goes, and what its intent says. */
export type Carried = Pick<
  Exchange,
  'agent' | 'session' | 'permit' | 'cancellation' | 'id' | 'facts' | 'address' | 'started'
>;

/** The exchanges that are being carried, by agent: what is under way can be ended at once. */
export class InFlight {
  readonly #byAgent = new Map<string, Set<Carried>>();

  enter(exchange: Carried): void {
    const { agent } = exchange;
    if (agent === null) return;
    const own = this.#byAgent.get(agent);
    if (own === undefined) this.#byAgent.set(agent, new Set([exchange]));
    else own.add(exchange);
  }

  leave(exchange: Carried): void {
    if (exchange.agent === null) return;
    // An agent's set stays while it is busy: emptied and filled with every request, it would be made anew each time.
    this.#byAgent.get(exchange.agent)?.delete(exchange);
  }

  /** All of them. */
  *all(): Generator<Carried> {
    for (const own of this.#byAgent.values()) yield* own;
  }

  /** Ends every exchange of these agents and capabilities with this denial. Returns how many there were. */
  stop(
    concerns: (agent: string, capability: string | null, session: string | null) => boolean,
    denial: Denial,
  ): number {
    let count = 0;
    for (const [agent, own] of this.#byAgent) {
      for (const { permit, session, cancellation } of own) {
        if (!concerns(agent, permit?.capability ?? null, session?.id ?? null)) continue;
        cancellation.cancel(denial);
        count++;
      }
    }
    return count;
  }
}
