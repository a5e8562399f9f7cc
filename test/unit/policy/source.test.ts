import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keyRangeOf, listFiles, parseSource, rangeOf } from '../../../src/policy/source.ts';

it('lists rule files in name order, follows links to files, and passes hidden folders by', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-source-'));
  mkdirSync(join(folder, '..data'));
  writeFileSync(join(folder, '..data/rules.yaml'), 'version: 1\n');
  symlinkSync(join(folder, '..data/rules.yaml'), join(folder, 'rules.yaml'));
  writeFileSync(join(folder, 'a.yml'), '');
  writeFileSync(join(folder, 'b.txt'), '');
  expect(listFiles(folder, []).map((file) => file.slice(folder.length))).toEqual(['/a.yml', '/rules.yaml']);
  rmSync(folder, { recursive: true });
});

it('finds the place of a value and of a key, through aliases too', () => {
  const text = 'a: &x { b: [1, 2] }\nc: *x\n';
  const source = parseSource('f', Buffer.from(text), []);
  if (source === null) throw new Error('does not parse');
  const cut = (range: readonly [number, number]): string => text.slice(...range);
  expect(cut(rangeOf(source, ['a', 'b', 1]))).toBe('2');
  expect(cut(rangeOf(source, ['c', 'b', 0]))).toBe('1');
  expect(cut(keyRangeOf(source, ['a'], 'b'))).toBe('b');
  expect(cut(rangeOf(source, ['a', 'none']))).toBe('{ b: [1, 2] }');
});
