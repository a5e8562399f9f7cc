import type { Cidr } from '../model/cidr.ts';
import type { Place } from '../model/decision.ts';
import type { DetectorSpec } from '../model/detector.ts';
import type { Limit } from '../model/limit.ts';
import type { Mode } from '../model/mode.ts';
import type { QuarantineTerms } from '../model/quarantine.ts';
import type { ScanTerms } from '../model/scan-profile.ts';
import type { HostIndex } from './host-index.ts';

/** An agent as the policy knows it. */
export interface AgentPolicy {
  readonly name: string;
  readonly tenant: string | null;
  readonly mode: Mode;
  /** Lower-case hex SHA-256 of each token that proves this agent. */
  readonly tokenHashes: readonly string[];
  readonly sourceNetworks: readonly Cidr[];
  /** SPIFFE id or subject of the client certificate that proves this agent. */
  readonly certificate: string | null;
  /** Own endpoints, then those of its capabilities; shared by agents with the same grants. */
  readonly allow: readonly HostIndex[];
  readonly deny: HostIndex;
  /** What it may use up, whatever it does. */
  readonly limits: readonly Limit[];
  /** Names of the capabilities it is granted. */
  readonly capabilities: ReadonlySet<string>;
  /** It is let in with a session only. */
  readonly sessionsRequired: boolean;
  /** Milliseconds a session of it may last; null: nothing is said. */
  readonly sessionTime: number | null;
  /** When the gate contains it by itself; null: never. */
  readonly quarantine: QuarantineTerms | null;
  /** What is done about what the scanner finds: its own word, then that of `defaults`. */
  readonly scan: readonly ScanTerms[];
  /** What all agents of its tenant may use up together. */
  readonly tenantLimits: readonly Limit[];
}

/** All rules, compiled and immutable. A reload makes a new one. */
export interface Policy {
  /** Content hash of the rule files. */
  readonly generation: string;
  readonly agents: ReadonlyMap<string, AgentPolicy>;
  /** Endpoints denied to every agent. */
  readonly deny: HostIndex;
  readonly networks: ReadonlyMap<string, readonly Cidr[]>;
  /** Some rule has predicates on headers: facts must hold them. */
  readonly readsHeaders: boolean;
  /** Some rule has predicates on content: bodies may have to be read before they are judged. */
  readonly readsBodies: boolean;
  /** Where a transcript is asked for (`audit: transcript`); null: nowhere. */
  readonly transcripts: Place | null;
  /** Detectors of the rules' own, beside or in place of those that ship. */
  readonly detectors: readonly DetectorSpec[];
  /** Names for metrics; nothing outside this list becomes a label. */
  readonly capabilities: ReadonlySet<string>;
  readonly counts: { readonly agents: number; readonly capabilities: number; readonly rules: number };
}
