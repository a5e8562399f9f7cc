import type { Halt, HaltSubject } from '../model/halt.ts';
import { HaltSet, type HaltView } from './halt-set.ts';

export interface FollowedHaltsOptions {
  readonly clock: () => number;
  /** Asks the gate's first process to contain somebody. */
  readonly contain: HaltView['quarantine'];
}

/** What is halted, in a process that is told of it by another. */
export class FollowedHalts implements HaltView {
  readonly #options: FollowedHaltsOptions;
  readonly #set: HaltSet;
  #cut: (halt: Halt) => void = () => undefined;

  constructor(halts: readonly Halt[], options: FollowedHaltsOptions) {
    this.#options = options;
    this.#set = new HaltSet(options.clock, halts, null);
  }

  get any(): boolean {
    return this.#set.any;
  }

  haltOf(subject: HaltSubject): Halt | null {
    return this.#set.haltOf(subject);
  }

  enforces(agent: string): boolean {
    return this.#set.enforces(agent);
  }

  stops(what: Pick<Halt, 'kind' | 'name'>): boolean {
    return this.#set.stops(what);
  }

  quarantine(...asked: Parameters<HaltView['quarantine']>): Promise<boolean> {
    return this.#options.contain(...asked);
  }

  /** From now on what is halted is cut. */
  start(cut: (halt: Halt) => void): void {
    this.#cut = cut;
  }

  /** This is all that is halted now. */
  take(halts: readonly Halt[]): void {
    for (const each of this.#set.replace(halts)) if (each.quarantine !== 'enforce') this.#cut(each);
  }
}
