import { z } from 'zod';
import { FAMILIES, FINDERS, SEVERITIES, VALIDATOR_NAMES } from '../model/detector.ts';
import { SCAN_ACTIONS } from '../model/scan-profile.ts';

/** What the rules language says of scanning: profiles, and detectors, those that ship and those of the rules' own. */

const oneOrMore = <T extends z.ZodType>(item: T): z.ZodArray<T> => z.array(item).min(1);
const scanAction = z.enum(SCAN_ACTIONS);
export const scanMap = z.strictObject({
  secrets: scanAction.optional().describe('Keys, tokens, passwords, private keys on their way out. Default `deny`.'),
  'personal-data': scanAction
    .optional()
    .describe('Cards, accounts, national numbers, lists of people. Default `alert`.'),
  'registered-values': scanAction
    .optional()
    .describe(
      'Values of your own (`sallyport secrets register`). Default `deny`; planted ones are refused whatever stands here.',
    ),
  documents: scanAction
    .optional()
    .describe('Parts of documents of your own (`sallyport documents add`). Default `deny`.'),
  exfiltration: scanAction.optional().describe('Shapes of commands and names that carry things out. Default `alert`.'),
  'secrets-received': scanAction
    .optional()
    .describe('Secrets in answers, from others than those they belong to. Default `off`.'),
  'injected-instructions': scanAction
    .optional()
    .describe('Instructions to the agent in what an answer says. Default `alert`; `annotate` puts a note before it.'),
  detectors: z
    .record(z.string(), scanAction)
    .optional()
    .describe('Detector → action, before what is said of its family.'),
});
export const scan = z.union([z.enum(['default', 'off']), scanMap]);

export const detector = z.strictObject({
  description: z.string().min(1).describe('What it finds.'),
  family: z.enum(FAMILIES).describe('What a finding is about: scan profiles say for each family what is done.'),
  severity: z.enum(SEVERITIES).optional().describe('Default `high`. `low` alerts at most, whatever a profile says.'),
  pattern: z
    .string()
    .min(1)
    .optional()
    .describe('RE2 expression over bytes, matched in linear time; needs something literal in every alternative.'),
  finder: z.enum(FINDERS).optional().describe('In place of a pattern: what the engine finds by other means.'),
  bounds: z
    .enum(['word', 'start', 'end', 'none'])
    .optional()
    .describe(
      'Where no letter, digit or underscore may adjoin the match: `word` (both sides, the default), `start`, `end`, `none`.',
    ),
  assigned: oneOrMore(z.string().min(2))
    .optional()
    .describe('The match must be assigned to a name with one of these words in it: `acme_key = …`, `"acme-key": "…"`.'),
  near: oneOrMore(z.string().min(2))
    .optional()
    .describe('One of these words must stand within 40 bytes before the match, on the same line.'),
  validate: oneOrMore(z.enum(VALIDATOR_NAMES)).optional().describe('Check digits and shapes that must hold too.'),
  entropy: z.number().min(0).max(8).optional().describe('Least entropy of the match, in bits a character.'),
  count: z.int().min(1).max(1000).optional().describe('Different matches in one exchange that make a finding.'),
  placeholders: z
    .boolean()
    .optional()
    .describe('`false`: also matches that look like placeholders (`example`, `xxxx`, `your-key`) count.'),
  allow: oneOrMore(z.string().min(1)).optional().describe('Texts that make a match harmless when they occur in it.'),
  'belongs-to': oneOrMore(z.string())
    .optional()
    .describe('Hosts whose own credential this is: in header fields and queries on their way there it is no finding.'),
  authenticates: z
    .boolean()
    .optional()
    .describe(
      '`true`: a token of software that runs anywhere; in `Authorization`, `Cookie` and their like, to whatever host, it is no finding.',
    ),
  source: z.string().optional().describe('Where the shape is documented.'),
});

export type ScanSpec = z.infer<typeof scan>;
export type DetectorFileSpec = z.infer<typeof detector>;
