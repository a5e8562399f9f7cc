import { SCAN_KEYS, type ScanAction, type ScanKey, type ScanTerms } from '../model/scan-profile.ts';
import { problemAt, type Problem } from './problem.ts';
import type { ScanSpec } from './scan-schema.ts';
import { keyRangeOf, type Source } from './source.ts';

/** Reads the `scan` that stands at `path`; null where there is none. What is wrong with it is added to the problems. */
export function parseScan(
  spec: ScanSpec | undefined,
  source: Source,
  path: readonly PropertyKey[],
  problems: Problem[],
): ScanTerms | null {
  if (spec === undefined) return null;
  if (typeof spec === 'string')
    return { off: spec === 'off', resets: spec === 'default', actions: new Map(), detectors: new Map() };
  const actions = new Map<ScanKey, ScanAction>();
  for (const key of SCAN_KEYS) {
    const action = spec[key];
    if (action === undefined) continue;
    const flaw = flawOf(key, action);
    if (flaw !== null)
      problems.push(problemAt(source, keyRangeOf(source, path, key), flaw.message, { hint: flaw.hint }));
    actions.set(key, action);
  }
  return { off: false, resets: false, actions, detectors: new Map(Object.entries(spec.detectors ?? {})) };
}

/** What is looked for in what comes back. */
const RECEIVED: ReadonlySet<ScanKey> = new Set<ScanKey>(['secrets-received', 'injected-instructions']);

/** Not everything can be done to everything. */
function flawOf(key: ScanKey, action: ScanAction): { readonly message: string; readonly hint: string } | null {
  if (action === 'annotate' && !RECEIVED.has(key))
    return {
      message: `${key} cannot be annotated`,
      hint: 'write deny, redact, alert or off: annotate is for what comes back',
    };
  if (action === 'redact' && (key === 'exfiltration' || key === 'documents'))
    return { message: `${key} cannot be redacted`, hint: 'write deny, alert or off' };
  if (action === 'redact' && key === 'injected-instructions')
    return { message: `${key} cannot be redacted`, hint: 'write deny, annotate, alert or off' };
  return null;
}
