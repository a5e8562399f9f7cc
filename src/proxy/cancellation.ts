import type { Denial } from '../model/denial.ts';

/**
 * Cuts one exchange off: the agent left, or was stopped. What AbortController does, for one listener: a signal of the
 * platform cost 4 µs a request (EventTarget, finalization registry), a twentieth of the whole exchange.
 */
export class Cancellation {
  #cancelled = false;
  #denial: Denial | null = null;
  /** Called once, when the exchange is cut off. One step at a time has something to stop. */
  onCancel: (() => void) | null = null;

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Why it was stopped; null when the agent left of itself. */
  get denial(): Denial | null {
    return this.#denial;
  }

  /** Cuts the exchange off, with the denial it ends in where it is the gate that stops it. */
  cancel(denial: Denial | null): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#denial = denial;
    this.onCancel?.();
  }
}
