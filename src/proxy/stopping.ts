import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { eventText } from '../audit/chain.ts';
import type { AuditLog } from '../audit/log.ts';
import type { HaltEvent, SessionEvent } from '../model/audit-event.ts';
import { ConfigError, type Config } from '../config/config.ts';
import { RedisBoard } from '../limits/stores/board.ts';
import { Denial } from '../model/denial.ts';
import { halts } from '../model/halt.ts';
import type { Log } from '../telemetry/log.ts';
import type { Connections } from './connections.ts';
import { HaltFiles } from './halt-files.ts';
import { Halts, type HaltListener } from './halts.ts';
import { haltDenial } from './refuse-halted.ts';
import type { Services } from './services.ts';
import { SessionFile } from './session-file.ts';
import { SessionKeys } from './session-keys.ts';
import { Sessions, type SessionListener } from './sessions.ts';

/** What is stopped is told so; what has not ended after this long, in milliseconds, is cut. */
const GRACE = 50;

/** Who ends things: people, the clock, other gates. */
export interface Stoppers {
  readonly halts: Halts;
  readonly sessions: Sessions;
  readonly audit: AuditLog;
}

/** From now on what is halted, and sessions whose time is over, are cut, and put on record. */
export async function beginStopping(
  connections: Connections,
  services: Services,
  { halts, sessions, audit }: Stoppers,
): Promise<void> {
  const record = (event: HaltEvent | SessionEvent): void => audit.note(eventText(event));
  sessions.listen({ end: sessionEnder(connections, services), record, entered: () => undefined });
  const cut = halter(connections, services);
  await halts.start({ cut, record, changed: () => undefined });
}

/** Ends what was halted in this process. */
export function halter(connections: Connections, { inFlight, generations, sessions }: Services): HaltListener['cut'] {
  return (halt) => {
    const concerns = (agent: string, capability: string | null, session: string | null): boolean =>
      halts(halt, { agent, tenant: generations.tenantOf(agent), capability, session });
    inFlight.stop(concerns, haltDenial(halt));
    connections.dismiss((agent, session) => concerns(agent, null, session), GRACE);
    // What people have revoked is over; what the gate contained may go on.
    if (halt.kind === 'session' && halt.quarantine === undefined) sessions.forget(halt.name);
  };
}

/** Ends what runs in a session whose time is over. */
export function sessionEnder(connections: Connections, { inFlight }: Services): SessionListener['end'] {
  return ({ id }, how) => {
    const denial = new Denial('session-expired', `session ${id} ${how === 'expired' ? 'is over' : 'was revoked'}`);
    inFlight.stop((_agent, _capability, session) => session === id, denial);
    connections.dismiss((_agent, session) => session === id, GRACE);
  };
}

/** Opens what is known of halts. Throws ConfigError for a state no gate wrote. */
export function openHalts(config: Config, trust: SecureContext, clock: () => number, log: Log): Halts {
  const { address, timeout } = config.store;
  const board = address === null ? null : new RedisBoard(address, timeout, trust);
  try {
    return new Halts({ files: new HaltFiles(config.state), board, clock, log });
  } catch (error) {
    board?.close();
    throw new ConfigError(`state: ${(error as Error).message}`);
  }
}

/** Opens the keys of sessions, made where there are none, and the list of them, where this process keeps it. Throws ConfigError. */
export function openSessions({ state, sessions }: Config, clock: () => number, list: Log | null): Sessions {
  const path = sessions.keys ?? join(state, 'session-keys.json');
  try {
    const file = list === null ? null : new SessionFile(join(state, 'sessions.jsonl'), list);
    return new Sessions({ keys: new SessionKeys({ path, rotate: sessions.rotate, clock }), file, clock });
  } catch (error) {
    throw new ConfigError(`sessions.keys: ${(error as Error).message}`);
  }
}
