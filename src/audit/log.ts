import { Denial } from '../model/denial.ts';
import type { CheckpointEvent, IntentEvent } from '../model/audit-event.ts';
import { GENESIS, HEADROOM, eventText, sealInPlace, sealLine } from './chain.ts';
import { Pending, type Waiter } from './pending.ts';
import type { LineSink } from './sinks/segment-file.ts';

/** Signs what has been written. */
export interface Notarizer {
  /** A signed checkpoint over the first `to` bytes of the segment, which end with this seal. Rejects with Tampered, or what the system throws. */
  checkpoint(to: number, seal: string): Promise<string>;
  /** The same at once, for the last one of a segment; null where it takes too long. */
  closing(to: number, seal: string): string | null;
  close(): void;
}

/** A file of the log that has been made, and not begun. */
export interface Segment {
  readonly sink: LineSink;
  /** Begins it behind a hash, with intents of exchanges that are under way: the text of its first event, and who signs it; null: nobody. */
  begin(
    previous: string,
    carried: readonly IntentEvent[],
  ): { readonly header: string; readonly notary: Notarizer | null };
}

export interface AuditLogOptions {
  readonly segment: Segment;
  /** Makes the next segment; null: there is only one. Throws what the file system throws. */
  readonly next: (() => Segment) | null;
  /** Hash the first write continues. */
  readonly previous?: string;
  /** Runs a function once the current turn of the event loop is over. */
  readonly defer: (run: () => void) => void;
  readonly clock: () => number;
  /** `disk`: nobody is told that an event is on record before the disk has it. */
  readonly durability?: 'os' | 'disk';
  /** A checkpoint is signed after so many events, and after so many milliseconds where there were any. */
  readonly checkpoint?: { readonly events: number; readonly milliseconds: number };
  /** A segment ends at the checkpoint after so many bytes, or milliseconds. */
  readonly rotate?: { readonly bytes: number; readonly milliseconds: number };
  /** Whether it ends there whatever its size: its key does not sign any more. */
  readonly isOver?: () => boolean;
  /** Told once when writing starts to fail, and once when it works again. */
  readonly onState?: (error: unknown) => void;
  /** Told when a checkpoint could not be signed, or the next segment not be made. Nothing is denied for it. */
  readonly onTrouble?: (error: unknown) => void;
  /** What the segments hold open is not needed any more. */
  readonly onClosed?: () => void;
}

/** One buffer for all writes that fit: a fresh one of this size costs page faults each time. */
const BUFFER = 256 * 1024;
/** Longest line a seal makes, with room to spare. */
const SEAL_ROOM = 128;
/** Characters that are sealed and written together at most. */
const MOST_WRITTEN = 1024 * 1024;
/** Ends of exchanges need no immediate write: they go with the next beginning, or after this many milliseconds. */
const LATE = 10;
/** Milliseconds until writing is tried again that failed. */
const RETRY = 1000;
const CHECKPOINT = { events: 10_000, milliseconds: 5_000 };
const ROTATE = { bytes: Infinity, milliseconds: Infinity };

