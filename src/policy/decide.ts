import type { Decision, RuleReference } from '../model/decision.ts';
import type { Facts } from '../model/facts.ts';
import type { Mode } from '../model/mode.ts';
import type { Reason } from '../model/reason.ts';
import { makeTarget, type Target } from '../model/target.ts';
import { BodyView } from './content/body-view.ts';
import { contentFlaw, contentMayHold, type ContentContext } from './content/content.ts';
import type { HostIndex, HostRules } from './host-index.ts';
import type { AgentPolicy, Policy } from './policy.ts';
import { fieldsHold, fieldsMayHold, queryPairs } from './predicate.ts';
import { remedyFor } from './remedy.ts';
import { asksNoMore, outranks, type RankedRule, type Rule } from './rule.ts';

/** Fields a `closed` header predicate does not count: every request has them, or the gate writes them itself. */
const UNCOUNTED_HEADERS: ReadonlySet<string> = new Set(['host', 'via']);
const NO_QUERY: readonly string[] = [];
const NO_RULES: readonly RankedRule[] = [];

/**
 * What the policy says about one request (POLICY.md, "Deciding"). Pure: equal facts and policy give equal decisions.
 * `explain`, `test`, `replay`, `learn` and the console call this very function.
 */
export function decide(facts: Facts, policy: Policy): Decision {
  const agent = policy.agents.get(facts.agent);
  if (agent === undefined) return unknownAgent(facts.agent);
  const views = new Views(facts);

  const denied =
    denier(policy.deny.match(facts.target), facts, views) ?? denier(agent.deny.match(facts.target), facts, views);
  if (denied !== null) return refusedBy(denied, facts, agent);

  const candidates = allowCandidates(agent, facts.target);
  const best = winner(candidates, facts, views);
  if (best !== null && mayBeDeniedRaw(facts, agent, policy)) return malformed(facts, agent, best);
  if (best !== null) return allowedBy(best, agent);
  if (facts.path.canonical === null) return malformed(facts, agent, null);
  return nearestMiss(candidates, facts, agent, views);
}

/** Whether what `decide` says of a request may depend on a body that nobody has read yet. Pure, and as quick as a look-up. */
export function readsBody(facts: Facts, policy: Policy): boolean {
  const agent = policy.agents.get(facts.agent);
  if (agent === undefined || !policy.readsBodies) return false;
  const reads = (entry: RankedRule): boolean => entry.rule.endpoint.content !== null && methodHolds(entry, facts);
  return reached(facts, agent, policy).some(reads);
}

/** Whether some rule for this request looks at what no record holds: values of its query, headers, or its content. */
export function readsMoreThanRecorded(facts: Facts, policy: Policy): boolean {
  const agent = policy.agents.get(facts.agent);
  if (agent === undefined) return false;
  const reads = (entry: RankedRule): boolean => !asksNoMore(entry.rule.endpoint) && methodHolds(entry, facts);
  return reached(facts, agent, policy).some(reads);
}

/** Every rule on the way of a request, whatever it asks beyond host, port and path. */
function reached(facts: Facts, agent: AgentPolicy, policy: Policy): RankedRule[] {
  const denies = [...policy.deny.match(facts.target), ...agent.deny.match(facts.target)];
  return [
    ...denies.flatMap((group) => onAnySpelling(group, facts)),
    ...allowCandidates(agent, facts.target).flatMap((group) => onPath(group, facts)),
  ];
}

/**
 * What the policy says about opening a connection, when only host and port are known. It comes before DNS: a look-up
 * already carries the name out. Allows whatever some request on this host might be allowed.
 */
