import { giveBack, noCounters, renew, reserve, type Counters } from '../counters.ts';
import type { CounterStore, Demand, Reserved, Return } from '../store.ts';
import { EXACT, addExact, addPart, removeExact } from '../window.ts';
import { JournalFile, type Change } from './journal.ts';

export interface MemoryStoreOptions {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Where changes are written down, so that a crash resets no budget; null: nowhere. */
  readonly journal: JournalFile | null;
}

/** Changes that are written before the file is made anew. */
const MANY = 100_000;

/** Counters of one process. What was counted is in its journal before the request it was counted for leaves. */
export class MemoryStore implements CounterStore {
  readonly #options: MemoryStoreOptions;
  readonly #counters: Counters = noCounters();
  #last = 0;
  #changes = 0;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
    const { journal } = options;
    if (journal === null) return;
    for (const change of journal.read()) apply(this.#counters, change);
    prune(this.#counters, options.clock());
    journal.replace(changesOf(this.#counters));
  }

  whenReady(): Promise<void> {
    return Promise.resolve();
  }

  reserve(id: string, demands: readonly Demand[]): Promise<Reserved> {
    const reserved = reserve(this.#counters, this.#now(), id, demands);
    if (reserved.ok && this.#options.journal !== null)
      this.#write(
        reserved.grants.flatMap(({ demand, amount, mark, at }): Change[] => {
          if (demand.kind === 'place') return [];
          if (demand.kind === 'member') return [['member', demand.key, demand.member, at]];
          if (demand.kind === 'event' && demand.limit <= EXACT) return [['event', demand.key, id, at]];
          return [['part', demand.key, mark, amount]];
        }),
      );
    return Promise.resolve(reserved);
  }

  giveBack(id: string, returns: readonly Return[]): Promise<void> {
    giveBack(this.#counters, id, returns);
    if (this.#options.journal !== null)
      this.#write(
        returns.flatMap(({ grant: { demand, mark }, amount }): Change[] => {
          const { key } = demand;
          if (demand.kind === 'place') return [];
          if (demand.kind === 'member')
            return [['member', key, demand.member, this.#counters.distinct.get(key)?.uses.get(demand.member) ?? -1]];
          return demand.kind === 'event' && demand.limit <= EXACT
            ? [['event', key, id, -1]]
            : [['part', key, mark, -amount]];
        }),
      );
    return Promise.resolve();
  }

  renew(id: string, demands: readonly Demand[]): Promise<void> {
    renew(this.#counters, this.#now(), id, demands);
    return Promise.resolve();
  }

  /** Writes down what was counted now, for whoever acts on it sooner than the turn of the event loop ends. */
  flush(): void {
    this.#options.journal?.flush();
  }

  close(): Promise<void> {
    const { journal } = this.#options;
    if (journal !== null) {
      prune(this.#counters, this.#now());
      journal.replace(changesOf(this.#counters));
      journal.close();
    }
    return Promise.resolve();
  }

  /** Never goes back: a clock that is set back would make windows longer for everybody. */
  #now(): number {
    this.#last = Math.max(this.#last, this.#options.clock());
    return this.#last;
  }

  #write(changes: readonly Change[]): void {
    const { journal } = this.#options;
    if (journal === null || changes.length === 0) return;
    journal.append(changes);
    this.#changes += changes.length;
    if (this.#changes < MANY) return;
    this.#changes = 0;
    prune(this.#counters, this.#now());
    journal.replace(changesOf(this.#counters));
  }
}

function apply(counters: Counters, change: Change): void {
  if (change[0] === 'part') {
    const [, key, part, amount] = change;
    const state = counters.parts.get(key) ?? { parts: new Map<number, number>() };
    counters.parts.set(key, state);
    addPart(state, part, amount);
    return;
  }
  const [kind, key, name, at] = change;
  if (kind === 'event') {
    const state = counters.exact.get(key) ?? { entries: [] };
    counters.exact.set(key, state);
    if (at === -1) removeExact(state, name);
    else addExact(state, at, name);
    return;
  }
  const state = counters.distinct.get(key) ?? { uses: new Map<string, number>() };
  counters.distinct.set(key, state);
  if (at === -1) state.uses.delete(name);
  else state.uses.set(name, at);
}

/** Everything that is counted, as changes to nothing. */
function changesOf({ exact, parts, distinct }: Counters): Change[] {
  return [
    ...[...exact].flatMap(([key, { entries }]) => entries.map(({ at, id }): Change => ['event', key, id, at])),
    ...[...parts].flatMap(([key, state]) => [...state.parts].map(([part, sum]): Change => ['part', key, part, sum])),
    ...[...distinct].flatMap(([key, { uses }]) => [...uses].map(([name, at]): Change => ['member', key, name, at])),
  ];
}

/** Forgets what is out of every window. The window of a key is its last part. */
function prune({ exact, parts, distinct }: Counters, now: number): void {
  for (const [key, { entries }] of exact) if ((entries.at(-1)?.at ?? 0) <= now - windowOf(key)) exact.delete(key);
  for (const [key, state] of parts) {
    const window = windowOf(key);
    for (const part of state.parts.keys()) if (((part + 130) * window) / 128 <= now) state.parts.delete(part);
    if (state.parts.size === 0) parts.delete(key);
  }
  for (const [key, { uses }] of distinct) {
    for (const [name, at] of uses) if (at <= now - windowOf(key)) uses.delete(name);
    if (uses.size === 0) distinct.delete(key);
  }
}

function windowOf(key: string): number {
  return Number(key.slice(key.lastIndexOf('/') + 1));
}
