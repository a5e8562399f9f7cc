import type { DetectorSpec } from '../model/detector.ts';
import { compile } from './compile.ts';
import { parseDetectors } from './detectors.ts';
import { checkShape } from './issues.ts';
import { refuseLater } from './later.ts';
import { mergeFiles, type CheckedFile, type Merged } from './merge.ts';
import type { Policy } from './policy.ts';
import { byPlace, formatProblem, type Problem } from './problem.ts';
import { readSources } from './source.ts';

export interface LoadResult {
  /** Null when any problem is an error: a policy that does not load never replaces one that did. */
  readonly policy: Policy | null;
  readonly problems: readonly Problem[];
}

/** Reads, checks and compiles every rule file below a folder. Never throws for what stands in the files. */
export function loadPolicy(root: string): LoadResult {
  const { merged, generation, problems } = readRules(root);
  const policy = merged === null ? null : compile(merged, generation, problems);
  const failed = problems.some((problem) => problem.severity === 'error');
  return { policy: failed ? null : policy, problems: problems.sort(byPlace) };
}

/** Reads the detectors that stand in the files below a folder. Throws an Error that says what is wrong with them. */
export function loadDetectors(folder: string): readonly DetectorSpec[] {
  const { merged, problems } = readRules(folder);
  const detectors = merged === null ? [] : parseDetectors(merged.detectors, problems, { ship: true });
  if (problems.length > 0 || detectors.length === 0)
    throw new Error(`the detectors in ${folder} do not load:\n${problems.map(formatProblem).join('\n')}`);
  return detectors;
}

/** Rule files read, checked and merged, before anything is made of them. */
export interface ReadRules {
  /** Null when a file is missing: references to what it defines would be reported as mistakes of those who make them. */
  readonly merged: Merged | null;
  readonly files: readonly CheckedFile[];
  readonly generation: string;
  readonly problems: Problem[];
}

/** Reads, checks and merges every rule file below a folder. Never throws for what stands in the files. */
export function readRules(root: string): ReadRules {
  const read = readSources(root);
  const problems: Problem[] = [...read.problems];
  const files: CheckedFile[] = [];
  for (const source of read.sources) {
    const file = checkShape(source, problems);
    if (file === null) continue;
    refuseLater(source, file, problems);
    files.push({ source, file });
  }
  const merged = mergeFiles(files, problems);
  const complete = files.length === read.sources.length;
  return { merged: complete ? merged : null, files, generation: read.generation, problems };
}
