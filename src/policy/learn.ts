import type { OutcomeEvent } from '../model/audit-event.ts';
import type { Facts } from '../model/facts.ts';
import { decide, readsMoreThanRecorded } from './decide.ts';
import {
  mergeMethods,
  mergeNames,
  sparedByNames,
  together,
  widenHosts,
  type DraftRule,
  type Star,
  type Use,
} from './draft.ts';
import type { HostIndex } from './host-index.ts';
import { shapeOf, type PathShape } from './path-shape.ts';
import type { Policy } from './policy.ts';
import { factsOf } from './replay.ts';
import { DEFAULT_PORT } from '../model/target.ts';

/** How a draft is made. */
export interface LearnTerms {
  /** Whose requests; null: those of every agent. */
  readonly agent: string | null;
  /** Drafts what the rules allow already, too. */
  readonly all: boolean;
  /** From so many on, paths that differ in one name alone become one rule; null: only identifiers do that. */
  readonly names: number | null;
  /** Hosts below one name become a wildcard. */
  readonly widenHosts: boolean;
}

/** What is to be allowed to one agent. */
export interface Draft {
  readonly agent: string;
  readonly rules: readonly DraftRule[];
  readonly use: Use;
  /** Rules that `names` would spare. */
  readonly spared: number;
}

/** Kinds of request that are told apart: a log that holds more is none that rules can be written from. */
const MAX_KINDS = 50_000;
/** Values that are counted in one place of a path. */
const MAX_VALUES = 100;
/** From here on it is worth saying that names could be merged. */
export const MANY_NAMES = 10;
/** Denials that an endpoint takes away. */
const DRAFTABLE: ReadonlySet<string> = new Set(['host-not-allowed', 'path-not-allowed', 'method-not-allowed']);

/** There is too much in the log to tell apart. */
export class TooManyKinds extends Error {
  override name = 'TooManyKinds';
}

/** Requests that differ in identifiers alone. */
interface Kind {
  readonly facts: Facts;
  readonly shape: PathShape;
  /** What stood in each place; nothing is kept of what may be a secret. */
  readonly values: ReadonlyArray<Set<string>>;
  use: Use;
}

/** Takes recorded requests one by one, and drafts rules that would allow them. It keeps kinds of request, not requests. */
export class Learner {
  readonly #policy: Policy;
  readonly #terms: LearnTerms;
  readonly #denies: ReadonlySet<object>;
  readonly #agents = new Map<string, Map<string, Kind>>();
  #kinds = 0;
  /** Requests that no rule is drafted for, by why. */
  readonly leftOut = new Map<string, number>();

  constructor(policy: Policy, terms: LearnTerms) {
    this.#policy = policy;
    this.#terms = terms;
    this.#denies = new Set([policy.deny, ...[...policy.agents.values()].map(({ deny }) => deny)].flatMap(rulesOf));
  }

  /** Throws TooManyKinds. */
  add(event: OutcomeEvent): void {
    const { agent } = this.#terms;
    if (event.agent === null || (agent !== null && event.agent !== agent)) return;
    const facts = factsOf(event);
    const why = this.#whyNot(event, facts);
    if (why === null && facts !== null) this.#keep(facts, event.time);
    else if (why !== null) this.leftOut.set(why, (this.leftOut.get(why) ?? 0) + 1);
  }

  /** One for each agent that is to be allowed something, in name order. */
  drafts(): Draft[] {
    const agents = [...this.#agents].sort(([a], [b]) => (a < b ? -1 : 1));
    return agents.map(([agent, kinds]) => this.#draft(agent, [...kinds.values()]));
  }

  #draft(agent: string, kinds: readonly Kind[]): Draft {
    const { names, widenHosts: widen } = this.#terms;
    const plain = kinds.map(ruleOf);
    const named = names === null ? plain : mergeNames(plain, names);
    const rules = mergeMethods(widen ? widenHosts(named) : named);
    const spared = names === null ? sparedByNames(rules, MANY_NAMES) : 0;
    return { agent, rules, spared, use: kinds.map(({ use }) => use).reduce(together) };
  }

  /** Why no rule is drafted for a request, in words; null where one is. */
  #whyNot({ decision, reason }: OutcomeEvent, facts: Facts | null): string | null {
    if (decision === 'deny') return `refused: ${reason ?? 'unknown'}`;
    if (facts === null || facts.method === 'CONNECT') return 'tunnels that passed unread';
    if (facts.path.canonical === null) return 'paths with more than one reading';
    if (reason !== undefined && !DRAFTABLE.has(reason)) return `no endpoint would have allowed it: ${reason}`;
    return this.#terms.all ? null : this.#whyNotNow(facts, decision);
  }

  /** The same for what the rules of today say. */
  #whyNotNow(facts: Facts, before: OutcomeEvent['decision']): string | null {
    if (!this.#policy.agents.has(facts.agent)) return null;
    // Values are not on record: where a rule reads them, what it said then is what is known.
    if (before === 'allow' && readsMoreThanRecorded(facts, this.#policy)) return 'allowed already';
    const decision = decide(facts, this.#policy);
    if (decision.kind === 'allow') return 'allowed already';
    if (decision.rule !== null && this.#denies.has(decision.rule)) return 'a deny rule refuses it';
    return DRAFTABLE.has(decision.reason) ? null : `a rule for it asks for more: ${decision.reason}`;
  }

  #keep(facts: Facts, time: string): void {
    let kinds = this.#agents.get(facts.agent);
    if (kinds === undefined) this.#agents.set(facts.agent, (kinds = new Map<string, Kind>()));
    const shape = shapeOf(facts.path.canonical ?? '/');
    const key = `${facts.target.key} ${facts.method} ${facts.websocket} ${shape.key}`;
    const use = { count: 1, first: time, last: time };
    const known = kinds.get(key);
    if (known === undefined && ++this.#kinds > MAX_KINDS) throw new TooManyKinds(`more than ${MAX_KINDS} kinds`);
    const kind = known ?? { facts, shape, values: shape.holes.map(() => new Set<string>()), use };
    if (known === undefined) kinds.set(key, kind);
    else kind.use = together(kind.use, use);
    shape.holes.forEach(({ value, opaque }, place) => {
      const values = kind.values[place];
      if (!opaque && values !== undefined && values.size < MAX_VALUES) values.add(value);
    });
  }
}

/** The narrowest endpoint for one kind of request: a `*` only where identifiers differed, or where one may be a secret. */
function ruleOf({ facts, shape, values, use }: Kind): DraftRule {
  const { scheme, host, port } = facts.target;
  const stars: Star[] = [];
  let path = shape.texts[0] ?? '/';
  shape.holes.forEach(({ value, opaque }, place) => {
    const seen = values[place] ?? new Set<string>();
    const varies = opaque || seen.size > 1;
    if (varies) stars.push({ what: opaque ? 'hidden' : 'identifiers', values: seen });
    path += `${varies ? '*' : value}${shape.texts[place + 1] ?? ''}`;
  });
  return {
    scheme,
    host: host.kind === 'ipv6' ? `[${host.text}]` : host.text,
    port: port === DEFAULT_PORT[scheme] ? '' : `:${port}`,
    // A path that holds stars of its own can only be named by what they stand for.
    segments: path.slice(1).replaceAll(/\*+/g, '*').split('/'),
    methods: new Map([[facts.method, use.count]]),
    websocket: facts.websocket,
    stars,
    use,
  };
}

function rulesOf(index: HostIndex): object[] {
  return [...index.groups()].flatMap(({ entries }) => entries.map(({ rule }) => rule));
}
