import type { CounterStore, Demand, Grant, Return } from '../limits/store.ts';
import { Denial } from '../model/denial.ts';
import type { NoveltyMeter } from '../scan/novelty.ts';
import { UsageMeter } from '../scan/usage.ts';
import { isInBytes, type Limit } from '../model/limit.ts';

type AmountDemand = Extract<Demand, { kind: 'amount' }>;

/** A limit of somebody, with the demand that counts against it. */
export interface Claim {
  readonly limit: Limit;
  /** Whose limit it is, for people. */
  readonly whose: string;
  readonly demand: Demand;
}

/** Bytes asked for at a time, at most: fewer round trips than pieces, and little to give back. */
export const CHUNK = 256 * 1024;
/** A budget is never taken whole by one transfer that may not need it. */
const SHARE = 16;

/** How many bytes of a limit are asked for at a time. */
export function chunkOf({ count }: Limit): number {
  return Math.max(1, Math.min(CHUNK, Math.floor(count / SHARE)));
}

/** What becomes of a denial in the middle of a transfer: null where it ends it. */
export type Soften = ((denial: Denial) => void) | null;

/** Whose lease it is, and where it was taken. */
export interface LeaseTerms {
  readonly store: CounterStore;
  readonly id: string;
  readonly soften: Soften;
}

/** Bytes one way: what has been given and not yet been used. */
class Budget {
  readonly #store: CounterStore;
  readonly #id: string;
  #claims: readonly Claim[];
  readonly #soften: Soften;
  /** Each time bytes were given: a grant for each limit, all of the same size. */
  readonly #given: Array<readonly Grant[]> = [];
  #left = 0;
  #asking: Promise<void> | null = null;

  constructor({ store, id, soften }: LeaseTerms, claims: readonly Claim[]) {
    this.#store = store;
    this.#id = id;
    this.#claims = claims;
    this.#soften = soften;
  }

  take(grants: readonly Grant[]): void {
    if (grants.length === 0) return;
    this.#given.push(grants);
    this.#left += grants[0]?.amount ?? 0;
  }

