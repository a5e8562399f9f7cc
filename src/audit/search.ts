import type { AuditEvent, OutcomeEvent } from '../model/audit-event.ts';

/** What is looked for: everything that is given must be so. */
export interface Wanted {
  readonly agent?: string | undefined;
  readonly capability?: string | undefined;
  readonly decision?: OutcomeEvent['decision'] | undefined;
  readonly exchange?: string | undefined;
  readonly findings?: boolean | undefined;
  readonly host?: string | undefined;
  readonly kind?: AuditEvent['kind'] | undefined;
  readonly reason?: string | undefined;
  readonly session?: string | undefined;
  /** Milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** An event, and the line it was read from. */
export interface FoundEvent {
  readonly event: AuditEvent;
  readonly line: string;
}

const LF = 0x0a;
/** Members that say one thing of an exchange, the most telling first. */
const MEMBERS = ['exchange', 'session', 'reason', 'host', 'capability', 'agent', 'kind', 'decision'] as const;
/** What is written for machines. */
const KINDS_LEFT_OUT = /"kind":"(?:seal|checkpoint|intent|segment)"/;

/**
 * Finds events in whole lines. Only lines that hold the most telling text that is looked for are read as JSON: a search goes through
 * a gigabyte in about a second.
 */
export class Search {
  readonly #wanted: Wanted;
  /** Texts that stand in every event that fits; the first is looked for in the bytes. */
  readonly #needles: readonly string[];
  readonly #first: Buffer | null;

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
    // Members are written in one form alone (RFC 8785).
    const members = MEMBERS.filter((name) => wanted[name] !== undefined);
    this.#needles = [
      ...(wanted.findings === true ? ['"findings":['] : []),
      ...members.map((name) => `"${name}":${JSON.stringify(wanted[name])}`),
    ];
    const first = this.#needles[0];
    this.#first = first === undefined ? null : Buffer.from(first);
  }

  /** Events in some bytes that end with a line feed, in order. */
  *in(bytes: Buffer): Generator<FoundEvent> {
    const first = this.#first;
    for (let at = 0; at < bytes.length;) {
      const hit = first === null ? at : bytes.indexOf(first, at);
      if (hit === -1) return;
      const begin = bytes.lastIndexOf(LF, hit) + 1;
      const end = bytes.indexOf(LF, hit);
      if (end === -1) return;
      at = end + 1;
      const line = bytes.toString('utf8', begin, end);
      const event = this.#read(line);
      if (event !== null) yield { event, line };
    }
  }

  #read(line: string): AuditEvent | null {
    if (!this.#needles.every((needle) => line.includes(needle))) return null;
    if (this.#wanted.exchange === undefined && KINDS_LEFT_OUT.test(line)) return null;
    let event: AuditEvent;
    try {
      event = JSON.parse(line) as AuditEvent;
    } catch {
      return null;
    }
    return this.#fits(event) ? event : null;
  }

  #fits(event: AuditEvent): boolean {
    const { since, until, findings } = this.#wanted;
    const members = event as unknown as Readonly<Record<string, unknown>>;
    if (!MEMBERS.every((name) => this.#wanted[name] === undefined || members[name] === this.#wanted[name]))
      return false;
    if (findings === true && members['findings'] === undefined) return false;
    if (since === undefined && until === undefined) return true;
    const time = Date.parse(String(members['time']));
    return time >= (since ?? -Infinity) && time <= (until ?? Infinity);
  }
}
