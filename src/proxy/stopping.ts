import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { eventText } from '../audit/chain.ts';
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
import { SessionKeys } from './session-keys.ts';
import { Sessions, type SessionListener } from './sessions.ts';

/** What is stopped is told so; what has not ended after this long, in milliseconds, is cut. */
const GRACE = 50;

/** From now on what is halted, and sessions whose time is over, are cut. */
export async function beginStopping(connections: Connections, services: Services): Promise<void> {
  services.sessions.listen(sessionListener(connections, services));
  await services.halts.start(haltListener(connections, services));
}

/** Ends what was halted, and puts it on record. */
function haltListener(connections: Connections, { inFlight, generations, audit, sessions }: Services): HaltListener {
  return {
    cut: (halt) => {
      const concerns = (agent: string, capability: string | null, session: string | null): boolean =>
        halts(halt, { agent, tenant: generations.tenantOf(agent), capability, session });
      inFlight.stop(concerns, haltDenial(halt));
      connections.dismiss((agent, session) => concerns(agent, null, session), GRACE);
      if (halt.kind === 'session') sessions.forget(halt.name);
    },
    record: (event) => audit.note(eventText(event)),
  };
}

/** Ends what runs in a session whose time is over. */
function sessionListener(connections: Connections, { inFlight, audit }: Services): SessionListener {
  return {
    end: ({ id }, how) => {
      const denial = new Denial('session-expired', `session ${id} ${how === 'expired' ? 'is over' : 'was revoked'}`);
      inFlight.stop((_agent, _capability, session) => session === id, denial);
      connections.dismiss((_agent, session) => session === id, GRACE);
    },
    record: (event) => audit.note(eventText(event)),
  };
}

/** Opens what is known of halts. Throws ConfigError for a state no gate wrote. */
export function openHalts(config: Config, trust: SecureContext, clock: () => number, log: Log): Halts {
  const { address, timeout } = config.store;
  const board = address === null ? null : new RedisBoard(address, timeout, trust);
  try {
    return new Halts({ files: new HaltFiles(config.state), writes: true, board, clock, log });
  } catch (error) {
    board?.close();
    throw new ConfigError(`state: ${(error as Error).message}`);
  }
}

/** Opens the keys of sessions, made where there are none. Throws ConfigError. */
export function openSessions({ state, sessions }: Config, clock: () => number): Sessions {
  const path = sessions.keys ?? join(state, 'session-keys.json');
  try {
    return new Sessions({ keys: new SessionKeys({ path, rotate: sessions.rotate, clock }), clock });
  } catch (error) {
    throw new ConfigError(`sessions.keys: ${(error as Error).message}`);
  }
}
