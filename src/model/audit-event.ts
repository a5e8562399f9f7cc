/**
 * What an intent says: recorded before the first byte leaves, so that a crash leaves no request without a trace. Short, for
 * the outcome repeats it and says the rest. Members stand in alphabetical order (RFC 8785).
 */
export interface IntentEvent {
  readonly agent: string | null;
  readonly exchange: string;
  readonly kind: 'intent';
  readonly method: string | null;
  readonly path: string | null;
  /** `scheme://host:port`. */
  readonly target: string | null;
  readonly time: string;
}

/** How an exchange ended: one for each exchange, complete in itself. */
export interface OutcomeEvent {
  /** Address dialled; null when nothing was. */
  readonly address: string | null;
  readonly agent: string | null;
  /** Body bytes from and to the upstream. */
  readonly bytes: { readonly received: number; readonly sent: number };
  readonly capability: string | null;
  /** `would-deny` is a denial that an observing or warning mode let pass. */
  readonly decision: 'allow' | 'deny' | 'would-deny';
  readonly detail: string | null;
  readonly exchange: string;
  readonly host: string | null;
  /** False where bytes passed that the gate did not read (`scheme: tcp`). */
  readonly inspected: boolean;
  readonly kind: 'outcome';
  readonly method: string | null;
  readonly milliseconds: number;
  readonly mode: string | null;
  readonly outcome: 'delivered' | 'refused' | 'truncated' | 'aborted';
  readonly path: string | null;
  readonly policy: string;
  readonly port: number | null;
  /** Names and value lengths; values never stand here. */
  readonly query: ReadonlyArray<{ readonly length: number; readonly name: string }>;
  readonly reason: string | null;
  readonly rule: string | null;
  readonly scheme: string | null;
  readonly source: string;
  readonly status: number | null;
  readonly time: string;
  readonly tunnel: string | null;
}

export type ExchangeEvent = IntentEvent | OutcomeEvent;

/** First line of a segment: says who writes and which segment it continues. */
export interface SegmentEvent {
  readonly instance: string;
  readonly kind: 'segment';
  /** Name of the segment this one continues; null for the first. */
  readonly previous: string | null;
  /** Bytes of an unfinished last line that the previous segment ends with, after a crash. */
  readonly torn: number;
  readonly time: string;
  readonly version: string;
}

export type AuditEvent = ExchangeEvent | SegmentEvent;
