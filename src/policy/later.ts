import { problemAt, type Problem } from './problem.ts';
import { LATER, type RulesFile } from './schema.ts';
import { keyRangeOf, type Source } from './source.ts';

/**
 * Refuses keys the gate does not enforce yet. A rule that is read and not enforced is worse than none: somebody believes
 * to be protected by it.
 */
export function refuseLater(source: Source, file: RulesFile, problems: Problem[]): void {
  const refuse = (path: PropertyKey[], holder: object | undefined, keys: readonly string[]): void => {
    if (holder === undefined) return;
    for (const key of keys) {
      if ((holder as Record<string, unknown>)[key] === undefined) continue;
      problems.push(notYet(source, path, key));
    }
  };
  refuse([], file, LATER.file);
  refuse(['defaults'], file.defaults, LATER.defaults);
  for (const [name, tenant] of Object.entries(file.tenants ?? {}))
    refuse(['tenants', name, 'limits'], tenant.limits, LATER.groupLimits);
  for (const [name, agent] of Object.entries(file.agents ?? {})) {
    refuse(['agents', name], agent, LATER.agent);
    refuse(['agents', name, 'identity'], agent.identity, LATER.identity);
  }
  for (const [name, capability] of Object.entries(file.capabilities ?? {})) {
    refuse(['capabilities', name], capability, LATER.capability);
    refuse(['capabilities', name, 'limits'], capability.limits, LATER.groupLimits);
  }
}

function notYet(source: Source, path: PropertyKey[], key: string): Problem {
  const hint = 'this version cannot enforce it, and would rather refuse the file than pretend; remove it';
  return problemAt(source, keyRangeOf(source, path, key), `"${key}" is not supported yet`, { hint });
}
