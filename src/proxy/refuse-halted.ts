import { Denial } from '../model/denial.ts';
import { haltScope } from '../model/halt.ts';
import type { Session } from '../model/session.ts';
import type { Services } from './services.ts';
import type { Snapshot } from './snapshot.ts';

/** Who asks, and by which capability as far as that is known. */
export interface Asking {
  readonly agent: string;
  readonly session: Session | null;
  readonly capability: string | null;
}

/** Throws the denial where the agent, its session or tenant, the capability or everything has been stopped: part of the floor. */
export function refuseHalted({ agent, session, capability }: Asking, { policy }: Snapshot, { halts }: Services): void {
  if (!halts.any) return;
  const tenant = policy.agents.get(agent)?.tenant ?? null;
  const halt = halts.haltOf({ agent, tenant, capability, session: session?.id ?? null });
  if (halt !== null) throw new Denial('halted', `${haltScope(halt)} is halted: ${halt.reason}`);
}
