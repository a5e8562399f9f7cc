import { networkInterfaces } from 'node:os';
import { Denial } from '../model/denial.ts';
import type { Target } from '../model/target.ts';
import type { ParentProxy } from '../model/parent-proxy.ts';
import { METADATA_NAMES, classify, contains, type AddressSet } from './classify.ts';
import type { Parents } from './parents.ts';
import type { NameService } from './resolver.ts';

declare const guarded: unique symbol;

/** Addresses that may be dialled for one target. Made only here: code that dials demands one. */
export interface GuardedAddress {
  readonly target: Target;
  readonly addresses: readonly string[];
  readonly port: number;
  /**
   * `pinned`: an operator's explicit route, exempt from DNS and the address guard. `unchecked`: the addresses are those of
   * `parent`, and where that leads is not for the gate to see.
   */
  readonly how: 'resolved' | 'literal' | 'pinned' | 'unchecked';
  /** The proxy to go through, by its addresses; null: straight to the target. */
  readonly parent: ParentProxy | null;
  readonly [guarded]: true;
}

/** A dial address that replaces DNS for one target, or for all (`**`). */
export interface Pin {
  readonly host: string;
  readonly port: number;
}

/** The pins by port, then by host, so that looking for one makes no text. */
export class Pins {
  readonly #byPort = new Map<number, Map<string, Pin>>();

  /** Takes `host:port` or `**:port` → where to dial. */
  constructor(pins: Iterable<readonly [string, Pin]>) {
    for (const [key, pin] of pins) {
      const colon = key.lastIndexOf(':');
      const port = Number(key.slice(colon + 1));
      const hosts = this.#byPort.get(port) ?? new Map<string, Pin>();
      this.#byPort.set(port, hosts.set(key.slice(0, colon), pin));
    }
  }

  /** The pin of this very host, or else of any host, on the target's port. */
  find(target: Target): Pin | null {
    const hosts = this.#byPort.get(target.port);
    return hosts === undefined ? null : (hosts.get(target.host.text) ?? hosts.get('**') ?? null);
  }
}

/** What the guard needs to know of this gate. Part of the snapshot but for the name service. */
export interface NetworkView {
  readonly pins: Pins;
  readonly parents: Parents;
  /** Named networks of the rules. */
  readonly networks: ReadonlyMap<string, AddressSet>;
  /** Ports the gate itself listens on. */
  readonly ownPorts: () => ReadonlySet<number>;
}

/** What a permit says about addresses. */
interface Admitted {
  readonly target: Target;
  readonly networks: readonly string[];
}

/**
 * Turns an admitted target into addresses that may be dialled (WIRE.md §1). Resolves once; if any answer is forbidden the
 * whole set is refused, since the set is the sender's to order. Throws Denial.
 */
export function guard(
  permit: Admitted,
  names: NameService,
  view: NetworkView,
): GuardedAddress | Promise<GuardedAddress> {
  const { target } = permit;
  const pin = view.pins.find(target);
  if (pin !== null) {
    refuseOwnListener(pin.host, pin.port, target, view);
    return mint(target, [pin.host], pin.port, 'pinned', null);
  }
  const { host, port } = target;
  if (METADATA_NAMES.has(host.text)) throw forbidden(target, 'it is a cloud metadata service');
  if (host.text === 'localhost' || host.text.endsWith('.localhost'))
    throw forbidden(target, 'localhost is the machine of the gate, not a name');
  const parent = view.parents.find(host);
  // What a parent resolves is unseen, but an address that is written out can be judged whoever dials it.
  if (host.kind !== 'name') judge(host.text, permit, view);
  if (parent !== null) return guardParent(target, parent, names, view);
  return host.kind === 'name' ? guardName(permit, names, view) : mint(target, [host.text], port, 'literal', null);
}

/** The addresses of a parent proxy: the operator's route, so that only the gate's own listeners are out of bounds. */
async function guardParent(
  target: Target,
  parent: ParentProxy,
  names: NameService,
  view: NetworkView,
): Promise<GuardedAddress> {
  const { host, port } = parent;
  const addresses = host.kind === 'name' ? await resolveParent(parent, names) : [host.text];
  for (const address of addresses) refuseOwnListener(address, port, target, view);
  return mint(target, addresses, port, 'unchecked', parent);
}

async function resolveParent(parent: ParentProxy, names: NameService): Promise<readonly string[]> {
  try {
    return (await names.resolve(parent.host.text)).addresses;
  } catch (error) {
    if (!(error instanceof Denial)) throw error;
    throw new Denial('upstream-unreachable', `the parent proxy ${parent.authority} cannot be found: ${error.message}`, {
      cause: error,
    });
  }
}

async function guardName(permit: Admitted, names: NameService, view: NetworkView): Promise<GuardedAddress> {
  const { target } = permit;
  const { addresses } = await names.resolve(target.host.text);
  for (const address of addresses) judge(address, permit, view);
  return mint(target, addresses, target.port, 'resolved', null);
}

function mint(
  target: Target,
  addresses: readonly string[],
  port: number,
  how: GuardedAddress['how'],
  parent: ParentProxy | null,
): GuardedAddress {
  const parts: Omit<GuardedAddress, typeof guarded> = { target, addresses, port, how, parent };
  return parts as GuardedAddress;
}

function judge(address: string, permit: Admitted, view: NetworkView): void {
  const { target } = permit;
  refuseOwnListener(address, target.port, target, view);
  const kind = classify(address);
  if (kind === 'public') return;
  if (kind === 'never') throw forbidden(target, `${address} is out of reach whatever the rules say`);
  const named = permit.networks.some((name) => {
    const set = view.networks.get(name);
    return set !== undefined && contains(set, address);
  });
  if (!named) throw forbidden(target, `${address} is not a public address, and no network of the rule contains it`);
}

/** The gate must not be a way to its own listeners, under any local address. */
function refuseOwnListener(address: string, port: number, target: Target, view: NetworkView): void {
  if (!view.ownPorts().has(port) || !isLocal(address)) return;
  throw forbidden(target, 'it is a listener of the gate itself');
}

function isLocal(address: string): boolean {
  if (address.startsWith('127.') || ['::1', '::', '0.0.0.0'].includes(address)) return true;
  return Object.values(networkInterfaces()).some((list) => list?.some((each) => each.address === address));
}

function forbidden(target: Target, why: string): Denial {
  return new Denial('address-forbidden', `${target.authority}: ${why}`);
}
