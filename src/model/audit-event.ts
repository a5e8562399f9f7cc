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

/** How an exchange ended: one for each exchange, complete in itself. Members that say nothing are left out. */
export interface OutcomeEvent {
  /** Address dialled, `pinned …` where an operator's route was used; null when nothing was dialled. */
  readonly address: string | null;
  /** Null when the caller could not be identified. */
  readonly agent: string | null;
  /** Body bytes from and to the upstream. */
  readonly bytes: { readonly received: number; readonly sent: number };
  readonly capability?: string;
  /** `would-deny` is a denial that an observing or warning mode let pass. */
  readonly decision: 'allow' | 'deny' | 'would-deny';
  /** Why it was refused, or would have been, in words. */
  readonly detail?: string;
  readonly exchange: string;
  /** What the scanner found. What was found itself stands nowhere. */
  readonly findings?: readonly RecordedFinding[];
  readonly host?: string;
  /** False where bytes passed that the gate did not read (`scheme: tcp`). */
  readonly inspected: boolean;
  readonly kind: 'outcome';
  readonly method?: string;
  readonly microseconds: number;
  readonly mode?: string;
  readonly outcome: 'delivered' | 'refused' | 'truncated' | 'aborted';
  readonly path?: string;
  /** Content hash of the policy that decided. */
  readonly policy: string;
  readonly port?: number;
  /** What the agent spoke: `http/1.1` or `h2`. */
  readonly protocol?: string;
  /** Names and value lengths; values never stand here. */
  readonly query?: ReadonlyArray<{ readonly length: number; readonly name: string }>;
  readonly reason?: string;
  /** The rule that decided, as `file:line: text (capability)`. */
  readonly rule?: string;
  readonly scheme?: string;
  /** Id of the agent's session. */
  readonly session?: string;
  readonly source: string;
  /** Status the agent was given; null when it was given none. */
  readonly status: number | null;
  readonly time: string;
  /** Microseconds: that a step took, or from the head of the request until it was done. */
  readonly timing?: {
    /** Until the head of the answer was there. */
    readonly answered?: number;
    /** That external policies took. */
    readonly consulted?: number;
    /** That the rules took. */
    readonly decided?: number;
    /** That the scanner took. */
    readonly scanned?: number;
    /** Until the request left. */
    readonly sent?: number;
  };
  readonly tunnel?: string;
  /** Its rules say that nothing in it is scanned (`scan: off`). */
  readonly unscanned?: true;
  /** The request asked to become a WebSocket. */
  readonly websocket?: true;
}

/** One thing the scanner found. */
export interface RecordedFinding {
  /** What was done about it. */
  readonly action: string;
  readonly detector: string;
  readonly direction: 'to-upstream' | 'to-agent';
  readonly family: string;
  /** The same for the same text, and tells nothing else about it. */
  readonly fingerprint: string;
  readonly severity: string;
  /** Decoders it was found through, outermost first. */
  readonly via: readonly string[];
  readonly where: string;
}

/** The process that carried an exchange died: the request may have left, and nobody saw how it ended. Said by whoever comes after. */
export interface InterruptedEvent {
  readonly agent: string | null;
  /** When its intent was recorded. */
  readonly began: string;
  readonly exchange: string;
  readonly kind: 'interrupted';
  readonly method: string | null;
  readonly path: string | null;
  readonly target: string | null;
  readonly time: string;
}

export type ExchangeEvent = IntentEvent | OutcomeEvent;

/** First line of a segment: says who writes, which segment it continues, and which key signs it. */
export interface SegmentEvent {
  /** Intents of exchanges under way when the segment began: they stand in full in one before. */
  readonly carried?: readonly IntentEvent[];
  /** Hash that its first seal continues, in hex. */
  readonly continues: string;
  /** The key before this one has signed it (a C2SP signed note); left out for the first. */
  readonly endorsement?: string;
  readonly instance: string;
  /** What verifies its checkpoints (C2SP signed-note, "Verifier keys"). */
  readonly key: string;
  readonly kind: 'segment';
  /** Which process of the gate writes, counted from 1. */
  readonly lane: number;
  /** Name of its Merkle tree, which its checkpoints are about. */
  readonly origin: string;
  /** Name of the segment this one continues; null for the first. */
  readonly previous: string | null;
  readonly time: string;
  /** Bytes of an unfinished last line that the previous segment ends with, after a crash. */
  readonly torn: number;
  readonly version: string;
}