export function decideConnection(
  agentName: string,
  target: Target,
  policy: Policy,
  granted: Facts['granted'] = null,
): Decision {
  const agent = policy.agents.get(agentName);
  if (agent === undefined) return unknownAgent(agentName);
  const { host, port } = target;
  const schemes = [
    makeTarget('https', host, port),
    makeTarget('http', host, port),
    makeTarget('tcp', host, port),
  ] as const;
  const denies = [...policy.deny.match(schemes[0]), ...agent.deny.match(schemes[0])];
  const wholeDeny = denies.flatMap((rules) => rules.entries).find(deniesWholeHost);
  if (wholeDeny !== undefined)
    return denial(agent, 'host-not-allowed', `${target.host.text} is denied`, wholeDeny.rule, null, '');
  for (const each of schemes) {
    const entries = held(
      allowCandidates(agent, each).flatMap((rules) => rules.entries),
      granted,
    );
    const best = entries.reduce<RankedRule | null>(
      (top, entry) => (top === null || outranks(entry, top) ? entry : top),
      null,
    );
    if (best !== null) return connectionAllowed(best, entries, agent, denies.length > 0);
  }
  const detail = `${target.authority} is not on the allowlist of ${agent.name}`;
  return denial(agent, 'host-not-allowed', detail, null, null, remedyFor(agent.name, 'GET', target, '/**', false));
}

function allowCandidates(agent: AgentPolicy, target: Target): readonly HostRules[] {
  let found: readonly HostRules[] = [];
  for (const index of agent.allow) {
    const groups = index.match(target);
    if (groups.length > 0) found = found.length === 0 ? groups : [...found, ...groups];
  }
  return found;
}

/** Values that only some predicates need, made once when one does. */
class Views {
  readonly #facts: Facts;
  #query: readonly string[] | null | undefined;
  #headers: readonly string[] | undefined;
  #content: ContentContext | undefined;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  content(): ContentContext {
    const { method, body, changedTools } = this.#facts;
    this.#content ??= { method, query: () => this.query(), body: new BodyView(body), changedTools };
    return this.#content;
  }

  query(): readonly string[] | null {
    const { query } = this.#facts;
    if (this.#query === undefined) this.#query = query === null ? NO_QUERY : queryPairs(query);
    return this.#query;
  }

  /** Pairs, the names in lower case. */
  headers(): readonly string[] {
    this.#headers ??= this.#facts.headers.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text));
    return this.#headers;
  }
}

/** The most specific rule that matches the request in every part. */
function winner(groups: readonly HostRules[], facts: Facts, views: Views): RankedRule | null {
  let best: RankedRule | null = null;
  for (const group of groups) {
    for (const entry of onPath(group, facts)) {
      if (best !== null && !outranks(entry, best)) continue;
      if (methodAllows(entry, facts) && missed(entry, views) === null) best = entry;
    }
  }
  return best;
}

/** Canonical rules see the canonical path; `paths-raw` rules see the path as it came, the only one they can send. */
function onPath(group: HostRules, facts: Facts): readonly RankedRule[] {
  const { canonical, raw } = facts.path;
  const found = canonical === null ? NO_RULES : group.trie.match(canonical);
  return held(group.rawTrie === null ? found : [...found, ...group.rawTrie.match(raw)], facts.granted);
}

/** The rules of capabilities that a session holds; its agent's own endpoints are none of them. */
function held(rules: readonly RankedRule[], granted: Facts['granted']): readonly RankedRule[] {
  return granted === null
    ? rules
    : rules.filter(({ rule }) => rule.capability !== null && granted.has(rule.capability));
}

/** A rule that allows a method allows no WebSocket with it: what passes over one is neither read nor written by method. */
function methodAllows(entry: RankedRule, facts: Facts): boolean {
  return methodHolds(entry, facts) && (!facts.websocket || entry.rule.endpoint.websocket !== null);
}

function methodHolds(entry: RankedRule, facts: Facts): boolean {
  const { methods } = entry.rule.endpoint;
  return methods === null || methods.has(facts.method);
}

/**
 * The most specific deny that the request could be read as matching. In doubt it matches: an agent must not slip past one by
 * repeating a parameter, breaking an escape or spelling a path another way.
 */
