import { z } from 'zod';
import type { HaltBoard } from '../limits/stores/board.ts';
import type { HaltEvent } from '../model/audit-event.ts';
import { haltKey, haltScope, quarantineKey, type Halt, type HaltSubject } from '../model/halt.ts';
import type { Log } from '../telemetry/log.ts';
import { FLAG, haltSchema, type HaltFiles } from './halt-files.ts';
import { HaltSet, type HaltView } from './halt-set.ts';
import { LONGEST_SESSION } from '../model/session.ts';

/** What stands on the board: a halt, and that it is over where somebody said so. What is simply gone was lost. */
const notice = haltSchema.extend({
  revived: z.strictObject({ reason: z.string(), by: z.string(), time: z.string() }).optional(),
});
type Notice = z.infer<typeof notice>;

export interface HaltsOptions {
  readonly files: HaltFiles;
  /** What gates that share a store tell each other; null: this gate stands alone. */
  readonly board: HaltBoard | null;
  readonly clock: () => number;
  readonly log: Log;
}

/** What is to be done where something is halted, and where anything has changed. */
export interface HaltListener {
  /** Ends all that is under way of what was halted. */
  cut(halt: Halt): void;
  record(event: HaltEvent): void;
  /** What is halted is not what it was. */
  changed(): void;
}

/** How often files and board are looked at, in milliseconds: a message that got lost matters no longer than that. */
const LOOK = 250;
/** What is over is kept on the board for so long, in milliseconds, for gates whose clock is late or who were away. */
const REMEMBERED = 60_000;
const REVIVAL_REMEMBERED = LONGEST_SESSION + 86_400_000;

/**
 * What has been stopped: told by people through the admin listener, by a file, a signal, another gate, or the gate itself. It
 * holds over restarts. What is halted here is halted at once, whatever becomes of telling others.
 */
export class Halts implements HaltView {
  readonly #options: HaltsOptions;
  readonly #set: HaltSet;
  #listener: HaltListener = { cut: () => undefined, record: () => undefined, changed: () => undefined };
  /** What the board could not be told yet. */
  readonly #untold = new Map<string, Notice>();
  #timer: NodeJS.Timeout | null = null;
  #looking = false;

  /** Throws an Error with one line for a state that no gate wrote. */
  constructor(options: HaltsOptions) {
    this.#options = options;
    const { files, clock } = options;
    this.#set = new HaltSet(clock, files.read(), files.flag(this.#now()));
  }

  haltOf(subject: HaltSubject): Halt | null {
    return this.#set.haltOf(subject);
  }

  enforces(agent: string): boolean {
    return this.#set.enforces(agent);
  }

  get any(): boolean {
    return this.#set.any;
  }

  stops(what: Pick<Halt, 'kind' | 'name'>): boolean {
    return this.#set.stops(what);
  }

  get all(): readonly Halt[] {
    return this.#set.all;
  }

  /** From now on changes are acted on. Looks at files and board at once, and again and again. */
  async start(listener: HaltListener): Promise<void> {
    this.#listener = listener;
    const { board } = this.#options;
    board?.listen(() => void this.look());
    await this.look();
    this.#timer = setInterval(() => void this.look(), LOOK).unref();
  }

  /** Stops something, everywhere. */
  kill(what: Pick<Halt, 'kind' | 'name'>, reason: string, by: string): Promise<void> {
    return this.#stop({ kind: what.kind, name: what.name, reason, by, time: this.#now() });
  }

