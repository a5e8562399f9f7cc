import type { Finding } from '../model/finding.ts';
import type { Mode } from '../model/mode.ts';
import { SCAN_ACTIONS, ScanProfile, type ScanAction, type ScanKey } from '../model/scan-profile.ts';
import type { Policy } from '../policy/policy.ts';
import type { FindingTerms } from './answer-reading.ts';
import type { Permit } from './permit.ts';
import type { Scanners } from './scanners.ts';

/** What is looked for in one exchange, and what comes of it. */
export interface Sought {
  readonly profile: ScanProfile;
  /** In its answer; null: nothing. */
  readonly answer: FindingTerms | null;
}

interface Known extends Sought {
  readonly agent: string;
  readonly mode: Mode;
  readonly policy: Policy;
}

/** Said once for each rule and agent. */
const said = new WeakMap<object, Known>();

/** What the rules say that is to be looked for. */
export function soughtBy(
  { decision, agent, mode }: Pick<Permit, 'agent' | 'decision' | 'mode'>,
  policy: Policy,
  scanners: Scanners,
): Sought {
  const known = said.get(decision);
  if (known?.agent === agent && known.mode === mode && known.policy === policy) return known;
  const own = decision.kind === 'allow' ? decision.obligations.scan : null;
  const profile = new ScanProfile([own, ...(policy.agents.get(agent)?.scan ?? [])]);
  const sought = { agent, mode, policy, profile, answer: inAnswer(profile, mode, policy, scanners) };
  said.set(decision, sought);
  return sought;
}

function inAnswer(profile: ScanProfile, mode: Mode, policy: Policy, scanners: Scanners): FindingTerms | null {
  if (profile.off) return null;
  const { text, bytes } = scanners.enginesOf(policy);
  const instructions = strongest(profile, 'injected-instructions', familyOf(text.detectors, 'injected-instructions'));
  const secrets = strongest(profile, 'secrets-received', familyOf(bytes.detectors, 'secrets'));
  if (instructions === 'off' && secrets === 'off') return null;
  const acts = (action: ScanAction): boolean => action !== 'off' && action !== 'alert';
  const holds = mode === 'enforce' && (acts(instructions) || acts(secrets));
  return { instructions: instructions !== 'off', secrets: secrets !== 'off', holds };
}

type Detectors = ReadonlyMap<string, { readonly family: Finding['family'] }>;

function familyOf(detectors: Detectors, family: Finding['family']): (name: string) => boolean {
  return (name) => detectors.get(name)?.family === family;
}

/** The most that may be done about a finding in a matter. */
function strongest(profile: ScanProfile, key: ScanKey, isOfFamily: (name: string) => boolean): ScanAction {
  const actions = ['', ...profile.detectors.filter(isOfFamily)].map((name) => profile.action(name, key));
  return SCAN_ACTIONS.find((action) => actions.includes(action)) ?? 'off';
}
