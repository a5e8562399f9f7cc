import { END_TO_END } from '../http1/fields.ts';
import { Denial } from '../model/denial.ts';
import type { BodyFacts, Facts } from '../model/facts.ts';
import { NO_CHANGED_TOOLS } from '../policy/content/tools.ts';
import { canonicalPath, splitTarget } from '../model/path.ts';
import { DEFAULT_PORT, makeTarget, parseAuthority, type Target } from '../model/target.ts';
import type { Tunnel } from './tunnel.ts';
import type { Exchange } from './exchange.ts';
import type { AgentRequest } from './message.ts';
import { grantsOf, principalOf } from './principal.ts';
import type { Services } from './services.ts';
import type { Snapshot } from './snapshot.ts';
import { checkHandshake } from './websocket.ts';

const NO_HEADERS: readonly string[] = [];
const UNREAD: BodyFacts = { kind: 'unread' };
const NO_BODY: BodyFacts = { kind: 'none' };

/** Where a request wants to go and for what, before anything is judged. */
interface Asked {
  readonly target: Target;
  readonly path: string;
  readonly query: string | null;
}

/**
 * Collects what `decide` may know. Identity comes first: who is not known gets no other answer. Throws for requests that
 * are malformed, name two hosts, or have been through this gate before.
 */
export function gatherFacts(request: AgentRequest, exchange: Exchange, services: Services): Facts {
  const { tunnel, peer } = exchange;
  if (request.flaw !== null)
    throw new Denial(request.flaw.reason, request.flaw.message, { status: request.flaw.status });
  const agent = tunnel?.agent ?? identifyCaller(request, exchange, services);
  const { now } = exchange;
  const asked =
    tunnel !== null ? parseInside(request, tunnel) : peer.transparent ? parseDirect(request) : parseAbsolute(request);
  const facts: Facts = {
    agent,
    source: peer.source,
    target: asked.target,
    method: request.method,
    websocket: request.upgrade?.toLowerCase() === 'websocket',
    path: canonicalPath(asked.path),
    query: asked.query,
    headers: readsHeaders(now) ? request.fields.pairs(END_TO_END.naming(request.connection)) : NO_HEADERS,
    body: request.body.present ? UNREAD : NO_BODY,
    changedTools: NO_CHANGED_TOOLS,
    granted: grantsOf(exchange.session),
  };
  exchange.facts = facts;
  if (tunnel !== null) refuseContradiction(tunnel);
  checkSemantics(request, tunnel, services.pseudonym);
  return facts;
}

/** Says who asks, and with that which rules hold. */
function identifyCaller({ credentials }: AgentRequest, exchange: Exchange, services: Services): string {
  const { agent, session, now } = principalOf({ ...exchange.peer, credentials }, services);
  exchange.agent = agent;
  exchange.session = session;
  exchange.now = now;
  exchange.peer.seat.claim(agent);
  return agent;
}

function readsHeaders({ policy, decisionPoints }: Snapshot): boolean {
  return policy.readsHeaders || decisionPoints.headers.size > 0;
}

/** A request to the proxy port itself: absolute-form, plain http (RFC 9112 §3.2.2). */
function parseAbsolute(request: AgentRequest): Asked {
  const { target } = request;
  if (target.startsWith('/') || target === '*')
    throw new Denial(
      'request-malformed',
      'this is a proxy: set HTTPS_PROXY and HTTP_PROXY to its address, and ask for the URL you want',
    );
  const parsed = splitAbsolute(target);
  if (parsed.scheme !== 'http')
    throw new Denial('request-malformed', `${parsed.scheme}:// is not carried in the clear: use CONNECT`);
  if (request.authority !== null) requireSame(request.authority, parsed.target, 'Host');
  return { target: parsed.target, path: parsed.path, query: parsed.query };
}

