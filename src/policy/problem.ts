import { LineCounter } from 'yaml';
import type { Place } from '../model/decision.ts';

/** Something wrong with a rule file, with all a person needs to mend it. */
export interface Problem {
  /** A note tells what a rule means; nothing is wrong with it. */
  readonly severity: 'error' | 'warning' | 'note';
  readonly place: Place;
  /** How many characters the caret line marks. */
  readonly length: number;
  readonly message: string;
  readonly hint: string | null;
  /** The offending line; null for problems that have none (a file that cannot be read). */
  readonly source: string | null;
}

/** A file as text and as positions. */
export interface SourceText {
  /** Path as it can be opened. */
  readonly file: string;
  /** Name below the rules folder, that folder's own name first: what agents and the record are shown. */
  readonly name: string;
  readonly text: string;
  readonly lines: LineCounter;
}

export type Range = readonly [start: number, end: number];

/** A problem at a range of offsets of a file. */
export function problemAt(
  source: SourceText,
  range: Range,
  message: string,
  options: { hint?: string | null; severity?: Problem['severity'] } = {},
): Problem {
  const start = Math.min(range[0], source.text.length);
  const { line, col } = source.lines.linePos(start);
  const lineStart = start - (col - 1);
  const newline = source.text.indexOf('\n', lineStart);
  const lineEnd = newline === -1 ? source.text.length : newline;
  return {
    severity: options.severity ?? 'error',
    place: { file: source.file, line, column: col },
    length: Math.max(1, Math.min(range[1], lineEnd) - start),
    message,
    hint: options.hint ?? null,
    source: source.text.slice(lineStart, lineEnd).replace(/\r$/, ''),
  };
}

/** A problem with a file as a whole. */
export function fileProblem(file: string, message: string, hint: string | null = null): Problem {
  return { severity: 'error', place: { file, line: 1, column: 1 }, length: 1, message, hint, source: null };
}

/** `file:line:column: error: message`, the line, a caret and a hint. Long lines are cut around the caret. */
export function formatProblem(problem: Problem): string {
  const { file, line, column } = problem.place;
  const head = `${file}:${line}:${column}: ${problem.severity}: ${problem.message}`;
  const parts = [head];
  if (problem.source !== null) {
    const from = column > 100 ? column - 60 : 0;
    const shown = problem.source.slice(from, from + 120).replaceAll('\t', ' ');
    const number = String(line).padStart(5);
    const width = Math.max(1, Math.min(problem.length, shown.length - (column - 1 - from)));
    parts.push(`${number} | ${shown}`, `${' '.repeat(5)} | ${' '.repeat(column - 1 - from)}${'^'.repeat(width)}`);
  }
  if (problem.hint !== null) parts.push(`  hint: ${problem.hint}`);
  return parts.join('\n');
}

/** Order in which problems are shown: by file, then by place. */
export function byPlace(a: Problem, b: Problem): number {
  if (a.place.file !== b.place.file) return a.place.file < b.place.file ? -1 : 1;
  return a.place.line - b.place.line || a.place.column - b.place.column;
}
