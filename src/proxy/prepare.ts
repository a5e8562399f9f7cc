import { TO_UPSTREAM } from '../http1/fields.ts';
import { CHUNKED } from '../http1/head.ts';
import type { Facts } from '../model/facts.ts';
import type { HeldBody } from './body.ts';
import type { AgentRequest } from './message.ts';
import type { Permit } from './permit.ts';

declare const prepared: unique symbol;

/** A request in the form it will leave in: what was judged, with the gate's own fields. Made only here. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Field lines, each with the CRLF before it. */
  readonly fieldText: string;
  /** Length, CHUNKED, or null for no body. */
  readonly framing: number | null;
  readonly body: HeldBody;
  readonly [prepared]: true;
}

/** Methods whose requests usually have a body: an absent one is announced as empty (RFC 9110 §8.6). */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Writes the request anew: method, path and query from the facts that were judged, the agent's end-to-end fields, and the
 * gate's own `Host` and `Via`.
 */
export function prepare(
  facts: Facts,
  request: AgentRequest,
  body: HeldBody,
  permit: Permit,
  pseudonym: string,
): UpstreamRequest {
  const path = permit.rawPath ? facts.path.raw : (facts.path.canonical ?? facts.path.raw);
  const target = facts.query === null ? path : `${path}?${facts.query}`;
  const kept = request.fields.text(TO_UPSTREAM.naming(request.connection));
  const via = request.via === null ? `1.1 ${pseudonym}` : `${request.via}, 1.1 ${pseudonym}`;
  const fieldText = `\r\nHost: ${permit.target.authority}${kept}\r\nVia: ${via}`;
  return mintUpstreamRequest({ method: facts.method, target, fieldText, framing: framingOf(facts.method, body), body });
}

function framingOf(method: string, body: HeldBody): number | null {
  if (!body.present) return WITH_BODY.has(method) ? 0 : null;
  if (body.rest === null) return body.size;
  return body.announced ?? CHUNKED;
}

function mintUpstreamRequest(parts: Omit<UpstreamRequest, typeof prepared>): UpstreamRequest {
  return parts as UpstreamRequest;
}
