import type { Socket } from 'node:net';
import type { Config } from './config/config.ts';
import { clock, controlOf, openControlPlane } from './control-plane.ts';
import { listenAdmin } from './control/server.ts';
import { openDataPlane } from './data-plane.ts';
import { Denial } from './model/denial.ts';
import type { Problem } from './policy/problem.ts';
import { addressOf, listenFailure, openEntries, portOf, type Way } from './proxy/entries.ts';
import type { Snapshot } from './proxy/snapshot.ts';
import { beginStopping } from './proxy/stopping.ts';
import { openLocalStore, openStore } from './proxy/store.ts';
import type { Log } from './telemetry/log.ts';
import { loadAuthority } from './tls/authority.ts';
import { makeTicketKeys } from './tls/leaves.ts';

/** A halted agent is told so; what has not ended after this long, in milliseconds, is cut. */
const HALT_GRACE = 50;

/** A gate that serves. */
export interface Gate {
  readonly proxy: string;
  readonly admin: string;
  /** Every way in by its name, with the address it listens on. */
  readonly entries: Readonly<Record<string, string>>;
  readonly caFile: string;
  readonly caCreated: boolean;
  readonly snapshot: () => Snapshot;
  /** Loads the rules again; on any error the policy in force stays. Returns what is wrong. */
  reload(): readonly Problem[];
  /** Takes up a new CA from its files; leaves of the old one are dropped. Throws AuthorityError and changes nothing. */
  reloadAuthority(): void;
  /** Stops everything until somebody revives it. */
  killAll(reason: string, by: string): Promise<void>;
  /** Stops taking connections and waits for exchanges to end, `drain` at most. */
  drain(): Promise<void>;
  /** Ends everything now. */
  close(): void;
}

/** A gate of one process, which can be told by its process to end what an agent has under way. */
export interface SoleGate extends Gate {
  /** Ends all that an agent has under way, each protocol with its goodbye. Returns the number of exchanges cut off. */
  halt(agent: string): number;
}

/** Composition root: configuration in, a serving gate of one process out. */
export async function startGate(config: Config, log: Log): Promise<SoleGate> {
  const control = openControlPlane(config, log, { lane: 1, lanes: 1 });
  const { authority, upstreamTrust, ownPorts, generations, halts, audit, metrics, pseudonym } = control;
  const local = openLocalStore(config, clock, log);
  const store = openStore(config, upstreamTrust, local, log, (answers) => metrics.storeAnswers(answers));
  const data = attempt(
    () => openDataPlane({ ...control, store, ticketKeys: makeTicketKeys(), instance: pseudonym }),
    () => {
      control.close();
      void store.close();
    },
  );
  const { connections, services } = data;
  metrics.readFleet({ workers: 1, ready: () => 1 });
  const close = (): void => {
    data.close();
    control.close();
  };
  const traffic = {
    unready: () => (connections.draining ? 'draining' : audit.healthy ? null : 'the audit log cannot be written'),
    metricsText: () => metrics.registry.metrics(),
  };
  const admin = await listenAdmin(config.listen.admin, controlOf(control, traffic))
    .catch(listenFailure('listen.admin', config.listen.admin))
    .catch(closing(close));
  ownPorts.add(portOf(admin));
  const closeAll = (): void => {
    admin.close();
    admin.closeAllConnections();
    close();
  };
  await store.whenReady();
  await beginStopping(connections, services, control);
  const receive = (way: Way, socket: Socket): void => data.receive(way, socket);
  const entries = await openEntries(config, { receive, pauseOnConnect: false, log }).catch(closing(closeAll));
  for (const port of entries.ports) ownPorts.add(port);
  return {
    proxy: entries.addresses['proxy'] ?? '',
    admin: addressOf(admin),
    entries: entries.addresses,
    caFile: authority.certificateFile,
    caCreated: control.caCreated,
    snapshot: () => generations.stable,
    reload: () => {
      const problems = generations.reload();
      metrics.policyRead(problems.length > 0 ? 'failed' : 'loaded');
      return problems;
    },
    reloadAuthority: () => data.replaceAuthority(loadAuthority(config.certs, new Date()), makeTicketKeys()),
    halt: (agent) => {
      const count = services.inFlight.stop((each) => each === agent, new Denial('halted', 'the agent has been halted'));
      connections.dismiss((each) => each === agent, HALT_GRACE);
      return count;
    },
    killAll: (reason, by) => halts.kill({ kind: 'all', name: '' }, reason, by),
    drain: () => {
      entries.close();
      return data.drain();
    },
    close: () => {
      entries.close();
      closeAll();
    },
  };
}

/** What was opened before a start fails keeps no process alive. */
function attempt<T>(open: () => T, close: () => void): T {
  try {
    return open();
  } catch (error) {
    close();
    throw error;
  }
}

/** The same for what takes time to open. */
function closing(close: () => void): (error: unknown) => never {
  return (error) => {
    close();
    throw error;
  };
}
