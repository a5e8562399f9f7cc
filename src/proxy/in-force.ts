import { isPicked } from '../policy/rollout.ts';
import type { Snapshot } from './snapshot.ts';

/** The rules in force for all, and those that a share of sessions tries out. */
export interface InForceSnapshots {
  readonly stable: Snapshot;
  readonly canary: Snapshot | null;
}

/** The rules that hold for a session, of which so large a share tries out the new ones. */
export function pick({ stable, canary }: InForceSnapshots, share: number, agent: string, source: string): Snapshot {
  return canary !== null && isPicked(`${agent} ${source}`, canary.policy.generation, share) ? canary : stable;
}

/** Whether either knows this agent, or this capability. */
export function isKnown({ stable, canary }: InForceSnapshots, what: 'agent' | 'capability', name: string): boolean {
  const has = ({ policy }: Snapshot): boolean =>
    what === 'agent' ? policy.agents.has(name) : policy.capabilities.has(name);
  return has(stable) || (canary !== null && has(canary));
}

/** The tenant of an agent, by either. */
export function tenantIn({ stable, canary }: InForceSnapshots, agent: string): string | null {
  return (stable.policy.agents.get(agent) ?? canary?.policy.agents.get(agent))?.tenant ?? null;
}
