import { BlockList } from 'node:net';
import { ruleText } from '../model/decision.ts';
import { hostCovers, hostPatternText } from './host-pattern.ts';
import type { Merged } from './merge.ts';
import { pathCovers, pathsOverlap } from './path-pattern.ts';
import type { AgentPolicy } from './policy.ts';
import { problemAt, type Problem } from './problem.ts';
import { asksNoMore, obligationKey, rankOf, type Endpoint, type Rule } from './rule.ts';
import { keyRangeOf, type Source } from './source.ts';

/** What an agent may and may not do, for checks at load time. */
export interface AgentRules {
  readonly own: readonly Rule[];
  readonly granted: readonly Rule[];
  readonly denies: readonly Rule[];
  readonly defaultDenies: readonly Rule[];
  readonly sources: ReadonlyMap<string, Source>;
}

/** Rules that can never decide, and rules that would decide differently for the same request. */
export function checkAgent(rules: AgentRules, problems: Problem[]): void {
  const report = (rule: Rule, message: string, hint: string): void => {
    const source = rules.sources.get(rule.place.file);
    if (source === undefined) return;
    const start = offsetOf(source, rule);
    problems.push(problemAt(source, [start, start + rule.text.length], message, { hint }));
  };
  checkUnreachable(rules, report);
  checkRepeated(rules.own, report);
  checkDisagreements([...rules.own, ...rules.granted], report);
}

type Report = (rule: Rule, message: string, hint: string) => void;

/** An agent's own endpoint that one of its denies, or one of everybody's, covers whole. */
function checkUnreachable(rules: AgentRules, report: Report): void {
  const denies = [...rules.denies, ...rules.defaultDenies].filter((rule) => asksNoMore(rule.endpoint));
  if (denies.length === 0) return;
  const exact = groupByHost(denies);
  const wild = denies.filter((rule) => rule.endpoint.host.kind !== 'exact');
  for (const rule of rules.own) {
    const near = [...(exact.get(hostPatternText(rule.endpoint.host)) ?? []), ...wild];
    const deny = near.find((each) => covers(each.endpoint, rule.endpoint));
    if (deny !== undefined)
      report(rule, `"${rule.text}" can never be used: a deny covers it`, `the deny is ${ruleText(deny)}`);
  }
}

function groupByHost(rules: readonly Rule[]): Map<string, Rule[]> {
  const groups = new Map<string, Rule[]>();
  for (const rule of rules) {
    const key = hostPatternText(rule.endpoint.host);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [rule]);
    else group.push(rule);
  }
  return groups;
}

/** Whether one endpoint is for every host, port, method and path another is for; predicates are not looked at. */
export function covers(outer: Endpoint, inner: Endpoint): boolean {
  if (outer.scheme !== inner.scheme || outer.port !== inner.port) return false;
  if (
    outer.methods !== null &&
    (inner.methods === null || ![...inner.methods].every((method) => outer.methods?.has(method)))
  )
    return false;
  if (!hostCovers(outer.host, inner.host)) return false;
  return inner.paths.every((path) => outer.paths.some((each) => pathCovers(each, path)));
}

function checkRepeated(own: readonly Rule[], report: Report): void {
  const seen = new Map<string, Rule>();
  for (const rule of own) {
    if (!asksNoMore(rule.endpoint)) continue;
    const { scheme, host, port, methods, paths, pathsRaw } = rule.endpoint;
    const key = [
      scheme,
      hostPatternText(host),
      port,
      pathsRaw,
      [...(methods ?? ['*'])].sort(),
      paths.map((path) => path.text).sort(),
    ].join(' ');
    const first = seen.get(key);
    if (first === undefined) seen.set(key, rule);
    else report(rule, `"${rule.text}" stands twice`, `it can never decide: the first is ${ruleText(first)}`);
  }
}

