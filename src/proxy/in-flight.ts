import type { Denial } from '../model/denial.ts';
import type { Cancellation } from './cancellation.ts';

/** An exchange as far as stopping it goes. */
interface Stoppable {
  readonly agent: string | null;
  readonly session: { readonly id: string } | null;
  readonly permit: { readonly capability: string | null } | null;
  readonly cancellation: Cancellation;
}

/** The exchanges that are being carried, by agent: what is under way can be ended at once. */
export class InFlight {
  readonly #byAgent = new Map<string, Set<Stoppable>>();

  enter(exchange: Stoppable): void {
    const { agent } = exchange;
    if (agent === null) return;
    const own = this.#byAgent.get(agent);
    if (own === undefined) this.#byAgent.set(agent, new Set([exchange]));
    else own.add(exchange);
  }

  leave(exchange: Stoppable): void {
    if (exchange.agent === null) return;
    // An agent's set stays while it is busy: emptied and filled with every request, it would be made anew each time.
    this.#byAgent.get(exchange.agent)?.delete(exchange);
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
