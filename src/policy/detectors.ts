import { VALIDATOR_NAMES, type DetectorSpec } from '../model/detector.ts';
import { anchorsOf } from '../pattern/anchor.ts';
import { PatternError, parsePattern } from '../pattern/parse.ts';
import { compileProgram } from '../pattern/program.ts';
import type { Named } from './merge.ts';
import { problemAt, type Problem } from './problem.ts';
import type { DetectorFileSpec } from './scan-schema.ts';
import { rangeOf } from './source.ts';

/**
 * Reads detectors of rule files; what is wrong with one is added to the problems, and it is left out. Patterns that ship are known
 * to be sound: they are compiled at once, and not first to see whether they can be.
 */
export function parseDetectors(
  named: ReadonlyMap<string, Named<DetectorFileSpec>>,
  problems: Problem[],
  { ship }: { readonly ship: boolean },
): readonly DetectorSpec[] {
  return [...named.values()].flatMap((each) => {
    const flaw = shapeFlaw(each.spec) ?? (ship ? null : patternFlaw(each.spec));
    if (flaw === null) return [specOf(each)];
    const path = ['detectors', each.name, ...(flaw.key === null ? [] : [flaw.key])];
    problems.push(problemAt(each.source, rangeOf(each.source, path), flaw.message, { hint: flaw.hint }));
    return [];
  });
}

interface Flaw {
  /** The key it is about; null: the whole. */
  readonly key: string | null;
  readonly message: string;
  readonly hint: string | null;
}

function shapeFlaw(spec: DetectorFileSpec): Flaw | null {
  if ((spec.pattern === undefined) === (spec.finder === undefined))
    return {
      key: null,
      message: 'a detector has either a pattern or a finder',
      hint: 'write `pattern:` with an RE2 expression',
    };
  if (spec.family === 'documents')
    return {
      key: 'family',
      message: 'documents are not found by patterns',
      hint: 'fingerprint them: sallyport documents add DIR',
    };
  if (spec.assigned !== undefined && spec.near !== undefined)
    return { key: 'near', message: 'a detector has either assigned or near', hint: 'near is the wider of the two' };
  return null;
}

function patternFlaw({ pattern, assigned, near }: DetectorFileSpec): Flaw | null {
  if (pattern === undefined) return null;
  const hasContext = assigned !== undefined || near !== undefined;
  try {
    const node = parsePattern(pattern);
    compileProgram(node);
    if (hasContext || anchorsOf(node, 1) !== null) return null;
    const hint =
      'each alternative needs a byte that must occur; or name what stands before it with `near` or `assigned`';
    return {
      key: 'pattern',
      message: 'nothing in the pattern is literal: it would have to be tried at every byte',
      hint,
    };
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    return {
      key: 'pattern',
      message: `at character ${error.at + 1} of the pattern: ${error.message}`,
      hint: error.hint ?? null,
    };
  }
}

function specOf({ name, spec }: Named<DetectorFileSpec>): DetectorSpec {
  const words = spec.assigned ?? spec.near;
  return {
    name,
    family: spec.family,
    severity: spec.severity ?? 'high',
    pattern: spec.pattern ?? null,
    finder: spec.finder ?? null,
    bounds: spec.bounds ?? 'word',
    context: words === undefined ? null : { words, how: spec.assigned === undefined ? 'near' : 'assigned' },
    validate: VALIDATOR_NAMES.filter((each) => spec.validate?.includes(each) === true),
    entropy: spec.entropy ?? 0,
    count: spec.count ?? 1,
    belongsTo: spec['belongs-to'] ?? [],
    authenticates: spec.authenticates ?? false,
    allow: (spec.allow ?? []).map((text) => text.toLowerCase()),
    placeholders: spec.placeholders ?? true,
    description: spec.description,
    source: spec.source ?? null,
  };
}