/**
 * The hash-chained log. Events that come together are sealed and written together; `append` resolves when the operating system, or
 * the disk, has its event, so a killed process loses nothing that was promised. When a write fails, everything waiting is refused
 * and the chain goes on from the last seal that was written.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #every: NonNullable<AuditLogOptions['checkpoint']>;
  readonly #rotate: NonNullable<AuditLogOptions['rotate']>;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER);
  #sink: LineSink;
  #notary: Notarizer | null = null;
  #previous: string;
  readonly #pending = new Pending((count) => this.#dropped(count));
  #scheduled = false;
  #timer: NodeJS.Timeout | null = null;
  #failing: unknown = null;
  /** Those whose events the disk does not have yet. */
  #unsynced: Waiter[] = [];
  #syncing = false;
  /** Bytes of the segment. */
  #size = 0;
  #began = performance.now();
  /** Events that are not signed, since when the first of them, and how many of them a checkpoint was asked for. */
  #unsigned = 0;
  #unsignedSince = 0;
  #asked = 0;
  /** Checkpoints that wait to be written: they need none of their own. */
  #notes = 0;
  #signing = false;
  #due: NodeJS.Timeout | null = null;
  #closed = false;
  #underWay: () => readonly IntentEvent[] = () => [];

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#every = options.checkpoint ?? CHECKPOINT;
    this.#rotate = options.rotate ?? ROTATE;
    this.#previous = options.previous ?? GENESIS;
    this.#sink = options.segment.sink;
    this.#begin(options.segment);
  }

  /** False while events cannot be written. */
  get healthy(): boolean {
    return this.#failing === null;
  }

  /** Asks for intents of exchanges that are under way when a segment follows another: a crash later must not forget them. */
  readUnderWay(read: () => readonly IntentEvent[]): void {
    this.#underWay = read;
  }

  /** Events that wait to be written, those that are written and not signed, and for how many seconds the oldest of these. */
  get behind(): { readonly waiting: number; readonly unsigned: number; readonly seconds: number } {
    const seconds = this.#unsigned === 0 ? 0 : (performance.now() - this.#unsignedSince) / 1000;
    return { waiting: this.#pending.size, unsigned: this.#unsigned, seconds };
  }

  /** Takes the canonical text of an event; resolves with `receipt` when it is on record. Rejects with `audit-unavailable`. */
  append<T>(text: string, receipt: T): Promise<T> {
    if (this.#closed || this.#pending.isFull) return Promise.reject(unavailable('too many events wait to be written'));
    const index = this.#pending.add(text);
    if (!this.#scheduled) {
      this.#scheduled = true;
      // Group commit: what one turn of the event loop brings is written together when it is over.
      this.#options.defer(() => this.#scheduled && this.flush());
    }
    return new Promise<T>((resolve, reject) => {
      this.#pending.wait({ index, resolve: () => resolve(receipt), reject });
    });
  }

  /** Takes an event nobody waits for: it is written with the next one, or in a moment. A failure shows in `healthy`. */
  note(text: string): void {
    this.#pending.addOrDrop(text);
    if (this.#scheduled || this.#timer !== null || this.#closed) return;
    this.#timer = setTimeout(() => this.flush(), LATE);
  }

  /** Writes what waits now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#scheduled = false;
    try {
      for (let some = this.#pending.take(MOST_WRITTEN); some !== null; some = this.#pending.take(MOST_WRITTEN)) {
        // Writing may itself bring an event: it comes behind these.
        const { length } = some;
        this.#write(some);
        // A disk is asked on its own whether it has them.
        if (this.#options.durability !== 'disk') this.#report(null);
        this.#tell(this.#pending.written(length));
      }
    } catch (error) {
      this.#report(error);
      // Nobody waits for the end of an exchange, but it has happened: it is written when writing works again.
      const denial = unavailable('the audit log cannot be written', error);
      for (const waiter of this.#pending.giveUp()) waiter.reject(denial);
      // Whoever looks whether the gate is ready must see that it is again, also where nobody asks it for anything meanwhile.
      this.#timer = setTimeout(() => this.flush(), RETRY).unref();
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
    this.#sink.append(buffer.subarray(HEADROOM, whole));
    this.#previous = seal;
    this.#size += whole - HEADROOM;
    if (this.#unsigned === 0) this.#unsignedSince = performance.now();
    this.#unsigned += Math.max(0, events.length - this.#notes);
    this.#notes = 0;
    if (this.#unsigned - this.#asked >= this.#every.events) this.#sign('events');
    else this.#arm();
  }

  /** What is written is signed in a while. */
  #arm(): void {
    if (this.#unsigned > 0) this.#due ??= setTimeout(() => this.#sign('time'), this.#every.milliseconds).unref();
  }

  /** Tells those whose events are written, once the disk has them where that is asked for. */
  #tell(waiters: readonly Waiter[]): void {
    if (this.#options.durability !== 'disk') {
      for (const waiter of waiters) waiter.resolve();
      return;
    }
    this.#unsynced.push(...waiters);
    if (!this.#syncing && this.#unsynced.length > 0) this.#sync();
  }

  /** One flush of the disk after the other; what is written meanwhile goes with the next. */
  #sync(): void {
    const waiters = this.#unsynced;
    this.#unsynced = [];
    this.#syncing = true;
    this.#sink.sync((error) => {
      this.#syncing = false;
      this.#report(error);
      const denial = error === null ? null : unavailable('the audit log cannot be written to its disk', error);
      for (const { resolve, reject } of waiters)
        if (denial === null) resolve();
        else reject(denial);
      if (this.#unsynced.length > 0) this.#sync();
    });
  }

  /** Asks for a checkpoint over what has been written; the segment ends behind it where it is time. */
  #sign(reason: 'events' | 'time'): void {
    if (this.#due !== null) clearTimeout(this.#due);
    this.#due = null;
    const notary = this.#notary;
    if (notary === null || this.#signing || this.#closed) return;
    this.#signing = true;
    this.#asked = this.#unsigned;
    const asked = { events: this.#asked, at: performance.now() };
    notary
      .checkpoint(this.#size, this.#previous)
      .then((note) => {
        if (notary !== this.#notary || this.#closed) return;
        this.#notes++;
        this.#unsigned -= asked.events;
        this.#asked = 0;
        this.#unsignedSince = asked.at;
        this.note(this.#checkpoint(note, reason));
      })
      .catch((error: unknown) => this.#options.onTrouble?.(error))
      .finally(() => this.#signed(notary));
  }

  #signed(notary: Notarizer): void {
    this.#signing = false;
    if (this.#closed) return;
    if (notary === this.#notary && this.#isFull()) this.rotate();
    this.#arm();
  }

  #failed(error: unknown): string {
    const time = new Date(this.#options.clock()).toISOString();
    const detail = error instanceof Error ? error.message : String(error);
    return eventText({ action: 'failed', detail, kind: 'audit-log', time });
  }

  #dropped(count: number): string {
    const time = new Date(this.#options.clock()).toISOString();
    return eventText({ action: 'dropped', count, detail: 'there was no room for them', kind: 'audit-log', time });
  }

  #checkpoint(note: string, reason: CheckpointEvent['reason']): string {
    return eventText({ kind: 'checkpoint', note, reason, time: new Date(this.#options.clock()).toISOString() });
  }

  #isFull(): boolean {
    const { bytes, milliseconds } = this.#rotate;
    return this.#size >= bytes || performance.now() - this.#began >= milliseconds || this.#options.isOver?.() === true;
  }

  /** Ends the segment and goes on in the next. Where that cannot be made, this one is written on. */
  rotate(): void {
    const { next, onTrouble } = this.#options;
    if (next === null || this.#closed) return;
    // Where it fails, it is tried again when the segment would have been over by its time.
    this.#began = performance.now();
    let segment: Segment | null = null;
    try {
      segment = next();
      this.#end('rotation');
      this.#sink = segment.sink;
      this.#begin(segment);
    } catch (error) {
      // An empty file would stand between this segment and the next.
      if (this.#sink !== segment?.sink) segment?.sink.discard?.();
      onTrouble?.(error);
    }
  }

  #begin(segment: Segment): void {
    const { header, notary } = segment.begin(this.#previous, this.#underWay());
    this.#notary = notary;
    this.#size = 0;
    this.#began = performance.now();
    this.#pending.addFirst(header);
    this.#scheduled = true;
    this.#options.defer(() => this.#scheduled && this.flush());
  }

  /** Writes what waits, and the last checkpoint of the segment. */
  #end(reason: 'rotation' | 'shutdown'): void {
    this.flush();
    const note = this.#failing === null ? this.#notary?.closing(this.#size, this.#previous) : null;
    if (note !== null && note !== undefined) this.#write([this.#checkpoint(note, reason)]);
    else if (this.#notary !== null)
      this.#options.onTrouble?.(new Error('the end of an audit segment could not be signed'));
    this.#notary?.close();
    this.#sink.close();
    if (this.#due !== null) clearTimeout(this.#due);
    this.#due = null;
    this.#unsigned = this.#asked = 0;
  }

  close(): void {
    if (this.#closed) return;
    try {
      this.#end('shutdown');
    } catch (error) {
      this.#report(error);
    }
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#options.onClosed?.();
  }

  #report(error: unknown): void {
    const changed = (error === null) !== (this.#failing === null);
    this.#failing = error;
    if (!changed) return;
    // On record once it can be written, and with it there is something to try with.
    if (error !== null) this.#pending.add(this.#failed(error));
    this.#options.onState?.(error);
  }
}

function unavailable(detail: string, cause?: unknown): Denial {
  return new Denial('audit-unavailable', detail, { cause });
}
