import type { Facts } from '../model/facts.ts';
import type { Decision } from '../model/decision.ts';

export type Allowance = Extract<Decision, { kind: 'allow' }>;

/** Somebody outside the rules who has a say in every request that they allow (NIST SP 800-207 and XACML call it a PDP). */
export interface DecisionPoint {
  /** How refusals and metrics name it. */
  readonly name: 'opa' | 'wasm';
  /** Its answer to an input, as it gave it; undefined where its policy has none. Throws when it cannot answer. */
  ask(input: string): Promise<unknown> | unknown;
}

/** What decision points are told, and who they are. */
export interface DecisionPoints {
  readonly points: readonly DecisionPoint[];
  /** Names of the header fields that are told, in lower case. */
  readonly headers: ReadonlySet<string>;
  /** Bodies are read and told. */
  readonly body: boolean;
}

/** Facts and the allowance they got: what a decision point is asked about. */
export interface Question {
  readonly facts: Facts;
  readonly allowance: Allowance;
}
