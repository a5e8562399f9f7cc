import type { DecisionPoints } from '../decision-point/decision-point.ts';
import { makeIdentities, type Identities } from '../identity/identify.ts';
import { addressSetOf } from '../network/classify.ts';
import { Pins, type NetworkView, type Pin } from '../network/guard.ts';
import { Parents } from '../network/parents.ts';
import type { ParentProxy } from '../model/parent-proxy.ts';
import type { AgentPolicy, Policy } from '../policy/policy.ts';

/** All that judges a request, as it was when the request began. A reload makes a new one and swaps one reference. */
export interface Snapshot {
  readonly policy: Policy;
  readonly identities: Identities;
  readonly network: NetworkView;
  /** Who else has a say in what the policy allows. */
  readonly decisionPoints: DecisionPoints;
}

/** Which rules hold for whom, as the path of a request asks. */
export interface GenerationView {
  /** The rules in force for all who are in no rollout. */
  readonly stable: Snapshot;
  /** The rules that hold for a session: as long as it lasts, the same ones. */
  snapshotFor(agent: string, source: string): Snapshot;
  /** Whether any rules in force know this agent, or this capability. */
  knows(what: 'agent' | 'capability', name: string): boolean;
  /** The tenant of an agent, by either generation in force. */
  tenantOf(agent: string): string | null;
  /** Whether these rules are only tried out: what they refuse may be their own fault. */
  triesOut(now: Snapshot): boolean;
  /** Counts a request that was judged under a snapshot. */
  count(now: Snapshot, denied: boolean): void;
}

/** Ways to upstreams that the operator has laid down. */
export interface Routes {
  readonly pins: ReadonlyMap<string, Pin>;
  readonly parents: ReadonlyMap<string, ParentProxy | null>;
}

/** What a snapshot is made of beside the policy. */
export interface SnapshotParts {
  readonly routes: Routes;
  readonly ownPorts: () => ReadonlySet<number>;
  readonly decisionPoints: DecisionPoints;
  /** Agents that callers may prove to be. */
  readonly callers: Iterable<AgentPolicy>;
}

/** Builds a snapshot from a policy and what stays the same when rules change. */
export function makeSnapshot(policy: Policy, { routes, ownPorts, decisionPoints, callers }: SnapshotParts): Snapshot {
  const networks = new Map([...policy.networks].map(([name, ranges]) => [name, addressSetOf(ranges)]));
  return {
    policy,
    identities: makeIdentities(callers),
    decisionPoints,
    network: { pins: new Pins(routes.pins), parents: new Parents(routes.parents), networks, ownPorts },
  };
}
