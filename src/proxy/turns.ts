/** What is begun costs about as much as so many requests. */
export const COST = { request: 1, handshake: 16 } as const;

/** Begun in one turn of the event loop: some two milliseconds of work. */
const BUDGET = 24;

interface Waiting {
  readonly cost: number;
  readonly go: () => void;
}

/**
 * Lets work begin, so much in a turn of the event loop, and one agent after the other: whoever brings a thousand requests at once
 * waits behind the one of its neighbour, not before it. While there is room nobody waits, and nothing is made.
 */
export class Turns {
  readonly #defer: (run: () => void) => void;
  /** What waits, by whose it is. An agent that has been served goes to the end. */
  readonly #queues = new Map<string, Waiting[]>();
  #waiting = 0;
  #spent = 0;
  #scheduled = false;
  readonly #next = (): void => this.#turn();

  /** `defer` runs a function once the current turn of the event loop is over. */
  constructor(defer: (run: () => void) => void) {
    this.#defer = defer;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Null: go on at once. Otherwise go on when it resolves. */
  take(whose: string, cost: number): Promise<void> | null {
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#defer(this.#next);
    }
    if (this.#waiting === 0 && this.#spent < BUDGET) {
      this.#spent += cost;
      return null;
    }
    return new Promise((go) => {
      const queue = this.#queues.get(whose);
      if (queue === undefined) this.#queues.set(whose, [{ cost, go }]);
      else queue.push({ cost, go });
      this.#waiting++;
    });
  }

  #turn(): void {
    this.#scheduled = false;
    this.#spent = 0;
    while (this.#spent < BUDGET && this.#waiting > 0) {
      const [whose, queue] = this.#queues.entries().next().value as [string, Waiting[]];
      this.#queues.delete(whose);
      const first = queue.shift() as Waiting;
      if (queue.length > 0) this.#queues.set(whose, queue);
      this.#waiting--;
      this.#spent += first.cost;
      first.go();
    }
    if (this.#waiting === 0) return;
    this.#scheduled = true;
    this.#defer(this.#next);
  }
}