/** The events before it in its segment, up to some, are signed. */
export interface CheckpointEvent {
  readonly kind: 'checkpoint';
  /** A signed checkpoint (C2SP tlog-checkpoint): how many events, the root of the Merkle tree over them, and their seal. */
  readonly note: string;
  /** `rotation` and `shutdown` are the last of a segment. */
  readonly reason: 'events' | 'time' | 'rotation' | 'shutdown';
  readonly time: string;
}

/** Something happened to the log itself. */
export interface AuditLogEvent {
  /**
   * `restored`: its file was deleted, and written again from what the gate still held. `changed`: what is on disk is not what was
   * written. `failed`: from then on nothing could be written, and everything was denied. `dropped`: so many ends of exchanges could not be kept while nothing could be written.
   */
  readonly action: 'restored' | 'changed' | 'failed' | 'dropped';
  readonly count?: number;
  readonly detail: string;
  readonly kind: 'audit-log';
  /** Name of the segment. */
  readonly segment?: string;
  readonly time: string;
}

/** Rules came into force, or did not: who decided that, and on what grounds. */
export interface PolicyEvent {
  /** `loaded`: in force for all. `canary`: in force for a share of sessions. The last two end that. */
  readonly action: 'loaded' | 'canary' | 'promoted' | 'rolled-back';
  /** `gate`, or who asked for it. */
  readonly by: string;
  /** Content hash of the rules this is about. */
  readonly generation: string;
  readonly kind: 'policy';
  /** Content hash of the rules that were in force for all before it; null at the start. */
  readonly previous: string | null;
  /** Why, in words, with the figures it rests on. */
  readonly reason: string;
  readonly time: string;
}

/** Something was stopped, or goes on. */
export interface HaltEvent {
  /** `quarantined` and `enforced`: the gate contained an agent by itself; the second holds it to rules that were only observed. */
  readonly action: 'halted' | 'quarantined' | 'enforced' | 'revived';
  /** Who did it: a name, `file`, `signal`, or `gate`. */
  readonly by: string;
  readonly kind: 'halt';
  readonly reason: string;
  /** `agent NAME`, `capability NAME`, `tenant NAME` or `everything`. */
  readonly scope: string;
  readonly time: string;
  /** When it ends by itself. */
  readonly until?: string;
}

/** A session was made or has ended by its time, or the keys of all of them have changed. Revoking one is a halt. */
export interface SessionEvent {
  readonly action: 'created' | 'expired' | 'keys-rotated' | 'keys-revoked';
  readonly agent?: string;
  readonly by: string;
  /** What it holds; left out: all that its agent may. */
  readonly capabilities?: readonly string[];
  readonly expires?: string;
  readonly kind: 'session';
  readonly labels?: Readonly<Record<string, string>>;
  /** What it may use up beside what its agent may. */
  readonly limits?: Readonly<Record<string, string>>;
  readonly session?: string;
  readonly time: string;
}

/** What was said in an exchange has been kept (`audit: transcript`), encrypted: the gate cannot read it again. */
export interface TranscriptEvent {
  readonly exchange: string;
  readonly kind: 'transcript';
  /** Files of it, as `YYYY-MM-DD/<SHA-256 of the file>`: the sheet first, then bodies too large to stand in it. */
  readonly objects: readonly string[];
  readonly time: string;
}

/** Something happened to where events are taken (a sink). What is lost on the way is itself an event. */
export interface SinkEvent {
  /** `dropped`: so many events will not be delivered. `failing`: what waits is tried again and again. `recovered`: all goes on. `tested`: sent by hand, and not on record. */
  readonly action: 'dropped' | 'failing' | 'recovered' | 'tested';
  readonly count?: number;
  /** Why, in words. */
  readonly detail: string;
  readonly kind: 'sink';
  /** Name of the sink. */
  readonly sink: string;
  readonly time: string;
}

export type AuditEvent =
  | ExchangeEvent
  | InterruptedEvent
  | SegmentEvent
  | CheckpointEvent
  | AuditLogEvent
  | PolicyEvent
  | HaltEvent
  | SessionEvent
  | SinkEvent
  | TranscriptEvent;
