import type { Place, RuleReference, WebSocketTerms } from '../model/decision.ts';
import type { Limit } from '../model/limit.ts';
import type { Mode } from '../model/mode.ts';
import type { ScanTerms } from '../model/scan-profile.ts';
import type { Scheme } from '../model/target.ts';
import { hostRank, type HostPattern } from './host-pattern.ts';
import type { PathPattern } from './path-pattern.ts';
import type { ContentPredicates } from './content/content.ts';
import type { FieldPredicates } from './predicate.ts';

/** What an endpoint says, parsed; where it says it and who owns it come with the rule. */
export interface Endpoint {
  readonly text: string;
  readonly scheme: Scheme;
  readonly host: HostPattern;
  readonly port: number;
  /** Null: any method. */
  readonly methods: ReadonlySet<string> | null;
  readonly paths: readonly PathPattern[];
  readonly pathsRaw: boolean;
  readonly query: FieldPredicates | null;
  readonly headers: FieldPredicates | null;
  /** What it asks of content: the body, GraphQL, JSON-RPC, MCP. */
  readonly content: ContentPredicates | null;
  /** What it asks beyond host, port, method and path, as its author wrote it: equal texts ask the same. */
  readonly demands: string;
  /** False: TLS passes through undecrypted; host and port are all that is judged. */
  readonly intercept: boolean;
  /** Null: requests under it may not become WebSockets. */
  readonly websocket: WebSocketTerms | null;
}

/** An endpoint in force: allowed or denied to some agent. */
export interface Rule extends RuleReference {
  readonly endpoint: Endpoint;
  readonly place: Place;
  /** Mode of its capability or grant, where one is set. */
  readonly mode: Mode | null;
  readonly networks: readonly string[];
  /** Limits of its capability. */
  readonly limits: readonly Limit[];
  /** What its capability says of scanning. */
  readonly scan: ScanTerms | null;
  /** Its capability says that what is said is kept (`audit: transcript`). */
  readonly transcript: boolean;
}

/** One path of a rule, with its specificity as a number (POLICY.md, "Deciding" 3). */
export interface RankedRule {
  readonly rule: Rule;
  readonly path: PathPattern;
  readonly rank: number;
}

/** Exact host over wildcard, then longer literal path, then method named over any, then more predicates. */
export function rankOf(endpoint: Endpoint, path: PathPattern): number {
  const literal = Math.min(path.literalLength, 0x3fff);
  const named = endpoint.methods === null ? 0 : 1;
  return ((hostRank(endpoint.host) * 0x4000 + literal) * 2 + named) * 0x100 + predicateCount(endpoint);
}

/** True when `a` decides before `b`. Rules that are equal in rank agree (a load error otherwise): text breaks the tie. */
export function outranks(a: RankedRule, b: RankedRule): boolean {
  if (a.rank !== b.rank) return a.rank > b.rank;
  if (a.rule.text !== b.rule.text) return a.rule.text < b.rule.text;
  return (a.rule.capability ?? '') < (b.rule.capability ?? '');
}

/** What a rule asks beyond allowing; two rules with the same rank must not differ in it. */
export function obligationKey(rule: Rule): string {
  const { websocket } = rule.endpoint;
  const terms =
    websocket === null
      ? '-'
      : `${websocket.max} ${websocket.messages?.count ?? '-'}/${websocket.messages?.window ?? '-'}`;
  const shows = rule.endpoint.content?.mcp?.shows ?? '-';
  const limits = rule.limits.map(({ kind, text: limit }) => `${kind} ${limit}`).join(',');
  const counted = limits === '' ? '' : `|${limits}`;
  return `${rule.mode ?? '-'}|${rule.networks.join(',')}|${terms}|${rule.endpoint.intercept}|${shows}${counted}${scanText(rule.scan)}${rule.transcript ? '|transcript' : ''}`;
}

function scanText(terms: ScanTerms | null): string {
  if (terms === null) return '';
  const said = [...terms.actions, ...terms.detectors].map(([what, action]) => `${what} ${action}`).sort();
  return `|scan ${terms.off ? 'off' : terms.resets ? 'default' : said.join(',')}`;
}

function predicateCount(endpoint: Endpoint): number {
  const of = (fields: FieldPredicates | null): number =>
    fields === null ? 0 : fields.byName.size + (fields.closed ? 1 : 0);
  return Math.min(0xff, of(endpoint.query) + of(endpoint.headers) + (endpoint.content?.size ?? 0));
}

/** Host, port, method and path are all a rule asks for. */
export function asksNoMore({ query, headers, content }: Endpoint): boolean {
  return query === null && headers === null && content === null;
}
