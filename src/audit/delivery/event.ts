import type { AuditEvent } from '../../model/audit-event.ts';

/** An event on its way to a sink. */
export interface SentEvent {
  /** Where it stands in the log: `segment:line`. The same each time it is sent, so that a receiver can tell it has it. */
  readonly id: string;
  /** As it stands there (RFC 8785). */
  readonly line: string;
  readonly event: AuditEvent;
}

/** How far a sink has come: for each lane a segment, and bytes and lines of it that are done, which end with a seal. */
export type Cursor = Readonly<Record<string, Place>>;

export interface Place {
  readonly segment: string;
  readonly bytes: number;
  readonly lines: number;
}

/** Takes events, or what is made of them, to a receiver. */
export interface Carrier<Parcel> {
  /**
   * Resolves once the receiver has them, with how many of them it did not take and never will. Rejects with Refused where it took
   * none and never will take all of them together, else with what may go better later.
   */
  send(parcels: readonly Parcel[]): Promise<number>;
  close(): void;
}

/** The receiver has said that it will not take these, however often it is asked. */
export class Refused extends Error {
  override name = 'Refused';
}