  /** Contains somebody for a while, everywhere. False where that is so already. */
  async quarantine(
    what: Pick<Halt, 'kind' | 'name'>,
    does: 'halt' | 'enforce',
    why: string,
    time: number,
  ): Promise<boolean> {
    if (this.#set.inForce(quarantineKey(does, haltScope(what))) !== null) return false;
    const until = new Date(this.#options.clock() + time).toISOString();
    const { kind, name } = what;
    await this.#stop({ kind, name, reason: why, by: 'gate', time: this.#now(), quarantine: does, until });
    return true;
  }

  /** Lets something go on, everywhere, whoever stopped it. False where it was not stopped, or is so by the file alone. */
  async revive(what: Pick<Halt, 'kind' | 'name'>, reason: string, by: string): Promise<boolean> {
    const scope = haltScope(what);
    const keys = [scope, quarantineKey('halt', scope), quarantineKey('enforce', scope)];
    const known = keys.filter((key) => this.#set.byKey.has(key));
    for (const key of known.length === 0 ? [scope] : known) {
      const now = this.#now();
      const over = this.#set.byKey.get(key) ?? { kind: what.kind, name: what.name, reason, by, time: now };
      // Never before the halt itself, whatever the clock of the gate that made it.
      const time = over.time > now ? over.time : now;
      if (this.#set.byKey.has(key)) this.#remove(key, reason, by);
      this.#untold.set(key, { ...over, revived: { reason, by, time } });
    }
    await this.#tell();
    return known.length > 0;
  }

  /** Takes up what files and board say now, and lets go what is over. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      this.#lookAtFile();
      this.#expire();
      if (this.#untold.size > 0) await this.#tell();
      if (this.#untold.size === 0) await this.#lookAtBoard();
    } finally {
      this.#looking = false;
    }
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#options.board?.close();
  }

  async #stop(made: Halt): Promise<void> {
    this.#put(made);
    this.#untold.set(haltKey(made), made);
    await this.#tell();
  }

  #expire(): void {
    for (const [key, each] of this.#set.byKey)
      if (this.#set.isOver(each, 0))
        this.#remove(key, each.quarantine === undefined ? null : 'its time is over', 'gate');
  }

  #lookAtFile(): void {
    const before = this.#set.fromFile;
    const now = this.#options.files.flag(this.#now());
    if ((before === null) === (now === null)) return;
    this.#set.fromFile = now;
    this.#listener.changed();
    if (now !== null) this.#act(now);
    else this.#listener.record(this.#event('revived', 'everything', `${FLAG} was removed`, 'file'));
  }

  /** The board has the last word, once it has heard ours. */
  async #lookAtBoard(): Promise<void> {
    const { board } = this.#options;
    if (board === null) return;
    const texts = await board.read().catch(() => null);
    if (texts === null || this.#untold.size > 0) return;
    const theirs = new Map(texts.flatMap((text) => parsed(text)).map((each) => [haltKey(each), each]));
    for (const [key, { revived, ...each }] of theirs) {
      const mine = this.#set.byKey.get(key);
      if (revived === undefined) {
        if (mine === undefined && !this.#set.isOver(each, 0)) this.#put(each);
      } else if (mine !== undefined && mine.time <= revived.time) this.#remove(key, revived.reason, revived.by);
    }
    // A board that was lost revives nobody: it is told again.
    for (const [key, mine] of this.#set.byKey) if (!theirs.has(key)) this.#untold.set(key, mine);
    const moot = [...theirs].filter(([, each]) => this.#isMoot(each)).map(([key]) => key);
    if (moot.length > 0) await board.remove(moot).catch(() => undefined);
  }

  /** It says nothing to anybody any more. */
  #isMoot(each: Notice): boolean {
    if (this.#set.isOver(each, REMEMBERED)) return true;
    return each.revived !== undefined && Date.parse(each.revived.time) + REVIVAL_REMEMBERED <= this.#options.clock();
  }

  async #tell(): Promise<void> {
    const { board, log } = this.#options;
    if (board === null) {
      this.#untold.clear();
      return;
    }
    for (const [key, each] of this.#untold) {
      try {
        await board.put(key, JSON.stringify(each));
        if (this.#untold.get(key) === each) this.#untold.delete(key);
      } catch (error) {
        log.debug({ err: error }, 'other gates cannot be told yet');
        return;
      }
    }
  }

  #put(made: Halt): void {
    this.#set.put(made);
    this.#listener.changed();
    this.#write();
    this.#act(made);
  }

  /** `reason` null: what was halted is gone by itself, and there is nothing to say of it. */
  #remove(key: string, reason: string | null, by: string): void {
    const gone = this.#set.byKey.get(key);
    this.#set.remove(key);
    this.#listener.changed();
    this.#write();
    if (reason === null || gone === undefined) return;
    const scope = haltScope(gone);
    this.#options.log.warn({ scope, reason, by }, 'revived');
    this.#listener.record(this.#event('revived', scope, reason, by));
  }

  #act(made: Halt): void {
    const { quarantine, reason, by, until } = made;
    const scope = haltScope(made);
    const action = quarantine === undefined ? 'halted' : quarantine === 'halt' ? 'quarantined' : 'enforced';
    if (quarantine !== 'enforce') this.#listener.cut(made);
    this.#options.log.warn({ scope, reason, by, until }, action);
    this.#listener.record(this.#event(action, scope, reason, by, until));
  }

  #event(action: HaltEvent['action'], scope: string, reason: string, by: string, until?: string): HaltEvent {
    const event: HaltEvent = { action, by, kind: 'halt', reason, scope, time: this.#now() };
    return until === undefined ? event : { ...event, until };
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString();
  }

  #write(): void {
    try {
      this.#options.files.write(this.#set.byKey.values());
    } catch (error) {
      this.#options.log.error({ err: error }, 'what is halted cannot be written down: a restart would forget it');
    }
  }
}

/** What another gate put on the board; nothing where that is none. */
function parsed(text: string): Notice[] {
  try {
    return [notice.parse(JSON.parse(text))];
  } catch {
    return [];
  }
}
