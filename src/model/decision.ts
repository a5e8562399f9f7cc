import type { Limit } from './limit.ts';
import type { Mode } from './mode.ts';
import type { Reason } from './reason.ts';
import type { ScanTerms } from './scan-profile.ts';
import type { Rate } from './units.ts';

/** A place in a rule file, 1-based. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What a decision points at when it says why. */
export interface RuleReference {
  readonly text: string;
  readonly place: Place;
  readonly capability: string | null;
}

/** Bounds of a WebSocket, in each direction. */
export interface WebSocketTerms {
  readonly messages: Rate | null;
  /** Longest message, in bytes. */
  readonly max: number;
}

/** What must happen to a request that is allowed. */
export interface Obligations {
  readonly capability: string | null;
  /** Names of the otherwise forbidden networks this rule may reach, in name order. */
  readonly networks: readonly string[];
  /** The rule opens a tunnel that is not inspected (`scheme: tcp`). */
  readonly opaque: boolean;
  /** TLS passes through undecrypted. */
  readonly passThrough: boolean;
  /** What may pass over a WebSocket under this rule; null: none may be opened. */
  readonly websocket: WebSocketTerms | null;
  /** The rule matched the path as it came (`paths-raw: true`), so it is sent as it came. */
  readonly rawPath: boolean;
  /** Answers that list tools are to show these alone; null: the rule is not about tools. */
  readonly tools: ToolGrants | null;
  /** What the capability may use up. */
  readonly limits: readonly Limit[];
  /** What the capability says of scanning. */
  readonly scan: ScanTerms | null;
  /** What is said is kept. */
  readonly transcript: boolean;
}

/** Which tools of a server an agent is shown. */
export interface ToolGrants {
  /** Whether a tool of this name may be called, and so be shown. */
  grants(tool: string): boolean;
}

export type Decision =
  | { readonly kind: 'allow'; readonly mode: Mode; readonly rule: RuleReference; readonly obligations: Obligations }
  | {
      readonly kind: 'deny';
      readonly mode: Mode;
      readonly reason: Reason;
      readonly detail: string;
      /** The deny rule that matched, or the allow rule that came nearest; null when none came near. */
      readonly rule: RuleReference | null;
      /** The capability whose rule came nearest; its mode decides. */
      readonly capability: string | null;
      /** YAML that would allow the request. */
      readonly remedy: string;
    };

/** `file:line`, as editors and terminals open it. */
export function placeText(place: Place): string {
  return `${place.file}:${place.line}`;
}

const ruleTexts = new WeakMap<RuleReference, string>();

/** The rule as refusals and the record name it; made once for each rule, for every request names one. */
export function ruleText(rule: RuleReference): string {
  let text = ruleTexts.get(rule);
  if (text === undefined) {
    const owner = rule.capability === null ? '' : ` (${rule.capability})`;
    text = `${placeText(rule.place)}: ${rule.text}${owner}`;
    ruleTexts.set(rule, text);
  }
  return text;
}
