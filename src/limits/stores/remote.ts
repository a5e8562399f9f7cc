import { StoreError, type CounterStore, type Demand, type Grant, type Reserved, type Return } from '../store.ts';

/** What a store that another process keeps is asked. */
export type StoreQuestion =
  | { readonly what: 'reserve'; readonly id: string; readonly demands: readonly Demand[] }
  | { readonly what: 'give-back'; readonly id: string; readonly returns: readonly Return[] }
  | { readonly what: 'renew'; readonly id: string; readonly demands: readonly Demand[] };

/** Counters that another process of this gate keeps. */
export class RemoteStore implements CounterStore {
  readonly #ask: (question: StoreQuestion) => Promise<unknown>;

  constructor(ask: (question: StoreQuestion) => Promise<unknown>) {
    this.#ask = ask;
  }

  whenReady(): Promise<void> {
    return Promise.resolve();
  }

  async reserve(id: string, demands: readonly Demand[]): Promise<Reserved> {
    return (await this.#answer({ what: 'reserve', id, demands })) as Reserved;
  }

  async giveBack(id: string, returns: readonly Return[]): Promise<void> {
    await this.#answer({ what: 'give-back', id, returns });
  }

  async renew(id: string, demands: readonly Demand[]): Promise<void> {
    await this.#answer({ what: 'renew', id, demands });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #answer(question: StoreQuestion): Promise<unknown> {
    return this.#ask(question).catch((error: unknown) => {
      throw new StoreError('the process that counts does not answer', { cause: error });
    });
  }
}

/** Answers for a store here what one process asks, and knows what it holds of it. */
export class ServedStore {
  readonly #store: CounterStore;
  /** Places that are taken, by request. */
  readonly #places = new Map<string, readonly Grant[]>();

  constructor(store: CounterStore) {
    this.#store = store;
  }

  async answer(question: StoreQuestion): Promise<Reserved | null> {
    const { what, id } = question;
    if (what === 'renew') await this.#store.renew(id, question.demands);
    else if (what === 'give-back') {
      if (question.returns.some(({ grant }) => grant.demand.kind === 'place')) this.#places.delete(id);
      await this.#store.giveBack(id, question.returns);
    } else {
      const reserved = await this.#store.reserve(id, question.demands);
      const places = reserved.ok ? reserved.grants.filter(({ demand }) => demand.kind === 'place') : [];
      if (places.length > 0) this.#places.set(id, places);
      return reserved;
    }
    return null;
  }

  /** The process that asked is dead: what it had under way takes no place any more. Budgets it had taken stay used. */
  async release(): Promise<void> {
    for (const [id, grants] of this.#places)
      await this.#store.giveBack(
        id,
        grants.map((grant) => ({ grant, amount: grant.amount })),
      );
    this.#places.clear();
  }
}
