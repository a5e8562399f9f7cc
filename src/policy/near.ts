import type { RuleReference } from '../model/decision.ts';
import type { Facts } from '../model/facts.ts';
import type { HostIndex } from './host-index.ts';
import type { Policy } from './policy.ts';
import { asksNoMore, type RankedRule } from './rule.ts';

/** A rule for the host of a request, and where the request is not what it says. */
export interface NearRule {
  readonly rule: RuleReference;
  readonly kind: 'allow' | 'deny';
  /** `more`: it asks for what stands in queries, headers or bodies. Empty: it fits, and others outrank it. */
  readonly differs: ReadonlyArray<'path' | 'method' | 'more'>;
}

/** The rules that speak of the host a request goes to, those that fit best first: what decided it, and what nearly did. */
export function nearRules(facts: Facts, policy: Policy): NearRule[] {
  const agent = policy.agents.get(facts.agent);
  if (agent === undefined) return [];
  const found = new Map<RuleReference, NearRule>();
  const look = (kind: NearRule['kind'], index: HostIndex): void => {
    for (const { trie, rawTrie, entries } of index.match(facts.target)) {
      const { canonical, raw } = facts.path;
      const onPath = new Set([...(canonical === null ? [] : trie.match(canonical)), ...(rawTrie?.match(raw) ?? [])]);
      for (const entry of entries) {
        const near = { rule: entry.rule, kind, differs: differences(entry, onPath.has(entry), facts) };
        const before = found.get(entry.rule);
        if (before === undefined || near.differs.length < before.differs.length) found.set(entry.rule, near);
      }
    }
  };
  look('deny', policy.deny);
  look('deny', agent.deny);
  for (const index of agent.allow) look('allow', index);
  return [...found.values()].sort((a, b) => a.differs.length - b.differs.length);
}

function differences({ rule }: RankedRule, isOnPath: boolean, facts: Facts): NearRule['differs'] {
  const { methods } = rule.endpoint;
  return [
    ...(isOnPath ? [] : (['path'] as const)),
    ...(methods === null || methods.has(facts.method) ? [] : (['method'] as const)),
    ...(asksNoMore(rule.endpoint) ? [] : (['more'] as const)),
  ];
}