/** A request of an agent that does not know of the gate: origin-form, and `Host` says where to. */
function parseDirect(request: AgentRequest): Asked {
  if (!request.target.startsWith('/')) return parseAbsolute(request);
  const authority = request.authority === null ? null : parseAuthority(request.authority);
  if (authority === null) throw new Denial('request-malformed', 'the Host field does not say where to');
  return { target: makeTarget('http', authority.host, authority.port ?? 80), ...splitTarget(request.target) };
}

/** A request inside a tunnel: origin-form for the host the tunnel was opened to. */
function parseInside(request: AgentRequest, tunnel: Tunnel): Asked {
  const { target } = request;
  if (tunnel.mismatch !== null) throw new Denial('authority-mismatch', tunnel.mismatch, { status: 421 });
  if (request.method === 'CONNECT') throw new Denial('request-malformed', 'CONNECT inside a tunnel');
  if (request.authority !== null) requireSame(request.authority, tunnel.target, 'Host');
  if (target.startsWith('/')) return { target: tunnel.target, ...splitTarget(target) };
  if (target === '*')
    throw new Denial('request-malformed', 'the asterisk form asks about a server as a whole, which no rule can allow');
  const parsed = splitAbsolute(target);
  if (parsed.target.key !== tunnel.target.key)
    throw mismatch(`the request names ${parsed.target.key} inside a tunnel to ${tunnel.target.key}`);
  return { target: tunnel.target, path: parsed.path, query: parsed.query };
}

function splitAbsolute(text: string): Asked & { scheme: string } {
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?]*)(.*)$/.exec(text);
  if (match === null) throw new Denial('request-malformed', 'the request target is neither a path nor a URL');
  const scheme = (match[1] ?? '').toLowerCase();
  if (scheme !== 'http' && scheme !== 'https')
    throw new Denial('request-malformed', `${scheme}:// is not a scheme the gate carries`);
  const authority = parseAuthority(match[2] ?? '');
  if (authority === null) throw new Denial('request-malformed', 'the authority of the request target is malformed');
  const target = makeTarget(scheme, authority.host, authority.port ?? (DEFAULT_PORT[scheme] as number));
  const rest = match[3] ?? '';
  return { scheme, target, ...splitTarget(rest.startsWith('/') ? rest : `/${rest}`) };
}

/**
 * A CONNECT that contradicted itself stays refused. Any other refusal is judged again with all facts, so that the agent
 * learns which request was refused and what would allow just that.
 */
function refuseContradiction(tunnel: Tunnel): void {
  const reason = tunnel.refusal?.reason;
  if (tunnel.refusal !== null && (reason === 'authority-mismatch' || reason === 'request-malformed'))
    throw tunnel.refusal;
}

/** RFC 9112 §3.2: the two must agree; we never choose between them. */
function requireSame(authority: string, target: Target, field: string): void {
  if (authority === target.authority) return;
  const parsed = parseAuthority(authority);
  if (parsed === null) throw new Denial('request-malformed', `the ${field} field is malformed`);
  const port = parsed.port ?? DEFAULT_PORT[target.scheme];
  if (parsed.host.text === target.host.text && port === target.port) return;
  throw mismatch(`the ${field} field names another host than the ${target.key} the request is for`);
}

function mismatch(detail: string): Denial {
  return new Denial('authority-mismatch', detail);
}

function checkSemantics(request: AgentRequest, tunnel: Tunnel | null, pseudonym: string): void {
  if (request.upgrade !== null) checkHandshake(request);
  if (request.expect !== null && request.expect.toLowerCase() !== '100-continue')
    throw new Denial('request-malformed', 'an expectation other than 100-continue', { status: 417 });
  if (tunnel !== null && request.credentials.length > 0)
    throw new Denial(
      'request-malformed',
      'gate credentials inside a tunnel, where they would have reached the upstream',
    );
  if (request.via !== null && request.via.includes(pseudonym))
    throw new Denial('address-forbidden', 'the request has been through this gate before: a loop');
}
