import type { Denial } from '../model/denial.ts';
import type { Cancellation } from './cancellation.ts';

/** An exchange as far as stopping it goes. */
interface Stoppable {
  readonly agent: string | null;
  readonly cancellation: Cancellation;
}

/** The exchanges that are being carried, by agent: what an agent has under way can be ended at once. */
export class InFlight {
  readonly #byAgent = new Map<string, Set<Cancellation>>();

  enter({ agent, cancellation }: Stoppable): void {
    if (agent === null) return;
    const own = this.#byAgent.get(agent);
    if (own === undefined) this.#byAgent.set(agent, new Set([cancellation]));
    else own.add(cancellation);
  }

  leave({ agent, cancellation }: Stoppable): void {
    if (agent === null) return;
    const own = this.#byAgent.get(agent);
    own?.delete(cancellation);
    // An agent's set stays while it is busy: emptied and filled with every request, it would be made anew each time.
  }

  /** Ends every exchange of an agent with this denial. Returns how many there were. */
  stop(agent: string, denial: Denial): number {
    const own = [...(this.#byAgent.get(agent) ?? [])];
    for (const cancellation of own) cancellation.cancel(denial);
    return own.length;
  }
}
