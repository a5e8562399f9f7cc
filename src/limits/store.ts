/** One thing that is asked of a store. Everything one request asks for is given together, or nothing of it. */
export type Demand =
  /** One event: a request. */
  | { readonly kind: 'event'; readonly key: string; readonly limit: number; readonly window: number }
  /**
   * Bytes: as many as there are, at most `amount`, at least `least`. Demands of one `group` are for the same bytes: each is given
   * what all of them have.
   */
  | {
      readonly kind: 'amount';
      readonly key: string;
      readonly limit: number;
      readonly window: number;
      readonly amount: number;
      readonly least: number;
      readonly group: string;
    }
  /** A place among those under way, until it is given back or `lifetime` milliseconds pass without word. */
  | { readonly kind: 'place'; readonly key: string; readonly limit: number; readonly lifetime: number }
  /** One of a number of different members. */
  | {
      readonly kind: 'member';
      readonly key: string;
      readonly limit: number;
      readonly window: number;
      readonly member: string;
    };

/** What was given for a demand, with what it takes to give it back exactly. */
export interface Grant {
  readonly demand: Demand;
  /** Bytes; 1 for everything else. */
  readonly amount: number;
  /** Time, part of a window, or time of the use before (−1: none): what the store needs to take it back. */
  readonly mark: number;
  /** When it was given, in the clock of the store. */
  readonly at: number;
}

export type Reserved =
  | { readonly ok: true; readonly grants: readonly Grant[] }
  /** `demand` is the first that there was no room for. */
  | { readonly ok: false; readonly demand: Demand; readonly left: number; readonly wait: number };

/** What is returned: so much of a grant. Of an amount it may be less than nothing: then more was used than had been given. */
export interface Return {
  readonly grant: Grant;
  readonly amount: number;
}

/** Where counters live. Rejects with StoreError when it cannot answer. */
export interface CounterStore {
  /** Resolves once it can be asked, or it has taken too long to get ready. */
  whenReady(): Promise<void>;
  /** Gives everything that is demanded, or nothing. `id` names the request. */
  reserve(id: string, demands: readonly Demand[]): Promise<Reserved>;
  /** Takes back what was not used, as if it had never been given. */
  giveBack(id: string, returns: readonly Return[]): Promise<void>;
  /** Says that a request is still under way. */
  renew(id: string, demands: readonly Demand[]): Promise<void>;
  close(): Promise<void>;
}

/** The store cannot answer; its message is for operators. */
export class StoreError extends Error {
  override name = 'StoreError';
}
