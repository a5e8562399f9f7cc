import { Denial } from '../model/denial.ts';
import { haltScope, type Halt } from '../model/halt.ts';
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
  if (halt !== null) throw haltDenial(halt);
}

/** What is said of a halt: who stopped it shows in the reason code. */
export function haltDenial(halt: Halt): Denial {
  const { until, reason } = halt;
  if (halt.quarantine === undefined || until === undefined)
    return new Denial('halted', `${haltScope(halt)} is halted: ${reason}`);
  const seconds = Math.max(1, Math.ceil((Date.parse(until) - Date.now()) / 1000));
  return new Denial('quarantined', `${haltScope(halt)} is quarantined until ${until}: ${reason}`, {
    headers: ['Retry-After', String(seconds)],
  });
}
