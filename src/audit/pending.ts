/** Events that may wait to be written. Beyond, the log cannot keep up and the gate denies. */
const MOST = 20_000;
/** Characters of them together. */
const MOST_CHARACTERS = 32 * 1024 * 1024;

/** Somebody who waits for an event to be written, and is refused when it cannot be. */
export interface Waiter {
  /** Where the event stands among those that are pending. */
  index: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Events that wait to be written, and those who wait for that. Bounded: what finds no room is refused, or counted. */
export class Pending {
  #events: string[] = [];
  #characters = 0;
  #waiters: Waiter[] = [];
  #dropped = 0;
  readonly #droppedText: (count: number) => string;

  /** `droppedText`: the event that says how many were dropped. */
  constructor(droppedText: (count: number) => string) {
    this.#droppedText = droppedText;
  }

  /** Events. */
  get size(): number {
    return this.#events.length;
  }

  get isFull(): boolean {
    return this.#events.length >= MOST || this.#characters >= MOST_CHARACTERS;
  }

  /** Takes an event; returns where it stands. */
  add(text: string): number {
    this.#characters += text.length;
    return this.#events.push(text) - 1;
  }

  /** Takes an event that has happened already. Where there is no room it is only counted, and the count is an event. */
  addOrDrop(text: string): void {
    if (this.isFull) this.#dropped++;
    else this.add(text);
  }

  /** Takes an event that comes before all others. */
  addFirst(text: string): void {
    this.#events.unshift(text);
    this.#characters += text.length;
    for (const waiter of this.#waiters) waiter.index++;
  }

  wait(waiter: Waiter): void {
    this.#waiters.push(waiter);
  }

  /** The first events, of so many characters together, or one that is longer; null: there are none. They stay until they are `written`. */
  take(characters: number): readonly string[] | null {
    if (this.#events.length === 0) {
      if (this.#dropped === 0) return null;
      this.add(this.#droppedText(this.#dropped));
      this.#dropped = 0;
    }
    if (this.#characters <= characters) return this.#events;
    let count = 0;
    for (let sum = 0; count < this.#events.length; count++) {
      sum += (this.#events[count] as string).length;
      if (sum > characters && count > 0) break;
    }
    return this.#events.slice(0, count);
  }

  /** So many of the first are written; returns who waited for them. */
  written(count: number): readonly Waiter[] {
    if (count === this.#events.length) {
      const waiters = this.#waiters;
      this.#events = [];
      this.#waiters = [];
      this.#characters = 0;
      return waiters;
    }
    for (const event of this.#events.splice(0, count)) this.#characters -= event.length;
    const done = this.#waiters.filter(({ index }) => index < count);
    this.#waiters = this.#waiters.filter(({ index }) => index >= count);
    for (const waiter of this.#waiters) waiter.index -= count;
    return done;
  }

  /** Nothing can be written: those who wait are given up with their events; what has happened stays. */
  giveUp(): readonly Waiter[] {
    const waiters = this.#waiters;
    const theirs = new Set(waiters.map(({ index }) => index));
    this.#waiters = [];
    this.#events = this.#events.filter((_, index) => !theirs.has(index));
    this.#characters = this.#events.reduce((sum, { length }) => sum + length, 0);
    return waiters;
  }
}
