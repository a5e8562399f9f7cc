import type { Config } from '../config/config.ts';
import { loadPolicy, type LoadResult } from '../policy/load.ts';
import type { Problem } from '../policy/problem.ts';

/** The rules in the folder, as far as this gate can keep to them: what they ask of its configuration must be there. */
export function loadRules({ rules, audit }: Pick<Config, 'rules' | 'audit'>): LoadResult {
  const loaded = loadPolicy(rules);
  const place = loaded.policy?.transcripts ?? null;
  if (place === null || audit.transcript.recipients.length > 0) return loaded;
  const problem: Problem = {
    severity: 'error',
    place,
    length: 1,
    message: '"audit: transcript" asks for what nobody could read: no key is set to encrypt it to',
    hint: 'set audit.transcript.recipients; "sallyport audit identity" makes a key',
    source: null,
  };
  return { policy: null, problems: [...loaded.problems, problem] };
}
