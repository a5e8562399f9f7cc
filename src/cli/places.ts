import { relative } from 'node:path';
import type { Problem } from '../policy/problem.ts';

/** The problem with its file named from the working folder, as editors and terminals open it. */
export function relativePlaces(problem: Problem): Problem {
  return {
    ...problem,
    place: { ...problem.place, file: shortPath(problem.place.file) },
    hint: problem.hint === null ? null : shortenPaths(problem.hint),
  };
}

/** A path from the working folder where that is shorter to read. */
export function shortPath(file: string): string {
  const short = relative(process.cwd(), file);
  return short === '' || short.startsWith('..') ? file : short;
}

/** Shortens every path below the working folder that occurs in a text. */
export function shortenPaths(text: string): string {
  return text.replaceAll(`${process.cwd()}/`, '');
}
