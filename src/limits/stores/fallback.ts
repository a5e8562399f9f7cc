import { StoreError, type CounterStore, type Demand, type Grant, type Reserved, type Return } from '../store.ts';

export interface FallbackOptions {
  readonly shared: CounterStore;
  /** Counts for this gate alone, while the shared store is away. */
  readonly local: CounterStore;
  /** Milliseconds it may be away before requests are denied all the same. */
  readonly grace: number;
  readonly clock: () => number;
}

/** A shared store with one of this gate's own behind it, for a while. */
export class FallbackStore implements CounterStore {
  readonly #options: FallbackOptions;
  /** Grants go back to whoever gave them. */
  readonly #own = new WeakSet<Grant>();
  #away: number | null = null;

  constructor(options: FallbackOptions) {
    this.#options = options;
  }

  whenReady(): Promise<void> {
    return this.#options.shared.whenReady();
  }

  async reserve(id: string, demands: readonly Demand[]): Promise<Reserved> {
    const { shared, local, grace, clock } = this.#options;
    try {
      const reserved = await shared.reserve(id, demands);
      this.#away = null;
      return reserved;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#away ??= clock();
      if (clock() - this.#away >= grace) throw error;
      const reserved = await local.reserve(id, demands);
      if (reserved.ok) for (const grant of reserved.grants) this.#own.add(grant);
      return reserved;
    }
  }

  async giveBack(id: string, returns: readonly Return[]): Promise<void> {
    const { shared, local } = this.#options;
    const own = returns.filter(({ grant }) => this.#own.has(grant));
    const others = returns.filter(({ grant }) => !this.#own.has(grant));
    if (own.length > 0) await local.giveBack(id, own);
    if (others.length > 0) await shared.giveBack(id, others);
  }

  async renew(id: string, demands: readonly Demand[]): Promise<void> {
    await this.#options.local.renew(id, demands);
    await this.#options.shared.renew(id, demands);
  }

  async close(): Promise<void> {
    await this.#options.local.close();
    await this.#options.shared.close();
  }
}
