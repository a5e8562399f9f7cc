/** Length of a tick, in milliseconds: how exact idle limits are. */
const TICK = 1000;

/** Something that must not be silent for too long. */
export interface Watched {
  /** The tick in which it was last heard of. */
  heard: number;
  /** Ticks it may be silent; 0: for ever. */
  patience: number;
  onSilence(): void;
}

/**
 * One timer for all idle limits. A timer of its own for each socket is refreshed at every read and write, six times an
 * exchange; noting the number of the current tick costs nothing.
 */
class IdleClock {
  now = 0;
  readonly #watched = new Set<Watched>();
  #timer: NodeJS.Timeout | null = null;

  watch(each: Watched): void {
    each.heard = this.now;
    this.#watched.add(each);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#tick(), TICK);
    this.#timer.unref();
  }

  forget(each: Watched): void {
    this.#watched.delete(each);
    if (this.#watched.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    this.now++;
    for (const each of this.#watched) {
      if (each.patience === 0 || this.now - each.heard <= each.patience) continue;
      each.heard = this.now;
      each.onSilence();
    }
  }
}

export const idleClock: IdleClock = new IdleClock();

/** Milliseconds as ticks, rounded up; 0 stays 0. */
export function ticks(milliseconds: number): number {
  return Math.ceil(milliseconds / TICK);
}