/** Two rules of equal rank that match a common request and ask different things of it. */
function checkDisagreements(all: readonly Rule[], report: Report): void {
  if (new Set(all.map(obligationKey)).size < 2) return;
  const groups = new Map<string, Rule[]>();
  for (const rule of all) {
    for (const path of rule.endpoint.paths) {
      const key = `${rule.endpoint.scheme} ${hostPatternText(rule.endpoint.host)} ${rule.endpoint.port} ${rankOf(rule.endpoint, path)}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [rule]);
      else if (!group.includes(rule)) group.push(rule);
    }
  }
  for (const group of groups.values()) reportDisagreement(group, report);
}

function reportDisagreement(group: readonly Rule[], report: Report): void {
  if (group.length < 2 || new Set(group.map(obligationKey)).size < 2) return;
  for (const [index, a] of group.entries()) {
    const b = group
      .slice(0, index)
      .find((each) => obligationKey(each) !== obligationKey(a) && meet(each.endpoint, a.endpoint));
    if (b === undefined) continue;
    report(
      a,
      `"${a.text}" and another rule are equally specific and disagree on mode, networks or limits`,
      `the other is ${ruleText(b)}; make one more specific`,
    );
    return;
  }
}

function meet(a: Endpoint, b: Endpoint): boolean {
  const methods = a.methods === null || b.methods === null || [...a.methods].some((method) => b.methods?.has(method));
  return (
    methods &&
    a.paths.some((left) =>
      b.paths.some((right) => rankOf(a, left) === rankOf(b, right) && pathsOverlap(left.segments, right.segments)),
    )
  );
}

/** A client certificate that is two agents is neither. */
export function checkSharedCertificates(
  agents: ReadonlyMap<string, AgentPolicy>,
  merged: Merged,
  problems: Problem[],
): void {
  const holders = new Map<string, string>();
  for (const { name, certificate } of agents.values()) {
    if (certificate === null) continue;
    const other = holders.get(certificate);
    const named = merged.agents.get(name);
    if (other === undefined) holders.set(certificate, name);
    else if (named !== undefined) {
      const range = keyRangeOf(named.source, ['agents', name, 'identity'], 'certificate');
      const message = `the certificate "${certificate}" is also that of agent "${other}"`;
      problems.push(problemAt(named.source, range, message, { hint: 'a certificate can be one agent only' }));
    }
  }
}

/** A source address that is two agents is neither: the gate could not say who called. */
export function checkOverlappingSources(
  agents: ReadonlyMap<string, AgentPolicy>,
  merged: Merged,
  problems: Problem[],
): void {
  const holders = new Map<string, string>();
  const claimed: Array<{ name: string; list: BlockList; address: string; family: 'ipv4' | 'ipv6' }> = [];
  for (const agent of agents.values()) {
    for (const { address, prefix, family } of agent.sourceNetworks) {
      const list = new BlockList();
      list.addSubnet(address, prefix, family);
      const other = claimed.find(
        (each) =>
          each.name !== agent.name &&
          each.family === family &&
          (each.list.check(address, family) || list.check(each.address, family)),
      );
      const named = merged.agents.get(agent.name);
      if (other !== undefined && named !== undefined) {
        const range = keyRangeOf(named.source, ['agents', agent.name, 'identity'], 'networks');
        problems.push(
          problemAt(
            named.source,
            range,
            `the source network ${address}/${prefix} is also that of agent "${other.name}"`,
            { hint: 'an address can be one agent only' },
          ),
        );
      }
      claimed.push({ name: agent.name, list, address, family });
    }
    for (const hash of agent.tokenHashes) {
      const twin = holders.get(hash);
      holders.set(hash, agent.name);
      const named = merged.agents.get(agent.name);
      if (twin === undefined || twin === agent.name || named === undefined) continue;
      const range = keyRangeOf(named.source, ['agents', agent.name, 'identity'], 'token');
      problems.push(
        problemAt(named.source, range, `agent "${twin}" has the same token`, { hint: 'every agent has its own token' }),
      );
    }
  }
}

function offsetOf(source: Source, rule: Rule): number {
  return (source.lines.lineStarts[rule.place.line - 1] ?? 0) + rule.place.column - 1;
}
