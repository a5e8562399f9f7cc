import { equalsIgnoringCase } from './grammar.ts';
import type { FieldLines } from './head.ts';

/** Fields that end at the next hop (RFC 9110 §7.6.1) or that each hop writes anew (framing). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'content-length',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** Names `Connection` cannot remove: without them the next hop would read another request (WIRE.md §3). */
const NOT_REMOVABLE = new Set(['host', 'content-length', 'transfer-encoding', 'via', 'content-encoding', 'content-type']);

/** Lengths of the names above: most fields are passed on after one look at their length. */
const LENGTHS = new Set([...HOP_BY_HOP].map((name) => name.length));

/**
 * The end-to-end fields of a message: hop-by-hop fields and all that `Connection` names are left out, as are framing
 * fields, which the sender of the next hop writes itself. Case and order are kept.
 */
export function endToEnd(fields: FieldLines, connection: readonly string[]): string[] {
  const named = connection.filter((name) => name !== 'close' && name !== 'keep-alive' && !NOT_REMOVABLE.has(name));
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (LENGTHS.has(name.length) && HOP_BY_HOP.has(name.toLowerCase())) continue;
    if (named.length > 0 && named.includes(name.toLowerCase())) continue;
    kept.push(name, fields[i + 1] as string);
  }
  return kept;
}

/** Values of every field of this (lower-case) name. */
export function fieldValues(fields: FieldLines, lower: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (equalsIgnoringCase(fields[i] as string, lower)) values.push(fields[i + 1] as string);
  }
  return values;
}

/** The fields without those for which `drop` says true of the lower-case name. */
export function withoutFields(fields: FieldLines, drop: (lower: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (!drop(name.toLowerCase())) kept.push(name, fields[i + 1] as string);
  }
  return kept;
}
