import { hash } from 'node:crypto';
import type { AuditEvent } from '../model/audit-event.ts';

/** `previous` of the very first event. */
export const GENESIS = '0'.repeat(64);

/** One line of a segment: the event, its hash, and the hash of the line before. */
export interface Link {
  readonly line: string;
  readonly hash: string;
}

/**
 * Chains an event: hash = SHA-256(previous hash ‖ LF ‖ event text), hex. The event's text is canonical JSON (RFC 8785):
 * its members stand in alphabetical order and JSON.stringify writes numbers and strings as the RFC wants.
 */
export function link(event: AuditEvent, previous: string): Link {
  const text = JSON.stringify(event);
  const digest = hash('sha256', `${previous}\n${text}`, 'hex');
  return { line: `{"event":${text},"hash":"${digest}","previous":"${previous}"}\n`, hash: digest };
}