function denier(groups: readonly HostRules[], facts: Facts, views: Views): RankedRule | null {
  let best: RankedRule | null = null;
  for (const group of groups) {
    for (const entry of onAnySpelling(group, facts)) {
      if (best !== null && !outranks(entry, best)) continue;
      if (methodHolds(entry, facts) && predicatesMayHold(entry, views)) best = entry;
    }
  }
  return best;
}

/** Rules of either kind, for either spelling of the path. */
function onAnySpelling(group: HostRules, facts: Facts): readonly RankedRule[] {
  const { canonical, raw } = facts.path;
  const found: RankedRule[] = [];
  for (const path of canonical === null || canonical === raw ? [raw] : [canonical, raw]) {
    found.push(...group.trie.match(path));
    if (group.rawTrie !== null) found.push(...group.rawTrie.match(path));
  }
  return found;
}

function predicatesMayHold(entry: RankedRule, views: Views): boolean {
  const { query, headers, content } = entry.rule.endpoint;
  if (query !== null) {
    const pairs = views.query();
    if (pairs !== null && !fieldsMayHold(query, pairs)) return false;
  }
  if (headers !== null && !fieldsMayHold(headers, views.headers())) return false;
  return content === null || contentMayHold(content, views.content());
}

/** Why a rule does not hold. */
interface Miss {
  readonly reason: Reason;
  readonly detail: string;
}

/** The first predicate that fails; null when all hold. */
function missed(entry: RankedRule, views: Views): Miss | null {
  const { query, headers, content } = entry.rule.endpoint;
  if (query !== null) {
    const pairs = views.query();
    if (pairs === null || !fieldsHold(query, pairs, null)) return QUERY_MISSED;
  }
  if (headers !== null && !fieldsHold(headers, views.headers(), UNCOUNTED_HEADERS)) return HEADER_MISSED;
  return content === null ? null : contentFlaw(content, views.content());
}

const QUERY_MISSED: Miss = { reason: 'query-not-allowed', detail: 'the query is not what the rule allows' };
const HEADER_MISSED: Miss = { reason: 'header-not-allowed', detail: 'a header is not what the rule allows' };

/**
 * A path without a canonical form could be read upstream as one that a deny rule names. If such a rule exists on this
 * host, a `paths-raw` allowance does not settle the matter: when in doubt, deny.
 */
function mayBeDeniedRaw(facts: Facts, agent: AgentPolicy, policy: Policy): boolean {
  if (facts.path.canonical !== null) return false;
  const has = (index: HostIndex): boolean =>
    index.match(facts.target).some((group) => group.entries.some((entry) => methodHolds(entry, facts)));
  return has(policy.deny) || has(agent.deny);
}

function deniesWholeHost(entry: RankedRule): boolean {
  const { endpoint } = entry.rule;
  return endpoint.methods === null && asksNoMore(endpoint) && entry.path.text === '/**';
}

type Allowance = Extract<Decision, { kind: 'allow' }>;
const allowances = new WeakMap<Rule, Allowance>();

/** Every request that a rule allows gets the same decision, made once; agents of another mode that share the rule get their own. */
function allowedBy({ rule }: RankedRule, agent: AgentPolicy): Allowance {
  const mode = rule.mode ?? agent.mode;
  const before = allowances.get(rule);
  if (before?.mode === mode) return before;
  const decision = makeAllowance(rule, mode);
  if (before === undefined) allowances.set(rule, decision);
  return decision;
}

function makeAllowance(rule: Rule, mode: Mode): Allowance {
  return {
    kind: 'allow',
    mode,
    rule,
    obligations: {
      capability: rule.capability,
      networks: rule.networks,
      opaque: rule.endpoint.scheme === 'tcp',
      passThrough: !rule.endpoint.intercept,
      websocket: rule.endpoint.websocket,
      rawPath: rule.endpoint.pathsRaw,
      tools: rule.endpoint.content?.mcp ?? null,
      limits: rule.limits,
      scan: rule.scan,
      transcript: rule.transcript,
    },
  };
}

