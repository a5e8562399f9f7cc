import type { SecureContext } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { StoreAddress } from '../../model/store-address.ts';
import { StoreError, type CounterStore, type Demand, type Grant, type Reserved, type Return } from '../store.ts';
import { EXACT } from '../window.ts';
import { GIVE_BACK, RENEW, RESERVE } from './script.ts';

export interface RedisStoreOptions {
  readonly address: StoreAddress;
  /** Milliseconds a call may take. */
  readonly timeout: number;
  /** Whose certificates are trusted, where the address asks for TLS. */
  readonly trust: SecureContext;
  /** Told once when the store goes away, and once when it is back. */
  readonly onState: (error: Error | null) => void;
  /** Time in milliseconds in place of Redis's own, for tests. */
  readonly clock?: () => number;
}

/** Keys live below this name. */
const PREFIX = 'sallyport:';
/** Longest pause between two tries to reach a server that is gone. */
const MAX_PAUSE = 1000;

/** The calls of `script.ts`, as the client knows them once they are defined. */
interface Scripts {
  sallyportReserve(keys: number, ...words: Array<string | number>): Promise<Array<number | string>>;
  sallyportGiveBack(keys: number, ...words: Array<string | number>): Promise<number>;
  sallyportRenew(keys: number, ...words: Array<string | number>): Promise<number>;
}

/**
 * Counters that any number of gates share: one server, Sentinel, or Cluster. Every call is one script, so what it does is done
 * whole or not at all; a call that is not answered in time is not sent again, for it may have been done.
 */
export class RedisStore implements CounterStore {
  readonly #client: (Redis | Cluster) & Scripts;
  readonly #options: RedisStoreOptions;
  #down = false;

  constructor(options: RedisStoreOptions) {
    this.#options = options;
    const client = connectRedis(options);
    client.defineCommand('sallyportReserve', { lua: RESERVE });
    client.defineCommand('sallyportGiveBack', { lua: GIVE_BACK });
    client.defineCommand('sallyportRenew', { lua: RENEW });
    client.on('ready', () => this.#report(null));
    client.on('error', (error: Error) => this.#report(error));
    client.on('close', () => this.#report(new Error('the connection is closed')));
    this.#client = client as typeof client & Scripts;
  }

  /** Resolves once the store can be asked, or `timeout` is over. */
  async whenReady(): Promise<void> {
    if (this.#client.status === 'ready') return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#options.timeout);
      this.#client.once('ready', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async reserve(id: string, demands: readonly Demand[]): Promise<Reserved> {
    const words = demands.flatMap(wordsOf);
    const answer = await this.#ask(() =>
      this.#client.sallyportReserve(demands.length, ...keysOf(demands), this.#now(), id, ...words),
    );
    const numbers = answer.map(Number);
    if (numbers[0] !== 1) {
      const [, index = 1, left = 0, wait = 0] = numbers;
      return { ok: false, demand: demands[index - 1] as Demand, left, wait };
    }
    const at = numbers[1] as number;
    const grants = demands.map((demand, index): Grant => {
      const [amount = 0, mark = 0] = numbers.slice(2 + index * 2);
      return { demand, amount, mark, at };
    });
    return { ok: true, grants };
  }

  async giveBack(id: string, returns: readonly Return[]): Promise<void> {
    const keys = keysOf(returns.map(({ grant }) => grant.demand));
    const words = returns.flatMap(({ grant: { demand, mark, at }, amount }) => {
      const exact = demand.kind === 'event' && demand.limit <= EXACT;
      const kind = exact ? 'exact' : demand.kind === 'place' || demand.kind === 'member' ? demand.kind : 'parts';
      return [kind, amount, mark, at, demand.kind === 'member' ? demand.member : ''];
    });
    await this.#ask(() => this.#client.sallyportGiveBack(returns.length, ...keys, id, ...words));
  }

  async renew(id: string, demands: readonly Demand[]): Promise<void> {
    const places = demands.filter((demand) => demand.kind === 'place');
    if (places.length === 0) return;
    const lifetimes = places.map(({ lifetime }) => lifetime);
    await this.#ask(() => this.#client.sallyportRenew(places.length, ...keysOf(places), this.#now(), id, ...lifetimes));
  }

  close(): Promise<void> {
    this.#client.removeAllListeners('close');
    this.#client.disconnect();
    return Promise.resolve();
  }

  #now(): number | '' {
    return this.#options.clock?.() ?? '';
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      throw new StoreError((error as Error).message, { cause: error });
    }
  }

  #report(error: Error | null): void {
    const down = error !== null;
    if (down !== this.#down) this.#options.onState(error);
    this.#down = down;
  }
}

/** A client that answers in time or not at all. */
export function connectRedis({
  address,
  timeout,
  trust,
}: Pick<RedisStoreOptions, 'address' | 'timeout' | 'trust'>): Redis | Cluster {
  const { nodes, username, password, database, secure } = address;
  const options: RedisOptions = {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(secure ? { tls: { secureContext: trust } } : {}),
    db: database,
    commandTimeout: timeout,
    connectTimeout: timeout,
    // What cannot be asked now is denied now: a queue would answer requests whose agents have left.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: pause,
  };
  if (address.kind === 'cluster')
    return new Cluster([...nodes], {
      redisOptions: options,
      enableOfflineQueue: false,
      clusterRetryStrategy: pause,
      slotsRefreshTimeout: timeout,
    });
  if (address.kind === 'sentinel')
    return new Redis({ ...options, sentinels: [...nodes], name: address.master, sentinelRetryStrategy: pause });
  const [node] = nodes;
  return new Redis({ ...options, host: node?.host ?? '127.0.0.1', port: node?.port ?? 6379 });
}

function pause(times: number): number {
  return Math.min(MAX_PAUSE, 20 * 2 ** Math.min(times, 10));
}

function keysOf(demands: readonly Demand[]): string[] {
  return demands.map(({ key }) => `${PREFIX}${key}`);
}

/** Kind, limit, window, amount, least, member or group: as the script reads them. */
function wordsOf(demand: Demand): Array<string | number> {
  const { kind, limit } = demand;
  if (kind === 'place') return [kind, limit, demand.lifetime, 1, 1, ''];
  if (kind === 'member') return [kind, limit, demand.window, 1, 1, demand.member];
  if (kind === 'event') return [kind, limit, demand.window, 1, 1, ''];
  return [kind, limit, demand.window, demand.amount, demand.least, demand.group];
}
