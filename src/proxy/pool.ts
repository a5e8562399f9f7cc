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
  /** By agent, then by target: connections are never shared by agents. */
  readonly #idle = new Map<string, Map<string, Http1Upstream[]>>();
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
  take(agent: string, target: string, addresses: readonly string[]): Http1Upstream | null {
    const list = this.#idle.get(agent)?.get(target);
    if (list === undefined) return null;
    for (let connection = list.pop(); connection !== undefined; connection = list.pop()) {
      this.#count--;
      connection.wake();
      if (!connection.gone && addresses.includes(connection.address) && this.#fresh(connection)) return connection;
      connection.destroy();
    }
    return null;
  }

  /** Keeps a connection that ended its exchange cleanly; destroys any other. */
  put(connection: Http1Upstream): void {
    const list = this.#list(connection);
    if (!connection.reusable || list.length >= PER_KEY || this.#count >= IN_ALL) {
      connection.destroy();
      return;
    }
    list.push(connection);
    this.#count++;
    connection.rest(this.#clock(), this.#forget);
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const list of this.#lists()) for (const connection of list) connection.destroy();
    this.#idle.clear();
    this.#count = 0;
  }

  #list(connection: Http1Upstream): Http1Upstream[] {
    let ofAgent = this.#idle.get(connection.agent);
    if (ofAgent === undefined) this.#idle.set(connection.agent, (ofAgent = new Map<string, Http1Upstream[]>()));
    let list = ofAgent.get(connection.target);
    if (list === undefined) ofAgent.set(connection.target, (list = []));
    return list;
  }

  *#lists(): Iterable<Http1Upstream[]> {
    for (const ofAgent of this.#idle.values()) yield* ofAgent.values();
  }

  #fresh(connection: Http1Upstream): boolean {
    const limit = Math.min(LONGEST, connection.promised ?? UNPROMISED);
    return this.#clock() - connection.restingSince < limit;
  }

  readonly #forget = (connection: Http1Upstream): void => {
    const list = this.#idle.get(connection.agent)?.get(connection.target);
    const index = list?.indexOf(connection) ?? -1;
    if (list === undefined || index === -1) return;
    list.splice(index, 1);
    this.#count--;
  };

  /** Ends connections that rested too long, and forgets the targets nothing is kept for. */
  #sweep(): void {
    for (const [agent, ofAgent] of this.#idle) {
      for (const [target, list] of ofAgent) {
        // A copy by filter: forgetting takes connections out of the list that is walked.
        for (const connection of list.filter((each) => !this.#fresh(each))) {
          this.#forget(connection);
          connection.destroy();
        }
        if (list.length === 0) ofAgent.delete(target);
      }
      if (ofAgent.size === 0) this.#idle.delete(agent);
    }
  }
}
