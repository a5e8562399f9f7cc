import type { AuditEvent } from '../model/audit-event.ts';
import { Denial } from '../model/denial.ts';
import { GENESIS, link } from './chain.ts';
import type { LineSink } from './sinks/segment-file.ts';

/** Events that may wait for one write. Beyond, the log cannot keep up and the gate denies. */
const MAX_PENDING = 20_000;

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

export interface AuditLogOptions {
  readonly sink: LineSink;
  /** Hash the first event continues. */
  readonly previous?: string;
  /** Runs a function once the current turn of the event loop is over. */
  readonly defer: (run: () => void) => void;
  /** Told once when writing starts to fail, and once when it works again. */
  readonly onState?: (error: unknown) => void;
}

/**
 * The hash-chained log. Events of one turn of the event loop are written with one system call; `append` resolves when the
 * operating system has its event, so a killed process loses nothing that was promised. When a write fails, everything
 * waiting is refused and the chain goes on from the last event that was written.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  #previous: string;
  #pending: AuditEvent[] = [];
  #waiters: Waiter[] = [];
  #scheduled = false;
  #failing: unknown = null;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#previous = options.previous ?? GENESIS;
  }

  /** False while events cannot be written. */
  get healthy(): boolean {
    return this.#failing === null;
  }

  /** Resolves when the event is on record. Rejects with `audit-unavailable`. */
  append(event: AuditEvent): Promise<void> {
    if (this.#pending.length >= MAX_PENDING) return Promise.reject(unavailable('too many events wait to be written'));
    this.#pending.push(event);
    const written = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#options.defer(() => this.flush());
    }
    return written;
  }

  /** Writes what waits now. */
  flush(): void {
    const events = this.#pending;
    const waiters = this.#waiters;
    this.#pending = [];
    this.#waiters = [];
    this.#scheduled = false;
    if (events.length === 0) return;
    let previous = this.#previous;
    let lines = '';
    for (const event of events) {
      const next = link(event, previous);
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
      const denial = unavailable('the audit log cannot be written', error);
      for (const waiter of waiters) waiter.reject(denial);
    }
  }

  close(): void {
    this.flush();
    this.#options.sink.close();
  }

  #report(error: unknown): void {
    const changed = (error === null) !== (this.#failing === null);
    this.#failing = error;
    if (changed) this.#options.onState?.(error);
  }
}

function unavailable(detail: string, cause?: unknown): Denial {
  return new Denial('audit-unavailable', detail, { cause });
}
