import { compile } from './compile.ts';
import { checkShape } from './issues.ts';
import { refuseLater } from './later.ts';
import { mergeFiles, type CheckedFile } from './merge.ts';
import type { Policy } from './policy.ts';
import { byPlace, type Problem } from './problem.ts';
import { readSources } from './source.ts';

export interface LoadResult {
  /** Null when any problem is an error: a policy that does not load never replaces one that did. */
  readonly policy: Policy | null;
  readonly problems: readonly Problem[];
}

/** Reads, checks and compiles every rule file below a folder. Never throws for what stands in the files. */
export function loadPolicy(root: string): LoadResult {
  const read = readSources(root);
  const problems: Problem[] = [...read.problems];
  const files: CheckedFile[] = [];
  for (const source of read.sources) {
    const file = checkShape(source, problems);
    if (file === null) continue;
    refuseLater(source, file, problems);
    files.push({ source, file });
  }
  const complete = files.length === read.sources.length;
  const merged = mergeFiles(files, problems);
  // With a file missing, references to what it defines would be reported as mistakes of those who make them.
  const policy = complete ? compile(merged, read.generation, problems) : null;
  const failed = problems.some((problem) => problem.severity === 'error');
  return { policy: failed ? null : policy, problems: problems.sort(byPlace) };
}