  /** Uses bytes up; a promise where more must be asked for first, which rejects with the denial when there are none. */
  spend(size: number): Promise<void> | null {
    if (this.#claims.length === 0) return null;
    if (this.#asking === null && size <= this.#left) {
      this.#left -= size;
      return null;
    }
    // One after the other: two that ask at once would be given twice what they need.
    const turn = (this.#asking ?? Promise.resolve())
      .then(() => this.#spendMore(size))
      .catch((denial: Denial) => this.#overrun(denial));
    const quiet = turn.catch(() => undefined);
    this.#asking = quiet;
    void quiet.then(() => (this.#asking === quiet ? (this.#asking = null) : null));
    return turn;
  }

  /** Where a mode lets denials pass, the budget is counted no further; else the transfer ends here. */
  #overrun(denial: Denial): void {
    if (this.#soften === null) throw denial;
    this.#soften(denial);
    this.#claims = [];
  }

  async #spendMore(size: number): Promise<void> {
    if (this.#claims.length > 0 && size > this.#left) {
      const least = size - this.#left;
      const demands = this.#claims.map(({ demand, limit }): AmountDemand => ({
        ...(demand as AmountDemand),
        amount: Math.max(least, chunkOf(limit)),
        least,
      }));
      const reserved = await this.#store.reserve(this.#id, demands).catch(unavailable);
      if (!reserved.ok) throw refusal(this.#claims, reserved.demand.key, reserved.left, reserved.wait);
      this.take(reserved.grants);
    }
    this.#left = Math.max(0, this.#left - size);
  }

  /** What was given and not used, latest first; all of it where nothing was. */
  unused(all: boolean): Return[] {
    const returns: Return[] = [];
    let left = all ? Infinity : this.#left;
    for (const grants of this.#given.splice(0).reverse()) {
      const amount = Math.min(left, grants[0]?.amount ?? 0);
      if (amount > 0) returns.push(...grants.map((grant) => ({ grant, amount })));
      left -= amount;
    }
    this.#left = 0;
    return returns;
  }
}

/** What an exchange may use up, and has. */
export class Lease {
  readonly id: string;
  readonly #store: CounterStore;
  readonly #grants: readonly Grant[];
  readonly #upload: Budget;
  readonly #download: Budget;
  readonly #novel: Budget;
  /** Whether it is limited how much may leave that is new. */
  readonly countsNovelty: boolean;
  readonly #tokens: readonly Grant[];
  readonly #tokenClaims: readonly Claim[];
  readonly #soften: Soften;
  /** Finds out what the answer used; null where tokens are not limited, or there is no answer yet. */
  #meter: UsageMeter | null = null;
  readonly #measured: NoveltyMeter[] = [];
  #sent = 0;
  #settled = false;

  constructor(terms: LeaseTerms, claims: readonly Claim[], grants: readonly Grant[]) {
    this.id = terms.id;
    this.#store = terms.store;
    const of = (group: string): Claim[] =>
      claims.filter(({ demand }) => demand.kind === 'amount' && demand.group === group);
    const given = (group: string): Grant[] =>
      grants.filter(({ demand }) => demand.kind === 'amount' && demand.group === group);
    this.#grants = grants.filter(({ demand }) => demand.kind !== 'amount');
    this.#upload = new Budget(terms, of('upload'));
    this.#download = new Budget(terms, of('download'));
    this.#tokens = given('tokens');
    this.#tokenClaims = of('tokens');
    this.#soften = terms.soften;
    this.#novel = new Budget(terms, of('novel-upload'));
    this.countsNovelty = of('novel-upload').length > 0;
    this.#novel.take(given('novel-upload'));
    this.#upload.take(given('upload'));
    this.#download.take(given('download'));
  }

  /** Counts bytes that are about to leave. A promise where the store must be asked first; it rejects when they may not. */
  upload(size: number): Promise<void> | null {
    return this.#upload.spend(size);
  }

  /** Counts bytes that are about to leave and are new. */
  novel(size: number): Promise<void> | null {
    return size === 0 ? null : this.#novel.spend(size);
  }

  /** What this measured is known once the request has left. */
  keeps(meter: NoveltyMeter): NoveltyMeter {
    this.#measured.push(meter);
    return meter;
  }

  /** The same for bytes that are about to reach the agent. */
  download(size: number): Promise<void> | null {
    return this.#download.spend(size);
  }

  /** Begins to count the tokens of an answer, where they are limited, to a request of so many bytes. */
  meter(contentType: readonly string[], codings: readonly string[], sent: number): UsageMeter | null {
    if (this.#tokens.length === 0) return null;
    this.#sent = sent;
    return (this.#meter = new UsageMeter(contentType, codings));
  }

  /** Whether tokens are limited at all. */
  get countsTokens(): boolean {
    return this.#tokens.length > 0;
  }

  /** Counts tokens that a conversation under way says were used. Rejects with the denial where none are left for more. */
  async useTokens(used: number): Promise<void> {
    await this.#store
      .giveBack(
        this.id,
        this.#tokens.map((grant) => ({ grant, amount: -used })),
      )
      .catch(unavailable);
    const demands = this.#tokenClaims.map(({ demand }) => demand);
    const left = await this.#store.reserve(this.id, demands).catch(unavailable);
    if (left.ok) return;
    const denial = refusal(this.#tokenClaims, left.demand.key, left.left, left.wait);
    if (this.#soften === null) throw denial;
    this.#soften(denial);
  }

  /** Places that are taken as long as the exchange is under way. */
  get places(): Demand[] {
    return this.#grants.map(({ demand }) => demand).filter(({ kind }) => kind === 'place');
  }

  /** Gives back what was not used: everything, where the request never left. */
  async settle(left: boolean): Promise<void> {
    if (this.#settled) return;
    this.#settled = true;
    if (left) for (const meter of this.#measured) meter.keep();
    const events = this.#grants.filter(({ demand }) => demand.kind === 'place' || !left);
    const returns = [
      ...events.map((grant) => ({ grant, amount: grant.amount })),
      ...this.#upload.unused(!left),
      ...this.#download.unused(!left),
      ...this.#novel.unused(!left),
    ];
    // What waits for room should not wait for tokens to be counted.
    if (returns.length > 0) await this.#store.giveBack(this.id, returns);
    const used = (await this.#meter?.tokens(this.#sent)) ?? 0;
    if (used > 0)
      await this.#store.giveBack(
        this.id,
        this.#tokens.map((grant) => ({ grant, amount: -used })),
      );
  }
}

export function unavailable(cause: unknown): never {
  throw new Denial('store-unavailable', 'the counters cannot be reached', { cause });
}

/** What an agent is told whose limit is used up, with when to come back (RFC 9110 §10.2.3; draft-ietf-httpapi-ratelimit-headers). */
export function refusal(claims: readonly Claim[], key: string, left: number, wait: number): Denial {
  const claim = claims.find(({ demand }) => demand.key === key) as Claim;
  const { limit, whose } = claim;
  const seconds = String(Math.max(1, Math.ceil(wait / 1000)));
  const budget = isInBytes(limit.kind) || limit.kind === 'tokens';
  const what = limit.kind === 'concurrency' ? `${limit.text} exchanges at once` : `${limit.kind}: ${limit.text}`;
  const fields = ['RateLimit-Limit', String(limit.count), 'RateLimit-Remaining', String(left)];
  return new Denial(budget ? 'budget-exhausted' : 'rate-exceeded', `the limit of ${whose} is reached (${what})`, {
    headers: ['Retry-After', seconds, ...fields, 'RateLimit-Reset', seconds],
  });
}
