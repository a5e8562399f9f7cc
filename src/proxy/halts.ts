import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { HaltBoard } from '../limits/stores/board.ts';
import type { HaltEvent } from '../model/audit-event.ts';
import { errorCode } from '../model/error-code.ts';
import { HALT_KINDS, haltScope, haltScopes, type Halt, type HaltSubject } from '../model/halt.ts';
import type { Log } from '../telemetry/log.ts';

const halt = z.strictObject({
  kind: z.enum(HALT_KINDS),
  name: z.string().max(200),
  reason: z.string().min(1).max(1000),
  by: z.string().min(1).max(200),
  time: z.string().max(40),
});
const file = z.strictObject({ version: z.literal(1), halts: z.array(halt) });

/** What stands on the board: a halt, and that it is over where somebody said so. What is simply gone was lost. */
const notice = halt.extend({
  revived: z.strictObject({ reason: z.string(), by: z.string(), time: z.string() }).optional(),
});
type Notice = z.infer<typeof notice>;

export interface HaltsOptions {
  /** Folder of the gate's state. */
  readonly state: string;
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
}

/** How often the file and the board are looked at, in milliseconds: a message that got lost matters no longer than that. */
const LOOK = 250;
/** A file of this name in the state folder halts everything; what it says is the reason. */
const FILE = 'HALT';

/**
 * What has been stopped: told by people through the admin listener, by a file, a signal, or another gate. It holds over
 * restarts. What is halted here is halted at once, whatever becomes of telling others.
 */
export class Halts {
  readonly #options: HaltsOptions;
  readonly #path: string;
  #listener: HaltListener = { cut: () => undefined, record: () => undefined };
  /** By scope; those of the file are kept apart. */
  #halts: ReadonlyMap<string, Halt>;
  #fromFile: Halt | null = null;
  /** What the board could not be told yet. */
  readonly #untold = new Map<string, Notice>();
  #timer: NodeJS.Timeout | null = null;
  #looking = false;

  /** Throws an Error with one line for a state that no gate wrote. */
  constructor(options: HaltsOptions) {
    this.#options = options;
    this.#path = join(options.state, 'halts.json');
    this.#halts = new Map(this.#read().map((each) => [haltScope(each), each]));
    this.#fromFile = this.#readFile();
  }

