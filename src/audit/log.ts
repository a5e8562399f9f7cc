import { Denial } from '../model/denial.ts';
import { GENESIS, HEADROOM, sealInPlace, sealLine } from './chain.ts';
import type { LineSink } from './sinks/segment-file.ts';

/** Events that may wait for one write. Beyond, the log cannot keep up and the gate denies. */
const MAX_PENDING = 20_000;

/** Somebody who waits for an event to be written, and is refused when it cannot be. */
interface Waiter {
  /** Where the event stands among those that are pending. */
  readonly index: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface AuditLogOptions {
  readonly sink: LineSink;
  /** Hash the first write continues. */
  readonly previous?: string;
  /** Runs a function once the current turn of the event loop is over. */
  readonly defer: (run: () => void) => void;
  /** Told once when writing starts to fail, and once when it works again. */
  readonly onState?: (error: unknown) => void;
}

/** One buffer for all writes that fit: a fresh one of this size costs page faults each time. */
const BUFFER = 256 * 1024;
/** Longest line a seal makes, with room to spare. */
const SEAL_ROOM = 128;
/** Ends of exchanges need no immediate write: they go with the next beginning, or after this many milliseconds. */
const LATE = 10;

/**
 * The hash-chained log. Events that come together are sealed and written together; `append` resolves when the operating
 * system has its event, so a killed process loses nothing that was promised. When a write fails, everything waiting is
 * refused and the chain goes on from the last seal that was written.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER);
  #previous: string;
  #pending: string[] = [];
  #waiters: Waiter[] = [];
  #scheduled = false;
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

  /** Takes the canonical text of an event; resolves with `receipt` when it is on record. Rejects with `audit-unavailable`. */
  append<T>(text: string, receipt: T): Promise<T> {
    const index = this.#pending.length;
    if (index >= MAX_PENDING) return Promise.reject(unavailable('too many events wait to be written'));
    this.#pending.push(text);
    if (!this.#scheduled) {
      this.#scheduled = true;
      // Group commit: what one turn of the event loop brings is written together when it is over.
      this.#options.defer(() => this.#scheduled && this.flush());
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiters.push({ index, resolve: () => resolve(receipt), reject });
    });
  }

  /** Takes an event nobody waits for: it is written with the next one, or in a moment. A failure shows in `healthy`. */
  note(text: string): void {
    this.#pending.push(text);
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
    try {
      this.#write(pending);
      this.#report(null);
      for (const waiter of waiters) waiter.resolve();
    } catch (error) {
      this.#report(error);
      // Nobody waits for the end of an exchange, but it has happened: it is written when writing works again.
      const refused = new Set(waiters.map((waiter) => waiter.index));
      this.#pending = pending.filter((_, index) => !refused.has(index));
      const denial = unavailable('the audit log cannot be written', error);
      for (const waiter of waiters) waiter.reject(denial);
    }
  }

  /** Lines, then the seal over them: one write. */
  #write(events: readonly string[]): void {
    const lines = `${events.join('\n')}\n`;
    const room = HEADROOM + lines.length * 3 + SEAL_ROOM;
    const buffer = room <= BUFFER ? this.#buffer : Buffer.allocUnsafe(room);
    const end = HEADROOM + buffer.write(lines, HEADROOM, 'utf8');
    const seal = sealInPlace(this.#previous, buffer.subarray(0, end));
    const whole = end + buffer.write(sealLine(events.length, seal), end, 'latin1');
    this.#options.sink.append(buffer.subarray(HEADROOM, whole));
    this.#previous = seal;
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
