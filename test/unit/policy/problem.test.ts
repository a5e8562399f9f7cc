import { expect, it } from 'vitest';
import { LineCounter, parseDocument } from 'yaml';
import { byPlace, fileProblem, formatProblem, problemAt } from '../../../src/policy/problem.ts';

it('a problem shows line, caret and hint, and cuts a long line around the caret', () => {
  const text = `a: 1\n${'x'.repeat(300)}: 2\n`;
  const lines = new LineCounter();
  parseDocument(text, { lineCounter: lines });
  const source = { file: 'f.yaml', name: 'f.yaml', text, lines };
  expect(formatProblem(problemAt(source, [3, 4], 'bad', { hint: 'mend it' }))).toBe(
    'f.yaml:1:4: error: bad\n    1 | a: 1\n      |    ^\n  hint: mend it',
  );
  const long = formatProblem(problemAt(source, [5 + 200, 5 + 210], 'bad')).split('\n');
  expect(long[0]).toBe('f.yaml:2:201: error: bad');
  expect(long[1]?.length).toBeLessThan(140);
  expect(formatProblem(fileProblem('f', 'gone'))).toBe('f:1:1: error: gone');
});

it('problems are shown by file and place', () => {
  const at = (file: string, line: number) => ({ ...fileProblem(file, ''), place: { file, line, column: 1 } });
  expect([at('b', 1), at('a', 9), at('a', 2)].sort(byPlace).map((each) => each.place)).toEqual([
    at('a', 2).place,
    at('a', 9).place,
    at('b', 1).place,
  ]);
});
