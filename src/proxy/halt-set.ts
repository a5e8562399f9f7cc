import { haltKey, haltScope, haltScopes, quarantineKey, type Halt, type HaltSubject } from '../model/halt.ts';
import { LONGEST_SESSION } from '../model/session.ts';

/** What the path of a request asks of halts. */
export interface HaltView {
  /** Whether anything is halted or contained at all. */
  readonly any: boolean;
  /** The halt that stops somebody, if any. */
  haltOf(subject: HaltSubject): Halt | null;
  /** Whether an agent that is only observed is held to its rules for now. */
  enforces(agent: string): boolean;
  /** Whether this very thing has been stopped. */
  stops(what: Pick<Halt, 'kind' | 'name'>): boolean;
  /** Contains somebody for so many milliseconds, everywhere. False where that is so already. */
  quarantine(what: Pick<Halt, 'kind' | 'name'>, does: 'halt' | 'enforce', why: string, time: number): Promise<boolean>;
}

/** What is halted at this moment, to be looked up. */
export class HaltSet {
  readonly #clock: () => number;
  /** By key; the one by file is kept apart. */
  #halts: ReadonlyMap<string, Halt>;
  #fromFile: Halt | null;

  constructor(clock: () => number, halts: Iterable<Halt>, fromFile: Halt | null) {
    this.#clock = clock;
    this.#halts = keyed(halts);
    this.#fromFile = fromFile;
  }

  get any(): boolean {
    return this.#halts.size > 0 || this.#fromFile !== null;
  }

  get all(): readonly Halt[] {
    return [...this.#halts.values(), ...(this.#fromFile === null ? [] : [this.#fromFile])];
  }

  /** All but the one by file, by key. */
  get byKey(): ReadonlyMap<string, Halt> {
    return this.#halts;
  }

  get fromFile(): Halt | null {
    return this.#fromFile;
  }

  set fromFile(halt: Halt | null) {
    this.#fromFile = halt;
  }

  /** The halt that stops somebody; the file's last, for a reason that names them is better. */
  haltOf(subject: HaltSubject): Halt | null {
    if (this.#halts.size === 0) return this.#fromFile;
    // Looked up, not searched: every session that was revoked leaves a halt, and every request asks.
    for (const scope of haltScopes(subject)) {
      const found = this.#halts.get(scope) ?? this.inForce(quarantineKey('halt', scope));
      if (found !== null) return found;
    }
    return this.#fromFile;
  }

  enforces(agent: string): boolean {
    return this.#halts.size > 0 && this.inForce(quarantineKey('enforce', `agent ${agent}`)) !== null;
  }

  stops({ kind, name }: Pick<Halt, 'kind' | 'name'>): boolean {
    const scope = haltScope({ kind, name });
    return this.#halts.has(scope) || this.inForce(quarantineKey('halt', scope)) !== null;
  }

  /** The halt of this key, unless its time is over. */
  inForce(key: string): Halt | null {
    const found = this.#halts.get(key);
    return found === undefined || this.isOver(found, 0) ? null : found;
  }

  /** It has ended by itself, so many milliseconds ago at least; the session of a halt ends whatever was said. */
  isOver({ kind, until, time }: Halt, ago: number): boolean {
    const end = until === undefined ? Date.parse(time) + LONGEST_SESSION : Date.parse(until);
    return (until !== undefined || kind === 'session') && end + ago <= this.#clock();
  }

  put(halt: Halt): void {
    this.#halts = new Map([...this.#halts, [haltKey(halt), halt]]);
  }

  remove(key: string): void {
    this.#halts = new Map([...this.#halts].filter(([each]) => each !== key));
  }

  /** Puts these in place of all before. Returns those that were not there. */
  replace(halts: readonly Halt[]): readonly Halt[] {
    const before = this.#halts;
    this.#halts = keyed(halts);
    return halts.filter((each) => !before.has(haltKey(each)));
  }
}

function keyed(halts: Iterable<Halt>): Map<string, Halt> {
  return new Map([...halts].map((each) => [haltKey(each), each]));
}
