import type { Judgement } from '../decision-point/consult.ts';
import { Denial } from '../model/denial.ts';
import { ruleText, type Decision, type ToolGrants, type WebSocketTerms } from '../model/decision.ts';
import type { Facts } from '../model/facts.ts';
import type { Mode } from '../model/mode.ts';
import { isFloor, type Reason } from '../model/reason.ts';
import type { Target } from '../model/target.ts';
import type { RecordParts } from './record.ts';

declare const permitted: unique symbol;
declare const admitted: unique symbol;

/** A denial that was not enforced. */
export interface Softened {
  readonly reason: Reason;
  readonly detail: string;
}

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
  readonly websocket: WebSocketTerms | null;
  /** What answers that list tools may show; null: all. */
  readonly tools: ToolGrants | null;
  /** What is said is kept. */
  readonly transcript: boolean;
  /** The denial that observing or warning did not enforce. */
  readonly softened: Softened | null;
  readonly decision: Decision;
  /** The texts that the record of every request under this permit shares; made when the first is recorded. */
  parts: RecordParts | null;
  readonly [permitted]: true;
}

/** Proof that a connection may be opened: its target may be resolved, nothing more. Made only here. */
export interface ConnectPermit {
  readonly target: Target;
  readonly networks: readonly string[];
  /** The rule opens an opaque tunnel. */
  readonly opaque: boolean;
  /** The rule lets TLS through undecrypted. */
  readonly passThrough: boolean;
  readonly rule: string | null;
  readonly capability: string | null;
  readonly mode: Mode;
  readonly [admitted]: true;
}

type Allowance = Extract<Decision, { kind: 'allow' }>;

/**
 * Turns a decision into a permit, or throws the denial. What the mode softens is kept on the permit, for the record.
 * `before` is a permit of the same tunnel, used again where it would say the same. `strict`: no mode softens anything now.
 */
export function enforce(decision: Judgement, facts: Facts, before: Permit | null, strict: boolean): Permit {
  const { agent, target } = facts;
  const mode = strict ? 'enforce' : decision.mode;
  if (decision.kind === 'allow') return permitOf(decision, facts, before, mode);
  const softened = soften(decision, mode);
  const rule = decision.rule === null ? null : ruleText(decision.rule);
  return mintPermit({
    target,
    agent,
    mode,
    capability: decision.capability,
    networks: [],
    rule,
    rawPath: false,
    websocket: SOFTENED_WEBSOCKET,
    tools: null,
    transcript: false,
    softened,
    decision,
  });
}

/** The permit of an allowed request; the one before serves again where it would say the same. */
function permitOf(decision: Allowance, { agent, target }: Facts, before: Permit | null, mode: Mode): Permit {
  if (before?.decision === decision && before.target === target && before.agent === agent && before.mode === mode)
    return before;
  const { rule } = decision;
  const { capability, networks, rawPath, websocket, tools, transcript } = decision.obligations;
  const text = ruleText(rule);
  return mintPermit({
    target,
    agent,
    mode,
    capability,
    networks,
    rule: text,
    rawPath,
    websocket,
    // Where calls pass whatever the rules say, hiding tools would be the one thing that is stopped.
    tools: mode === 'enforce' ? tools : null,
    transcript,
    softened: null,
    decision,
  });
}

/** The same for a connection, of which host and port are known. */
export function admit(decision: Decision, target: Target, strict: boolean): ConnectPermit {
  const mode = strict ? 'enforce' : decision.mode;
  if (decision.kind === 'allow') {
    const { capability, networks, opaque, passThrough } = decision.obligations;
    return mintConnectPermit({
      target,
      networks,
      opaque,
      passThrough,
      rule: ruleText(decision.rule),
      capability,
      mode,
    });
  }
  soften(decision, mode);
  return mintConnectPermit({
    target,
    networks: [],
    opaque: false,
    passThrough: false,
    rule: null,
    capability: null,
    mode,
  });
}

/** What observing or warning lets pass is bounded all the same. */
const SOFTENED_WEBSOCKET: WebSocketTerms = { messages: null, max: 16 * 1024 * 1024 };

function soften(decision: Extract<Decision, { kind: 'deny' }>, mode: Mode): Softened {
  const { reason, detail, rule, capability, remedy } = decision;
  if (mode === 'enforce' || isFloor(reason)) {
    throw new Denial(reason, detail, {
      ...(rule === null ? {} : { rule: ruleText(rule) }),
      ...(capability === null ? {} : { capability }),
      ...(remedy === '' ? {} : { remedy }),
    });
  }
  return { reason, detail };
}

function mintPermit(terms: Omit<Permit, typeof permitted | 'parts'>): Permit {
  const permit: Omit<Permit, typeof permitted> = { ...terms, parts: null };
  return permit as Permit;
}

function mintConnectPermit(parts: Omit<ConnectPermit, typeof admitted>): ConnectPermit {
  return parts as ConnectPermit;
}
