import { Denial } from '../model/denial.ts';
import { ruleText, type Decision } from '../model/decision.ts';
import type { Facts } from '../model/facts.ts';
import type { Mode } from '../model/mode.ts';
import { isFloor, type Reason } from '../model/reason.ts';
import type { Target } from '../model/target.ts';

declare const permitted: unique symbol;
declare const admitted: unique symbol;

/** Proof that a request may go on: allowed, or denied by a mode that lets it pass. Made only here. */
export interface Permit {
  readonly target: Target;
  readonly agent: string;
  readonly mode: Mode;
  readonly capability: string | null;
  readonly networks: readonly string[];
  readonly rule: string | null;
  /** The path goes upstream as it came. */
  readonly rawPath: boolean;
  /** The denial that observing or warning did not enforce. */
  readonly softened: { readonly reason: Reason; readonly detail: string } | null;
  readonly [permitted]: true;
}

/** Proof that a connection may be opened: its target may be resolved, nothing more. Made only here. */
export interface ConnectPermit {
  readonly target: Target;
  readonly networks: readonly string[];
  /** The rule opens an opaque tunnel. */
  readonly opaque: boolean;
  readonly rule: string | null;
  readonly capability: string | null;
  readonly mode: Mode;
  readonly [admitted]: true;
}

/** Turns a decision into a permit, or throws the denial. What the mode softens is kept on the permit, for the record. */
export function enforce(decision: Decision, facts: Facts): Permit {
  const { agent, target } = facts;
  if (decision.kind === 'allow') {
    const { capability, networks, rawPath } = decision.obligations;
    return mintPermit({
      target,
      agent,
      mode: decision.mode,
      capability,
      networks,
      rule: ruleText(decision.rule),
      rawPath,
      softened: null,
    });
  }
  const softened = soften(decision);
  const rule = decision.rule === null ? null : ruleText(decision.rule);
  return mintPermit({
    target,
    agent,
    mode: decision.mode,
    capability: decision.capability,
    networks: [],
    rule,
    rawPath: false,
    softened,
  });
}

/** The same for a connection, of which host and port are known. */
export function admit(decision: Decision, target: Target): ConnectPermit {
  if (decision.kind === 'allow') {
    const { capability, networks, opaque } = decision.obligations;
    return mintConnectPermit({
      target,
      networks,
      opaque,
      rule: ruleText(decision.rule),
      capability,
      mode: decision.mode,
    });
  }
  soften(decision);
  return mintConnectPermit({ target, networks: [], opaque: false, rule: null, capability: null, mode: decision.mode });
}

function soften(decision: Extract<Decision, { kind: 'deny' }>): { reason: Reason; detail: string } {
  const { reason, detail, rule, capability, remedy } = decision;
  if (decision.mode === 'enforce' || isFloor(reason)) {
    throw new Denial(reason, detail, {
      ...(rule === null ? {} : { rule: ruleText(rule) }),
      ...(capability === null ? {} : { capability }),
      ...(remedy === '' ? {} : { remedy }),
    });
  }
  return { reason, detail };
}

function mintPermit(parts: Omit<Permit, typeof permitted>): Permit {
  return parts as Permit;
}

function mintConnectPermit(parts: Omit<ConnectPermit, typeof admitted>): ConnectPermit {
  return parts as ConnectPermit;
}
