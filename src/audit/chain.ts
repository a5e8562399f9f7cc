import { hash } from 'node:crypto';
import type { AuditEvent } from '../model/audit-event.ts';

/** What the very first event continues. */
export const GENESIS = '0'.repeat(64);

/** One line of a segment: the event and its hash, which covers the hash of the line before. */
export interface Link {
  readonly line: string;
  readonly hash: string;
}

/** The canonical text of an event whose members already stand in alphabetical order (RFC 8785). */
export function eventText(event: AuditEvent): string {
  return JSON.stringify(event);
}

/** Chains an event by its canonical text: hash = SHA-256(previous hash ‖ LF ‖ text), in hex. */
export function link(text: string, previous: string): Link {
  const digest = hash('sha256', `${previous}\n${text}`, 'hex');
  return { line: `{"event":${text},"hash":"${digest}"}\n`, hash: digest };
}
