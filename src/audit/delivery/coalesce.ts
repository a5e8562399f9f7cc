import type { AuditEvent } from '../../model/audit-event.ts';
import { causeOf, type Cause } from './cause.ts';
import type { Cursor, SentEvent } from './event.ts';

/** Events of one cause, as people are told of them. */
export interface Digest {
  readonly cause: Cause;
  /** How many there were; those that were told of before are not counted again. */
  readonly count: number;
  readonly first: SentEvent;
  readonly last: SentEvent;
  /** Some of the hosts they were about, and how many there were. */
  readonly hosts: readonly string[];
  readonly hostCount: number;
  /** They follow some that were told of; null: these are the first. Milliseconds that they were counted. */
  readonly again: number | null;
}

interface Group {
  readonly cause: Cause;
  /** When it is told of, or forgotten where nothing came meanwhile. */
  readonly due: number;
  readonly events: {
    count: number;
    first: SentEvent;
    last: SentEvent;
    readonly hosts: Set<string>;
    more: number;
  } | null;
  /** Where the log stood before the first event that was not told of. */
  readonly from: Cursor;
}

/** Hosts that are named. */
const NAMED = 5;
/** Hosts that are counted one by one. */
const COUNTED = 1000;

/**
 * Tells people of the first event of a cause at once, and of those that follow once in a while, all together. The record has each
 * of them; this is for who is woken by it.
 */
export class Coalescer {
  readonly #window: number;
  readonly #groups = new Map<string, Group>();

  /** Milliseconds that events of one cause are counted before they are told of again; 0: each by itself. */
  constructor(window: number) {
    this.#window = window;
  }

  /** Takes events that were read from here on; returns what is told at once. `now` in milliseconds, of a clock that never goes back. */
  add(events: readonly SentEvent[], from: Cursor, now: number): Digest[] {
    const told: Digest[] = [];
    for (const event of events) {
      const cause = causeOf(event.event);
      const group = this.#groups.get(cause.key);
      if (group !== undefined && this.#window > 0) this.#groups.set(cause.key, withOne(group, event, from));
      else {
        this.#groups.set(cause.key, { cause, due: now + this.#window, events: null, from });
        told.push({ cause, ...one(event), again: null });
      }
    }
    return told;
  }

  /** What has been counted for long enough. */
  due(now: number): Digest[] {
    const told: Digest[] = [];
    for (const [key, { cause, due, events, from }] of this.#groups) {
      if (due > now) continue;
      if (events === null) this.#groups.delete(key);
      else {
        const { count, first, last, hosts, more } = events;
        const hostCount = hosts.size + more;
        told.push({ cause, count, first, last, hosts: [...hosts].slice(0, NAMED), hostCount, again: this.#window });
        this.#groups.set(key, { cause, due: now + this.#window, events: null, from });
      }
    }
    return told;
  }

  /** Milliseconds until something is due; null: nothing is. */
  wait(now: number): number | null {
    const dues = [...this.#groups.values()].map(({ due }) => due);
    return dues.length === 0 ? null : Math.max(0, Math.min(...dues) - now);
  }

  /** Where the log stood before the first event that nobody was told of; null: all were told. */
  get untold(): Cursor | null {
    // Groups are in the order of their causes, and one may have waited longer than one before it.
    const waiting = [...this.#groups.values()].filter(({ events }) => events !== null);
    return waiting.length === 0 ? null : waiting.map(({ from }) => from).reduce(earlier);
  }
}

function one(event: SentEvent): Omit<Digest, 'cause' | 'again'> {
  const host = hostOf(event.event);
  return { count: 1, first: event, last: event, hosts: host === null ? [] : [host], hostCount: host === null ? 0 : 1 };
}

function withOne(group: Group, event: SentEvent, from: Cursor): Group {
  const host = hostOf(event.event);
  const { events } = group;
  if (events === null) {
    const hosts = new Set(host === null ? [] : [host]);
    return { ...group, from, events: { count: 1, first: event, last: event, hosts, more: 0 } };
  }
  events.count++;
  events.last = event;
  if (host === null || events.hosts.has(host)) return group;
  if (events.hosts.size < COUNTED) events.hosts.add(host);
  else events.more++;
  return group;
}

function hostOf(event: AuditEvent): string | null {
  return event.kind === 'outcome' ? (event.host ?? null) : null;
}

/** For each lane the place that comes first. */
function earlier(a: Cursor, b: Cursor): Cursor {
  const places = Object.entries(a).map(([lane, place]) => {
    const other = b[lane];
    const isLater =
      other !== undefined &&
      (other.segment < place.segment || (other.segment === place.segment && other.bytes < place.bytes));
    return [lane, isLater ? other : place] as const;
  });
  // A lane that one of them does not have had not begun then: it is read from its beginning.
  return Object.fromEntries(places.filter(([lane]) => b[lane] !== undefined));
}