  /** The halt that stops somebody, if any; the file's last, for a reason that names them is better. */
  haltOf(subject: HaltSubject): Halt | null {
    if (this.#halts.size === 0) return this.#fromFile;
    // Looked up, not searched: every session that was revoked leaves a halt, and every request asks.
    for (const scope of haltScopes(subject)) {
      const found = this.#halts.get(scope);
      if (found !== undefined) return found;
    }
    return this.#fromFile;
  }

  get any(): boolean {
    return this.#halts.size > 0 || this.#fromFile !== null;
  }

  /** Whether this very thing has been stopped. */
  stops(what: Pick<Halt, 'kind' | 'name'>): boolean {
    return this.#halts.has(haltScope(what));
  }

  get all(): readonly Halt[] {
    return [...this.#halts.values(), ...(this.#fromFile === null ? [] : [this.#fromFile])];
  }

  /** From now on changes are acted on. Looks at file and board at once, and again and again. */
  async start(listener: HaltListener): Promise<void> {
    this.#listener = listener;
    const { board } = this.#options;
    board?.listen(() => void this.look());
    await this.look();
    this.#timer = setInterval(() => void this.look(), LOOK).unref();
  }

  /** Stops something, everywhere. */
  async kill(what: Pick<Halt, 'kind' | 'name'>, reason: string, by: string): Promise<void> {
    const made: Halt = { kind: what.kind, name: what.name, reason, by, time: this.#now() };
    this.#put(made);
    this.#untold.set(haltScope(made), made);
    await this.#tell();
  }

  /** Lets something go on, everywhere. False where it was not stopped, or is so by the file alone. */
  async revive(what: Pick<Halt, 'kind' | 'name'>, reason: string, by: string): Promise<boolean> {
    const scope = haltScope(what);
    const known = this.#halts.get(scope);
    const now = this.#now();
    const over = known ?? { kind: what.kind, name: what.name, reason, by, time: now };
    // Never before the halt itself, whatever the clock of the gate that made it.
    const time = over.time > now ? over.time : now;
    if (known !== undefined) this.#remove(scope, reason, by);
    this.#untold.set(scope, { ...over, revived: { reason, by, time } });
    await this.#tell();
    return known !== undefined;
  }

  /** Takes up what the file and the board say now. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      this.#lookAtFile();
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

  #lookAtFile(): void {
    const before = this.#fromFile;
    const now = this.#readFile();
    if ((before === null) === (now === null)) return;
    this.#fromFile = now;
    if (now !== null) this.#act(now);
    else this.#listener.record(this.#event('revived', 'everything', `${FILE} was removed`, 'file'));
  }

  /** The board has the last word, once it has heard ours. */
  async #lookAtBoard(): Promise<void> {
    const { board } = this.#options;
    if (board === null) return;
    const texts = await board.read().catch(() => null);
    if (texts === null || this.#untold.size > 0) return;
    const theirs = new Map(texts.flatMap((text) => parsed(text)).map((each) => [haltScope(each), each]));
    for (const [scope, { revived, ...each }] of theirs) {
      const mine = this.#halts.get(scope);
      if (revived === undefined) {
        if (mine === undefined) this.#put(each);
      } else if (mine !== undefined && mine.time <= revived.time) this.#remove(scope, revived.reason, revived.by);
    }
    // A board that was lost revives nobody: it is told again.
    for (const [scope, mine] of this.#halts) if (!theirs.has(scope)) this.#untold.set(scope, mine);
  }

  async #tell(): Promise<void> {
    const { board, log } = this.#options;
    if (board === null) {
      this.#untold.clear();
      return;
    }
    for (const [scope, each] of this.#untold) {
      try {
        await board.put(scope, JSON.stringify(each));
        if (this.#untold.get(scope) === each) this.#untold.delete(scope);
      } catch (error) {
        log.debug({ err: error }, 'other gates cannot be told yet');
        return;
      }
    }
  }

  #put(made: Halt): void {
    this.#halts = new Map([...this.#halts, [haltScope(made), made]]);
    this.#write();
    this.#act(made);
  }

  #remove(scope: string, reason: string, by: string): void {
    this.#halts = new Map([...this.#halts].filter(([each]) => each !== scope));
    this.#write();
    this.#options.log.warn({ scope, reason, by }, 'revived');
    this.#listener.record(this.#event('revived', scope, reason, by));
  }

  #act(made: Halt): void {
    const scope = haltScope(made);
    this.#listener.cut(made);
    this.#options.log.warn({ scope, reason: made.reason, by: made.by }, 'halted');
    this.#listener.record(this.#event('halted', scope, made.reason, made.by));
  }

  #event(action: HaltEvent['action'], scope: string, reason: string, by: string): HaltEvent {
    return { action, by, kind: 'halt', reason, scope, time: this.#now() };
  }

  #now(): string {
    return new Date(this.#options.clock()).toISOString();
  }

  #read(): Halt[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw new Error(`${this.#path} cannot be read: ${errorCode(error)}`, { cause: error });
    }
    try {
      return file.parse(JSON.parse(text)).halts;
    } catch (error) {
      // What was halted is not known any more: nobody may guess that it was nothing.
      throw new Error(`${this.#path} is not what the gate wrote there: restore it, or remove it to halt nothing`, {
        cause: error,
      });
    }
  }

  #write(): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      const text = JSON.stringify({ version: 1, halts: [...this.#halts.values()] }, null, 2);
      writeFileSync(`${this.#path}.new`, `${text}\n`, { mode: 0o600 });
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      this.#options.log.error({ err: error }, 'what is halted cannot be written down: a restart would forget it');
    }
  }

  /** A file that is there and cannot be read halts as well. */
  #readFile(): Halt | null {
    const of = (reason: string): Halt => ({ kind: 'all', name: '', reason, by: 'file', time: this.#now() });
    try {
      const text = readFileSync(join(this.#options.state, FILE), 'utf8').trim().split('\n')[0] ?? '';
      return of(text === '' ? `${FILE} lies in the state folder` : text.slice(0, 1000));
    } catch (error) {
      return errorCode(error) === 'ENOENT' ? null : of(`${FILE} lies in the state folder`);
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
