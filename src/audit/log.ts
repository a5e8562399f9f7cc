import { Denial } from '../model/denial.ts';
import { GENESIS, link } from './chain.ts';
import type { LineSink } from './sinks/segment-file.ts';

/** Events that may wait for one write. Beyond, the log cannot keep up and the gate denies. */
const MAX_PENDING = 20_000;

interface Pending {
  readonly text: string;
  /** Somebody waits for it and is refused when it cannot be written. */
  readonly awaited: boolean;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

export interface AuditLogOptions {
  readonly sink: LineSink;
  /** Hash the first event continues. */
  readonly previous?: string;
  /** Monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Runs a function once the current turn of the event loop is over. */
  readonly defer: (run: () => void) => void;
  /** Told once when writing starts to fail, and once when it works again. */
  readonly onState?: (error: unknown) => void;
}

/** A flush waits for more events while each turn of the event loop brings some: up to this many … */
const ENOUGH = 24;
/** … and this long, in milliseconds. An event that comes alone is written in the next turn. */
const PATIENCE = 0.25;
/** Ends of exchanges need no immediate write: they go with the next beginning, or after this many milliseconds. */
const LATE = 10;

/**
 * The hash-chained log. Events that come together are written with one system call; `append` resolves when the operating
 * system has its event, so a killed process loses nothing that was promised. When a write fails, everything waiting is
 * refused and the chain goes on from the last event that was written.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  #previous: string;
  #pending: Pending[] = [];
  #waiters: Waiter[] = [];
  #scheduled = false;
  #seen = 0;
  #since = 0;
  #timer: NodeJS.Timeout | null = null;
  #failing: unknown = null;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#previous = options.previous ?? GENESIS;
  }

  /** False while events cannot be written. */
  get healthy(): boolean {
    return this.#failing === null;
  }

  /** Takes the canonical text of an event; resolves when it is on record. Rejects with `audit-unavailable`. */
  append(text: string): Promise<void> {
    if (this.#pending.length >= MAX_PENDING) return Promise.reject(unavailable('too many events wait to be written'));
    this.#pending.push({ text, awaited: true });
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#seen = 0;
      this.#since = this.#options.now();
      this.#options.defer(this.#gather);
    }
    return new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Takes an event nobody waits for: it is written with the next one, or in a moment. A failure shows in `healthy`. */
  note(text: string): void {
    this.#pending.push({ text, awaited: false });
    if (this.#scheduled || this.#timer !== null) return;
    this.#timer = setTimeout(() => this.flush(), LATE);
  }

  /** Writes what waits now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const pending = this.#pending;
    const waiters = this.#waiters;
    this.#pending = [];
    this.#waiters = [];
    this.#scheduled = false;
    this.#timer = null;
    if (pending.length === 0) return;
    let previous = this.#previous;
    let lines = '';
    for (const { text } of pending) {
      const next = link(text, previous);
      lines += next.line;
      previous = next.hash;
    }
    try {
      this.#options.sink.append(lines);
      this.#previous = previous;
      this.#report(null);
      for (const waiter of waiters) waiter.resolve();
    } catch (error) {
      this.#report(error);
      // Nobody waits for the end of an exchange, but it has happened: it is written when writing works again.
      this.#pending = pending.filter((each) => !each.awaited);
      const denial = unavailable('the audit log cannot be written', error);
      for (const waiter of waiters) waiter.reject(denial);
    }
  }

  close(): void {
    this.flush();
    this.#options.sink.close();
  }

  /** Group commit: one more turn of the event loop as long as turns bring events, for a write costs more than an event. */
  readonly #gather = (): void => {
    const count = this.#waiters.length;
    if (count > this.#seen && count < ENOUGH && this.#options.now() - this.#since < PATIENCE) {
      this.#seen = count;
      this.#options.defer(this.#gather);
    } else if (this.#scheduled) this.flush();
  };

  #report(error: unknown): void {
    const changed = (error === null) !== (this.#failing === null);
    this.#failing = error;
    if (changed) this.#options.onState?.(error);
  }
}

function unavailable(detail: string, cause?: unknown): Denial {
  return new Denial('audit-unavailable', detail, { cause });
}
