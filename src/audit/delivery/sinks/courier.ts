import type { AuditEvent, SinkEvent } from '../../../model/audit-event.ts';
import type { EventClass, SinkReport } from '../../../model/sink.ts';
import { classesOf } from '../classes.ts';
import { Refused, type Carrier, type Cursor, type SentEvent } from '../event.ts';
import type { Batch, Follower } from './follower.ts';

/** What a courier makes of events before they go. */
export interface Packing<Parcel> {
  /** What kind of event it is about. */
  kindOf(parcel: Parcel): AuditEvent['kind'];
  /** What is to be sent of these; `from`: where the log stood before them. */
  pack(events: readonly SentEvent[], from: Cursor): readonly Parcel[];
  /** What has waited long enough. */
  due(): readonly Parcel[];
  /** Milliseconds until something has; null: nothing waits. */
  wait(): number | null;
  /** Where the log stood before the first event that waits; null: none does. */
  readonly untold: Cursor | null;
}

export interface CourierOptions<Parcel> {
  readonly name: string;
  readonly events: readonly EventClass[];
  /** Bytes it may be behind. */
  readonly spool: number;
  readonly follower: Follower;
  readonly carrier: Carrier<Parcel>;
  readonly packing: Packing<Parcel>;
  /** Keeps how far it has come. */
  readonly keep: (cursor: Cursor) => void;
  /** Told what happened to the sink, for the record. */
  readonly record: (event: Omit<SinkEvent, 'time'>) => void;
  /** Waits so many milliseconds, or until the signal. */
  readonly sleep: (milliseconds: number, signal: AbortSignal) => Promise<void>;
  /** Told how it does, for the metrics. */
  readonly report: (report: SinkReport) => void;
}

/** Milliseconds between two looks at a log that does not grow. */
const LOOK = 250;
/** Milliseconds until what failed is tried again: twice as long each time, up to the second. */
const SOON = 1000;
const LATE = 60_000;
/** Milliseconds between two notes of how far it has come; after a crash, that much is sent again. */
const KEEP = 200;
/** Parcels in one request. */
const MOST = 500;

/**
 * Takes the events of the log to one receiver, in order, each at least once. What fails is tried again for as long as the spool
 * holds; what does not fit it, or is refused for good, is dropped, counted and recorded.
 */
export class Courier<Parcel> {
  readonly #options: CourierOptions<Parcel>;
  readonly #over = new AbortController();
  /** Attempts that failed, one after another. */
  #row = 0;
  #failing = false;
  #keptAt = 0;
  #kept = '';
  /** What was reported last. */
  #told = '';
  #delivered = 0;
  #dropped = 0;
  #failures = 0;

  constructor(options: CourierOptions<Parcel>) {
    this.#options = options;
  }

  /** Runs until it is closed. Resolves then; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        if (!(await this.#step())) await this.#pause(this.#options.packing.wait());
      } catch (error) {
        // The log itself cannot be read, or the place not be kept: nothing is lost, and it is told.
        this.#failed(error as Error);
        await this.#sleep(SOON);
      }
      this.#report();
    }
    this.#options.carrier.close();
  }

  close(): void {
    this.#over.abort();
  }

  /** Takes the next events, and what is due. False where there was nothing to do. */
  async #step(): Promise<boolean> {
    const { follower, packing } = this.#options;
    this.#makeRoom();
    const due = packing.due();
    const batch = follower.next();
    this.#account();
    const packed = batch === null ? [] : packing.pack(this.#wanted(batch), batch.from);
    for (const some of inParts([...due, ...packed])) await this.#deliver(some);
    if (this.#over.signal.aborted) return true;
    const isBusy = batch !== null || due.length > 0;
    this.#keep(isBusy);
    return isBusy;
  }

  /** Notes how far it has come, once in a while and when there is nothing else to do. */
  #keep(isBusy: boolean): void {
    const { follower, packing, keep } = this.#options;
    const cursor = packing.untold ?? follower.cursor;
    if (isBusy && performance.now() - this.#keptAt < KEEP) return;
    const text = JSON.stringify(cursor);
    if (text === this.#kept) return;
    keep(cursor);
    this.#kept = text;
    this.#keptAt = performance.now();
  }

  #wanted({ events }: Batch): readonly SentEvent[] {
    return events.filter(({ event }) => classesOf(event).some((each) => this.#options.events.includes(each)));
  }

  /** What was removed before it could be sent is lost. */
  #account(): void {
    const missed = this.#options.follower.takeMissed();
    if (missed === null) return;
    const { events, from, to } = missed;
    // One that was removed at its very end has lost nothing.
    if (events > 0)
      this.#drop(events, events, `segments from ${from} on, before ${to}, were removed before they were sent`);
  }

  /** Passes over the oldest events that the spool does not hold. */
  #makeRoom(): void {
    const { follower, spool } = this.#options;
    if (follower.behind <= spool) return;
    let count = 0;
    let others = 0;
    // Down to half of it, so that not each new event drops an old one.
    while (follower.behind > spool / 2) {
      const batch = follower.next();
      this.#account();
      if (batch === null) break;
      for (const { event } of this.#wanted(batch)) {
        count++;
        if (event.kind !== 'sink') others++;
      }
    }
    this.#drop(count, others, this.#full);
  }

  get #full(): string {
    return `it was more than ${this.#options.spool} bytes of the log behind`;
  }

