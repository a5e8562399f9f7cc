import { OutgoingFields, TO_UPSTREAM, type FieldFilter } from '../http1/fields.ts';
import { CHUNKED } from '../http1/head.ts';
import type { Facts } from '../model/facts.ts';
import type { ExchangeTrace } from '../telemetry/exchange-trace.ts';
import { traceparentOf } from '../telemetry/trace-context.ts';
import type { AgentRequest, Protocol } from './message.ts';
import type { Permit } from './permit.ts';
import type { ScannedBody } from './scan-request.ts';
import { WEBSOCKET_TO_UPSTREAM, makeKey } from './websocket.ts';

declare const prepared: unique symbol;

/** A request in the form it will leave in: what was judged, with the gate's own fields. Made only here. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** `host[:port]`: what stands in `Host`. */
  readonly authority: string;
  /** What the agent speaks, and the upstream is asked for first. */
  readonly protocol: Protocol;
  /** Key of the handshake, where the request asks for a WebSocket. */
  readonly websocketKey: string | null;
  /** The agent said that it reads trailers (`TE: trailers`), which gRPC servers ask for. */
  readonly wantsTrailers: boolean;
  readonly fields: OutgoingFields;
  /** Length, CHUNKED, or null for no body. */
  readonly framing: number | null;
  readonly body: ScannedBody;
  readonly [prepared]: true;
}

/** What is said of a body's bytes is not true of what is left when something was taken out. */
const ABOUT_BYTES: readonly string[] = ['content-encoding', 'content-md5', 'content-digest', 'repr-digest', 'digest'];

/** The same filters without it: making one takes longer than all else here. */
const traced = new WeakMap<FieldFilter, FieldFilter>();

function withoutTraceparent(filter: FieldFilter): FieldFilter {
  let without = traced.get(filter);
  if (without === undefined) traced.set(filter, (without = filter.dropping(['traceparent'])));
  return without;
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
  body: ScannedBody,
  permit: Permit,
  trace: ExchangeTrace | null,
  pseudonym: string,
): UpstreamRequest {
  const path = permit.rawPath ? facts.path.raw : (facts.path.canonical ?? facts.path.raw);
  const target = facts.query === null ? path : `${path}?${facts.query}`;
  const via = request.via === null ? `1.1 ${pseudonym}` : `${request.via}, 1.1 ${pseudonym}`;
  const dropped = facts.websocket ? [...request.connection, ...WEBSOCKET_TO_UPSTREAM] : request.connection;
  const passed = TO_UPSTREAM.naming(dropped);
  const whole = body.redacted ? passed.dropping(ABOUT_BYTES) : passed;
  const kept = trace === null ? whole : withoutTraceparent(whole);
  const own = trace === null ? ['Via', via] : ['Via', via, 'traceparent', parentOf(trace)];
  const fields = new OutgoingFields(request.fields, kept, own);
  const { method } = facts;
  const { authority } = permit.target;
  const { wantsTrailers } = request;
  // WebSockets go upstream over HTTP/1, which every WebSocket server speaks.
  const protocol = facts.websocket ? 'http/1.1' : request.protocol;
  const websocketKey = facts.websocket ? makeKey() : null;
  const framing = framingOf(method, body);
  return mintUpstreamRequest({
    method,
    target,
    authority,
    protocol,
    websocketKey,
    wantsTrailers,
    fields,
    framing,
    body,
  });
}

/** The span of the gate stands where that of the agent stood (W3C Trace Context, section 3.4). */
function parentOf({ trace, sending, sampled }: ExchangeTrace): string {
  return traceparentOf({ trace, span: sending, sampled });
}

function framingOf(method: string, body: ScannedBody): number | null {
  if (!body.present) return WITH_BODY.has(method) ? 0 : null;
  // A length leaves no place for trailers (RFC 9112 §7.1).
  if (body.rest === null) return body.trailers.size > 0 ? CHUNKED : body.size;
  return body.announced ?? CHUNKED;
}

function mintUpstreamRequest(parts: Omit<UpstreamRequest, typeof prepared>): UpstreamRequest {
  return parts as UpstreamRequest;
}
