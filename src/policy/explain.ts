import { ruleText, type Decision } from '../model/decision.ts';
import type { Facts } from '../model/facts.ts';

/** A decision in words, for terminals and pull requests. */
export function explain(facts: Facts, decision: Decision): string {
  const request = `${facts.method} ${facts.target.scheme}://${facts.target.authority}${facts.path.raw}${facts.query === null ? '' : '?…'}`;
  const lines = [`${verdict(decision)}  ${request}`, `agent     ${facts.agent} (${decision.mode})`];
  if (decision.kind === 'allow') {
    lines.push(`rule      ${ruleText(decision.rule)}`);
    if (decision.obligations.capability !== null) lines.push(`grants    ${decision.obligations.capability}`);
    if (decision.obligations.networks.length > 0) lines.push(`networks  ${decision.obligations.networks.join(', ')}`);
    return lines.join('\n');
  }
  lines.push(`reason    ${decision.reason}: ${decision.detail}`);
  if (decision.rule !== null) lines.push(`rule      ${ruleText(decision.rule)}`);
  if (decision.remedy !== '') lines.push('', 'To allow it, add to the rules:', '', decision.remedy.trimEnd());
  return lines.join('\n');
}

function verdict(decision: Decision): string {
  return decision.kind === 'allow' ? 'ALLOW' : 'DENY ';
}
