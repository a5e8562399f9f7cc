import type { Family } from './detector.ts';

/** What is done about a finding. `redact` takes it out of what goes on; `annotate` warns whoever reads an answer. */
export const SCAN_ACTIONS = ['deny', 'redact', 'annotate', 'alert', 'off'] as const;
export type ScanAction = (typeof SCAN_ACTIONS)[number];

/** What a profile says something about: families of what leaves, and of what comes back. */
export const SCAN_KEYS = [
  'secrets',
  'personal-data',
  'registered-values',
  'documents',
  'exfiltration',
  'secrets-received',
  'injected-instructions',
] as const;
export type ScanKey = (typeof SCAN_KEYS)[number];

/** What one place of the rules says; what it leaves out is for the next further out to say. */
export interface ScanTerms {
  /** Nothing is scanned, and every event it touches says so. */
  readonly off: boolean;
  /** What those further out say counts no more. */
  readonly resets: boolean;
  readonly actions: ReadonlyMap<ScanKey, ScanAction>;
  /** By detector: before what is said of its family. */
  readonly detectors: ReadonlyMap<string, ScanAction>;
}

/** What holds where no rule says anything: secrets do not leave, and people are told of what only may be wrong. */
export const DEFAULT_ACTIONS: Readonly<Record<ScanKey, ScanAction>> = {
  secrets: 'deny',
  'personal-data': 'alert',
  'registered-values': 'deny',
  documents: 'deny',
  exfiltration: 'alert',
  // Whoever hands out tokens does so for a reason.
  'secrets-received': 'off',
  'injected-instructions': 'alert',
};

/** What holds for one exchange: the nearest word on each matter counts. */
export class ScanProfile {
  readonly #terms: readonly ScanTerms[];

  /** `terms`: nearest first. */
  constructor(terms: readonly (ScanTerms | null)[]) {
    const said = terms.filter((each) => each !== null);
    const last = said.findIndex(({ off, resets }) => off || resets);
    this.#terms = last === -1 ? said : said.slice(0, last + 1);
  }

  get off(): boolean {
    return this.#terms[0]?.off === true;
  }

  /** Detectors of which something is said by name. */
  get detectors(): readonly string[] {
    return this.#terms.flatMap(({ detectors }) => [...detectors.keys()]);
  }

  /** What is done about a finding of this family, by this detector. */
  action(detector: string, key: ScanKey): ScanAction {
    for (const { off, detectors, actions } of this.#terms) {
      if (off) return 'off';
      const action = detectors.get(detector) ?? actions.get(key);
      if (action !== undefined) return action;
    }
    return DEFAULT_ACTIONS[key];
  }
}

/** The matter a family is, by direction. */
export function scanKeyOf(family: Family, direction: 'to-upstream' | 'to-agent'): ScanKey | null {
  if (direction === 'to-upstream') return family === 'injected-instructions' ? null : family;
  if (family === 'secrets') return 'secrets-received';
  return family === 'injected-instructions' ? family : null;
}