  /** Tries until the receiver has taken these, or will not ever. */
  async #deliver(parcels: readonly Parcel[]): Promise<void> {
    for (let patience = SOON; !this.#over.signal.aborted; patience = Math.min(patience * 2, LATE)) {
      try {
        const lost = await this.#options.carrier.send(parcels);
        this.#delivered += parcels.length - lost;
        if (lost > 0) this.#drop(lost, lost, 'the receiver rejected them');
        this.#recovered();
        return;
      } catch (error) {
        if (error instanceof Refused) return this.#deliverParts(parcels, error);
        this.#failed(error as Error);
        this.#report();
        // Not all gates that one receiver has failed come back at the same moment.
        await this.#sleep(patience * (0.75 + Math.random() / 2));
        if (this.#options.follower.behind > this.#options.spool) return this.#drop(parcels.length, 1, this.#full);
      }
    }
  }

  /** One of them is refused: the others are not to be lost for it. */
  async #deliverParts(parcels: readonly Parcel[], refusal: Refused): Promise<void> {
    if (parcels.length === 1) {
      // That the word of a lost event was lost is counted, and not put on record again: it would be lost again, for ever.
      const isOwn = this.#options.packing.kindOf(parcels[0] as Parcel) === 'sink';
      this.#drop(1, isOwn ? 0 : 1, `the receiver refused it: ${refusal.message}`);
      return;
    }
    const middle = parcels.length >> 1;
    await this.#deliver(parcels.slice(0, middle));
    await this.#deliver(parcels.slice(middle));
  }

  /** `recorded` of them are worth an event of their own. */
  #drop(count: number, recorded: number, detail: string): void {
    this.#dropped += count;
    const { name, record } = this.#options;
    if (recorded > 0) record({ action: 'dropped', count, detail, kind: 'sink', sink: name });
  }

  #failed(error: Error): void {
    this.#failures++;
    this.#row++;
    // Once is nothing: a receiver may close a connection just as it is used again.
    if (this.#failing || this.#row < 2) return;
    this.#failing = true;
    this.#options.record({ action: 'failing', detail: error.message, kind: 'sink', sink: this.#options.name });
  }

  #recovered(): void {
    const attempts = this.#row;
    this.#row = 0;
    if (!this.#failing) return;
    this.#failing = false;
    const { name, record } = this.#options;
    record({ action: 'recovered', detail: `after ${attempts} attempts that failed`, kind: 'sink', sink: name });
  }

  #report(): void {
    const { name, follower, report } = this.#options;
    const { behind } = follower;
    const [delivered, dropped, failures] = [this.#delivered, this.#dropped, this.#failures];
    const state = `${behind} ${this.#failing}`;
    if (delivered + dropped + failures === 0 && state === this.#told) return;
    this.#told = state;
    [this.#delivered, this.#dropped, this.#failures] = [0, 0, 0];
    report({ sink: name, delivered, dropped, failures, behind, failing: this.#failing });
  }

  #pause(due: number | null): Promise<void> {
    return this.#sleep(Math.min(LOOK, due ?? LOOK));
  }

  #sleep(milliseconds: number): Promise<void> {
    return this.#options.sleep(milliseconds, this.#over.signal);
  }
}

function inParts<Parcel>(parcels: readonly Parcel[]): Array<readonly Parcel[]> {
  const count = Math.ceil(parcels.length / MOST);
  return Array.from({ length: count }, (_, index) => parcels.slice(index * MOST, (index + 1) * MOST));
}
