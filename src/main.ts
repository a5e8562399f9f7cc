import type { Socket } from 'node:net';
import type { Config } from './config/config.ts';
import { clock, openAdmin, openControlPlane } from './control-plane.ts';
import { openDataPlane } from './data-plane.ts';
import { Denial } from './model/denial.ts';
import type { Problem } from './policy/problem.ts';
import { certificateEnds } from './proxy/certificate-ends.ts';
import { openEntries, type Way } from './proxy/entries.ts';
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
  const closers: Closers = [];
  try {
    return await compose(config, log, closers);
  } catch (error) {
    // What was opened before a start fails keeps no process alive.
    closeAll(closers);
    throw error;
  }
}

/** What ends what has been opened, in order. */
type Closers = Array<() => void>;

/** What was opened last is closed first. */
function closeAll(closers: Closers): void {
  for (const close of closers.splice(0).reverse()) close();
}

async function compose(config: Config, log: Log, closers: Closers): Promise<SoleGate> {
  const control = openControlPlane(config, log, { lane: 1, lanes: 1 });
  closers.push(() => control.close());
  const { authority, upstreamTrust, ownPorts, generations, halts, audit, metrics, pseudonym } = control;
  const local = openLocalStore(config, clock, log);
  const store = openStore(config, upstreamTrust, local, log, (answers) => metrics.storeAnswers(answers));
  const data = openDataPlane({ ...control, store, ticketKeys: makeTicketKeys(), instance: pseudonym });
  closers.push(() => data.close());
  const { connections, services } = data;
  metrics.readFleet({ workers: 1, ready: () => 1 });
  const admin = await openAdmin(control, {
    unready: () => (connections.draining ? 'draining' : audit.healthy ? null : 'the audit log cannot be written'),
    metricsText: () => metrics.registry.metrics(),
  });
  closers.push(() => admin.close());
  await store.whenReady();
  await beginStopping(connections, services, control);
  const receive = (way: Way, socket: Socket): void => data.receive(way, socket);
  const entries = await openEntries(config, { receive, pauseOnConnect: false, log });
  for (const port of entries.ports) ownPorts.add(port);
  closers.push(() => entries.close());
  return {
    proxy: entries.addresses['proxy'] ?? '',
    admin: admin.address,
    entries: entries.addresses,
    caFile: authority.certificateFile,
    caCreated: control.caCreated,
    snapshot: () => generations.stable,
    reload: () => control.reload(),
    reloadAuthority: () => {
      const renewed = loadAuthority(config.certs, new Date());
      data.replaceAuthority(renewed, makeTicketKeys());
      metrics.certificatesEnd(certificateEnds(config, renewed));
    },
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
    close: () => closeAll(closers),
  };
}
