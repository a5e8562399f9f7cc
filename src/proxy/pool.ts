import type { Http1Upstream } from './adapters/http1-upstream.ts';

/** Idle connections kept for one agent and target, and in all. */
const PER_KEY = 128;
const IN_ALL = 4096;
/** An idle connection of an upstream that promises nothing: below the 5 s after which common servers close. */
const UNPROMISED = 4_000;
const LONGEST = 60_000;
const SWEEP = 1_000;

/** Idle upstream connections by agent and target, most recently used first. */
export class UpstreamPool {
  readonly #idle = new Map<string, Http1Upstream[]>();
  readonly #clock: () => number;
  readonly #sweeper: NodeJS.Timeout;
  #count = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP);
    this.#sweeper.unref();
  }

  get size(): number {
    return this.#count;
  }

  /** An idle connection to one of these addresses; one to another address was resolved from an answer that has ended. */
  take(key: string, addresses: readonly string[]): Http1Upstream | null {
    const list = this.#idle.get(key);
    if (list === undefined) return null;
    for (let connection = list.pop(); connection !== undefined; connection = list.pop()) {
      this.#count--;
      connection.wake();
      if (!connection.gone && addresses.includes(connection.address) && this.#fresh(connection)) return connection;
      connection.destroy();
    }
    this.#idle.delete(key);
    return null;
  }

  /** Keeps a connection that ended its exchange cleanly; destroys any other. */
  put(connection: Http1Upstream): void {
    const list = this.#idle.get(connection.key) ?? [];
    if (!connection.reusable || list.length >= PER_KEY || this.#count >= IN_ALL) {
      connection.destroy();
      return;
    }
    list.push(connection);
    this.#count++;
    this.#idle.set(connection.key, list);
    connection.rest(this.#clock(), () => this.#forget(connection));
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const list of this.#idle.values()) for (const connection of list) connection.destroy();
    this.#idle.clear();
    this.#count = 0;
  }

  #fresh(connection: Http1Upstream): boolean {
    const limit = Math.min(LONGEST, connection.promised ?? UNPROMISED);
    return this.#clock() - connection.restingSince < limit;
  }

  #forget(connection: Http1Upstream): void {
    const list = this.#idle.get(connection.key);
    const index = list?.indexOf(connection) ?? -1;
    if (list === undefined || index === -1) return;
    list.splice(index, 1);
    this.#count--;
    if (list.length === 0) this.#idle.delete(connection.key);
  }

  #sweep(): void {
    for (const list of this.#idle.values()) {
      // A copy by filter: forgetting takes connections out of the list that is walked.
      for (const connection of list.filter((each) => !this.#fresh(each))) {
        this.#forget(connection);
        connection.destroy();
      }
    }
  }
}
