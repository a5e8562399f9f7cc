import { Denial } from '../model/denial.ts';
import { haltScope } from '../model/halt.ts';
import type { Services } from './services.ts';
import type { Snapshot } from './snapshot.ts';

/** Throws the denial where the agent, its tenant, the capability or everything has been stopped: part of the floor. */
export function refuseHalted(
  agent: string,
  capability: string | null,
  { policy }: Snapshot,
  { halts }: Services,
): void {
  if (!halts.any) return;
  const tenant = policy.agents.get(agent)?.tenant ?? null;
  const halt = halts.haltOf({ agent, tenant, capability });
  if (halt !== null) throw new Denial('halted', `${haltScope(halt)} is halted: ${halt.reason}`);
}
