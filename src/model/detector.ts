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

/** What may be asked of a match beside its shape. */
export const VALIDATOR_NAMES = [
  'aba-routing',
  'base58check',
  'bech32',
  'be-national-number',
  'bsn',
  'card',
  'cpf',
  'credential-url',
  'dni',
  'ean13',
  'iban',
  'jwt',
  'mixed',
  'mixed-case',
  'nhs-number',
  'nino',
  'nir',
  'not-hex',
  'not-uuid',
  'personnummer',
  'pesel',
  'sin',
  'ssn',
  'steuer-id',
  'strong-tail',
  'tfn',
  'verhoeff',
] as const;
export type ValidatorName = (typeof VALIDATOR_NAMES)[number];

/** What the engine finds by other means than patterns: numbers with check digits, phrases of words. */
export const FINDERS = ['card', 'iban', 'phone', 'seed-phrase'] as const;
export type Finder = (typeof FINDERS)[number];

/** What a detector looks for, as rule files say it (`detectors:`), checked. */
export interface DetectorSpec {
  readonly name: string;
  readonly family: Family;
  readonly severity: Severity;
  /** RE2 subset, over bytes; null where a finder of the engine looks for it. */
  readonly pattern: string | null;
  /** Shapes that no pattern describes well. */
  readonly finder: Finder | null;
  readonly bounds: Bounds;
  /** Words that must stand before the match: as a name it is assigned to, or anywhere within 40 bytes of the same line. */
  readonly context: { readonly words: readonly string[]; readonly how: 'assigned' | 'near' } | null;
  /** Names of validators that must all agree. */
  readonly validate: readonly ValidatorName[];
  /** Least entropy of the match, in bits a character (Shannon); 0: any. */
  readonly entropy: number;
  /** Different matches in one exchange that make a finding. */
  readonly count: number;
  /** Hosts whose own credential this is: on its way there it is no finding. */
  readonly belongsTo: readonly string[];
  /** It is a token of software that runs anywhere: where somebody authenticates, to whatever host, it is no finding. */
  readonly authenticates: boolean;
  /** Texts that make a match an example when they occur in it; lower-case. */
  readonly allow: readonly string[];
  /** Obvious placeholders are no findings. False for what is no credential. */
  readonly placeholders: boolean;
  readonly description: string;
  /** Documentation the shape is from; null where a customer wrote it. */
  readonly source: string | null;
}

/** A detector with nothing asked of a match beside what is said: for what is found by other means than patterns. */
export function plainDetector(
  own: Pick<DetectorSpec, 'name' | 'family' | 'severity' | 'description'> & Partial<DetectorSpec>,
): DetectorSpec {
  return {
    pattern: null,
    finder: null,
    bounds: 'none',
    context: null,
    validate: [],
    entropy: 0,
    count: 1,
    belongsTo: [],
    authenticates: false,
    allow: [],
    placeholders: false,
    source: null,
    ...own,
  };
}
