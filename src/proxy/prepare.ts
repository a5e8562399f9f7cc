import { withoutFields } from '../http1/fields.ts';
import { CHUNKED } from '../http1/head.ts';
import { safeField } from '../http1/write.ts';
import type { Facts } from '../model/facts.ts';
import { authorityText } from '../model/target.ts';
import type { HeldBody } from './body.ts';
import type { Permit } from './permit.ts';

declare const prepared: unique symbol;

/** A request in the form it will leave in: what was judged, with the gate's own fields. Made only here. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly fields: readonly string[];
  /** Length, CHUNKED, or null for no body. */
  readonly framing: number | null;
  readonly body: HeldBody;
  readonly [prepared]: true;
}

/** Methods whose requests usually have a body: an absent one is announced as empty (RFC 9110 §8.6). */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** Writes the request anew from the facts that were judged; nothing of the agent's bytes passes by. */
export function prepare(facts: Facts, body: HeldBody, permit: Permit, pseudonym: string): UpstreamRequest {
  const path = permit.rawPath ? facts.path.raw : (facts.path.canonical ?? facts.path.raw);
  const target = facts.query === null ? path : `${path}?${facts.query}`;
  const fields = ['Host', authorityText(permit.target), ...withoutFields(facts.headers, isOurs), ...safeField('Via', via(facts.headers, pseudonym))];
  return mintUpstreamRequest({ method: facts.method, target, fields, framing: framingOf(facts.method, body), body });
}

function isOurs(name: string): boolean {
  return name === 'host' || name === 'via';
}

function via(headers: readonly string[], pseudonym: string): string {
  const own = `1.1 ${pseudonym}`;
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).length === 3 && (headers[i] as string).toLowerCase() === 'via') return `${headers[i + 1] as string}, ${own}`;
  }
  return own;
}

function framingOf(method: string, body: HeldBody): number | null {
  if (!body.present) return WITH_BODY.has(method) ? 0 : null;
  if (body.rest === null) return body.size;
  return body.announced ?? CHUNKED;
}

function mintUpstreamRequest(parts: Omit<UpstreamRequest, typeof prepared>): UpstreamRequest {
  return parts as UpstreamRequest;
}
