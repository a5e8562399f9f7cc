import type { CounterStore } from '../limits/store.ts';
import type { Lease } from './lease.ts';
import type { Log } from '../telemetry/log.ts';

/** How often places are spoken up for, in milliseconds: three times before they would be given up. */
const SPEAK_UP = 20_000;

/** The leases of exchanges that are under way, and the store they are from. */
export class Leases {
  readonly store: CounterStore;
  readonly #log: Log;
  readonly #under = new Set<Lease>();
  readonly #timer: NodeJS.Timeout;

  constructor(store: CounterStore, log: Log) {
    this.store = store;
    this.#log = log;
    this.#timer = setInterval(() => this.#speakUp(), SPEAK_UP).unref();
  }

  enter(lease: Lease): void {
    this.#under.add(lease);
  }

  /** Gives back what an exchange did not use; `left`: its request went out. */
  settle(lease: Lease, left: boolean): void {
    this.#under.delete(lease);
    lease.settle(left).catch((error: unknown) => this.#log.warn({ err: error }, 'unused limits cannot be given back'));
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.allSettled([...this.#under].map((lease) => lease.settle(true)));
    await this.store.close();
  }

  #speakUp(): void {
    for (const lease of this.#under) {
      const { places } = lease;
      if (places.length === 0) continue;
      this.store
        .renew(lease.id, places)
        .catch((error: unknown) => this.#log.warn({ err: error }, 'limits of exchanges under way cannot be renewed'));
    }
  }
}
