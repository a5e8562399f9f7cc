import { makeIdentities, type Identities } from '../identity/identify.ts';
import { addressSetOf } from '../network/classify.ts';
import { Pins, type NetworkView, type Pin } from '../network/guard.ts';
import { Parents } from '../network/parents.ts';
import type { ParentProxy } from '../model/parent-proxy.ts';
import type { Policy } from '../policy/policy.ts';

/** All that judges a request, as it was when the request began. A reload makes a new one and swaps one reference. */
export interface Snapshot {
  readonly policy: Policy;
  readonly identities: Identities;
  readonly network: NetworkView;
}

/** Ways to upstreams that the operator has laid down. */
export interface Routes {
  readonly pins: ReadonlyMap<string, Pin>;
  readonly parents: ReadonlyMap<string, ParentProxy | null>;
}

/** Builds a snapshot from a policy and what stays the same across reloads. */
export function makeSnapshot(policy: Policy, routes: Routes, ownPorts: () => ReadonlySet<number>): Snapshot {
  const networks = new Map([...policy.networks].map(([name, ranges]) => [name, addressSetOf(ranges)]));
  return {
    policy,
    identities: makeIdentities(policy.agents.values()),
    network: { pins: new Pins(routes.pins), parents: new Parents(routes.parents), networks, ownPorts },
  };
}
