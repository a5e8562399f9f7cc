/** What is begun costs about as much as so many requests. */
export const COST = { request: 1, handshake: 16 } as const;

/** Begun in one turn of the event loop: some two milliseconds of work. */
const BUDGET = 24;

interface Waiting {
  readonly cost: number;
  readonly go: () => void;
}

/** All that goes on when a turn is over waits for one promise. */
interface Over {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/**
 * What one turn of the event loop brings is worked on together once it is over, step by step: code and data that one request
 * has brought into the caches serve all of them, and what leaves together comes back together.
 *
 * So much begins in a turn, and one agent after the other: whoever brings a thousand requests at once waits behind the one of its
 * neighbour, not before it.
 */
export class Turns {
  readonly #defer: (run: () => void) => void;
  /** What found no room, by whose it is. An agent that has been served goes to the end. */
  readonly #queues = new Map<string, Waiting[]>();
  #waiting = 0;
  #spent = 0;
  #scheduled = false;
  #over: Over | null = null;
  #after: Array<() => void> = [];
  readonly #end = (): void => this.#endTurn();
  readonly #last = (): void => this.#runAfter();

  /** `defer` runs functions one after the other once the current turn of the event loop is over, and promises between them. */
  constructor(defer: (run: () => void) => void) {
    this.#defer = defer;
  }

  /** How many found no room in their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when work may begin: when this turn is over, or a later one. */
  take(whose: string, cost: number): Promise<void> {
    if (this.#waiting === 0 && this.#spent < BUDGET) {
      this.#spent += cost;
      return this.over();
    }
    this.#schedule();
    return new Promise((go) => {
      const queue = this.#queues.get(whose);
      if (queue === undefined) this.#queues.set(whose, [{ cost, go }]);
      else queue.push({ cost, go });
      this.#waiting++;
    });
  }

  /** Resolves when this turn is over: for work that goes on. */
  over(): Promise<void> {
    this.#schedule();
    this.#over ??= whenOver();
    return this.#over.promise;
  }

  /** Runs a function once all that goes on when this turn is over has come as far as it can without waiting. */
  readonly after = (run: () => void): void => {
    this.#schedule();
    this.#after.push(run);
  };

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#defer(this.#end);
    // Behind it, and before the loop waits for anything new.
    this.#defer(this.#last);
  }

  #endTurn(): void {
    this.#spent = 0;
    const over = this.#over;
    this.#over = null;
    over?.resolve();
    while (this.#spent < BUDGET && this.#waiting > 0) {
      const [whose, queue] = this.#queues.entries().next().value as [string, Waiting[]];
      this.#queues.delete(whose);
      const first = queue.shift() as Waiting;
      if (queue.length > 0) this.#queues.set(whose, queue);
      this.#waiting--;
      this.#spent += first.cost;
      first.go();
    }
  }

  #runAfter(): void {
    this.#scheduled = false;
    const due = this.#after;
    this.#after = [];
    for (const run of due) run();
    // Whoever came meanwhile belongs to the next turn.
    if (this.#waiting > 0 || this.#over !== null) this.#schedule();
  }
}

function whenOver(): Over {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