/** Which rule will win is not known yet: the connection may reach what any of them may. */
function connectionAllowed(
  best: RankedRule,
  entries: readonly RankedRule[],
  agent: AgentPolicy,
  mayBeDenied: boolean,
): Decision {
  const networks = [...new Set(entries.flatMap((entry) => entry.rule.networks))].sort();
  const decision = allowedBy(best, agent);
  // Whatever needs to be read to be judged, an allowance or a denial, is reason enough to intercept.
  const passThrough = !mayBeDenied && entries.every((entry) => !entry.rule.endpoint.intercept);
  return { ...decision, obligations: { ...decision.obligations, networks, passThrough } };
}

function unknownAgent(name: string): Decision {
  return {
    kind: 'deny',
    mode: 'enforce',
    reason: 'agent-unknown',
    detail: `no agent "${name}" in the rules`,
    rule: null,
    capability: null,
    remedy: '',
  };
}

function denial(
  agent: AgentPolicy,
  reason: Reason,
  detail: string,
  rule: RuleReference | null,
  near: RankedRule | null,
  remedy: string,
): Decision {
  const capability = near?.rule.capability ?? null;
  return { kind: 'deny', mode: near?.rule.mode ?? agent.mode, reason, detail, rule, capability, remedy };
}

function refusedBy(entry: RankedRule, facts: Facts, agent: AgentPolicy): Decision {
  const reason = deniesWholeHost(entry) ? 'host-not-allowed' : 'path-not-allowed';
  return denial(
    agent,
    reason,
    `a deny rule refuses ${facts.method} on ${facts.target.host.text}`,
    entry.rule,
    null,
    '',
  );
}

function malformed(facts: Facts, agent: AgentPolicy, near: RankedRule | null): Decision {
  const detail = `the path holds ${facts.path.flaw ?? 'more than one reading'}`;
  return denial(agent, 'path-malformed', detail, near?.rule ?? null, near, '');
}

/** Nothing matched: the rule that came nearest names the reason, and its capability the mode. */
function nearestMiss(groups: readonly HostRules[], facts: Facts, agent: AgentPolicy, views: Views): Decision {
  const path = facts.path.canonical ?? facts.path.raw;
  const remedy = remedyFor(agent.name, facts.method, facts.target, path, facts.websocket);
  const asked = facts.websocket ? 'a WebSocket' : facts.method;
  const place = facts.target.authority;
  const entries = held(
    groups.flatMap((group) => group.entries),
    facts.granted,
  );
  const first = entries[0];
  if (first === undefined)
    return denial(
      agent,
      'host-not-allowed',
      `${facts.target.scheme}://${place} is not on the allowlist of ${agent.name}`,
      null,
      null,
      remedy,
    );

  const reached = groups.flatMap((group) => [...onPath(group, facts)]);
  const full = reached.filter((entry) => methodAllows(entry, facts)).reduce<RankedRule | null>(higher, null);
  if (full !== null) {
    const { reason, detail } = missed(full, views) ?? QUERY_MISSED;
    return denial(agent, reason, `${facts.method} ${place}${path}: ${detail}`, full.rule, full, '');
  }
  const near = reached.reduce<RankedRule | null>(higher, null);
  if (near !== null)
    return denial(agent, 'method-not-allowed', `${asked} is not allowed on ${place}${path}`, near.rule, near, remedy);
  const byMethod = entries.find((entry) => methodAllows(entry, facts));
  if (byMethod !== undefined)
    return denial(agent, 'path-not-allowed', `${path} is not allowed on ${place}`, byMethod.rule, byMethod, remedy);
  return denial(agent, 'method-not-allowed', `${asked} is not allowed on ${place}`, first.rule, first, remedy);
}

function higher(top: RankedRule | null, entry: RankedRule): RankedRule {
  return top === null || outranks(entry, top) ? entry : top;
}
