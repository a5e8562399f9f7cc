import type { SecureContext } from 'node:tls';
import type { StoreAddress } from '../../model/store-address.ts';
import { connectRedis } from './redis.ts';

/** A few texts by name that gates share, and are told of when they change. */
export interface HaltBoard {
  /** Every text. Rejects while the board is away. */
  read(): Promise<string[]>;
  put(name: string, text: string): Promise<void>;
  remove(names: readonly string[]): Promise<void>;
  /** Calls back when somebody may have changed something. A call may get lost: look from time to time. */
  listen(changed: () => void): void;
  close(): void;
}

const KEY = 'sallyport:{halts}';

/** The board in Redis: a hash, and a channel on which changes are announced. */
export class RedisBoard implements HaltBoard {
  readonly #client: ReturnType<typeof connectRedis>;
  readonly #ear: ReturnType<typeof connectRedis>;

  constructor(address: StoreAddress, timeout: number, trust: SecureContext) {
    this.#client = connectRedis({ address, timeout, trust });
    this.#ear = connectRedis({ address, timeout, trust });
    for (const each of [this.#client, this.#ear]) each.on('error', () => undefined);
  }

  async read(): Promise<string[]> {
    return Object.values(await this.#client.hgetall(KEY));
  }

  async put(name: string, text: string): Promise<void> {
    await this.#client.hset(KEY, name, text);
    await this.#client.publish(KEY, name);
  }

  async remove(names: readonly string[]): Promise<void> {
    await this.#client.hdel(KEY, ...names);
  }

  listen(changed: () => void): void {
    const ear = this.#ear;
    ear.on('message', changed);
    // What was said while nobody listened is looked up.
    const subscribe = (): void => {
      ear.subscribe(KEY).then(changed, () => undefined);
    };
    if (ear.status === 'ready') subscribe();
    ear.on('ready', subscribe);
  }

  close(): void {
    this.#client.disconnect();
    this.#ear.disconnect();
  }
}
