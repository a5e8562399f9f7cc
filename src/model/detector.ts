/** What a finding is about. Scan profiles say for each what is done (POLICY.md, "scan"). */
export const FAMILIES = [
  'secrets',
  'personal-data',
  'registered-values',
  'documents',
  'exfiltration',
  'injected-instructions',
] as const;
export type Family = (typeof FAMILIES)[number];

/** `low` never denies by itself, whatever a profile says: such findings are too often wrong. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Where a match must begin and end: at no word byte on either side, on one, or anywhere. */
export type Bounds = 'word' | 'start' | 'end' | 'none';

/** What a detector looks for, as rule files say it (`detectors:`), checked. */
export interface DetectorSpec {
  readonly name: string;
  readonly family: Family;
  readonly severity: Severity;
  /** RE2 subset, over bytes. */
  readonly pattern: string;
  readonly bounds: Bounds;
  /** Words that must stand before the match: as a name it is assigned to, or anywhere within 40 bytes of the same line. */
  readonly context: { readonly words: readonly string[]; readonly how: 'assigned' | 'near' } | null;
  /** Names of validators that must all agree. */
  readonly validate: readonly string[];
  /** Least entropy of the match, in bits a character (Shannon); 0: any. */
  readonly entropy: number;
  /** Different matches in one exchange that make a finding. */
  readonly count: number;
  /** Hosts whose own credential this is: on its way there it is no finding. */
  readonly belongsTo: readonly string[];
  /** Texts that make a match an example when they occur in it; lower-case. */
  readonly allow: readonly string[];
  /** Obvious placeholders are no findings. False for what is no credential. */
  readonly placeholders: boolean;
  readonly description: string;
  /** Documentation the shape is from; null where a customer wrote it. */
  readonly source: string | null;
}
