import { appendFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { indexFileOf, makeIndex, readIndex } from '../../../../src/audit/sinks/index-file.ts';
import { OUTCOME } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-index-'));
afterAll(() => {
  for (const path of [folder, `${folder}.index`]) rmSync(path, { recursive: true, force: true });
});

it('is kept beside the log, and taken only for what it is about', () => {
  const segment = join(folder, 'a.jsonl');
  writeFileSync(segment, `${JSON.stringify(OUTCOME)}\n`);
  expect(readIndex(segment)).toBeNull();
  const index = makeIndex(segment);
  expect(indexFileOf(segment)).toBe(join(`${folder}.index`, 'a.json'));
  expect(readIndex(segment)).toEqual(index);
  appendFileSync(segment, '{}\n');
  expect(readIndex(segment)).toBeNull();
  writeFileSync(indexFileOf(segment), 'nothing');
  expect(readIndex(segment)).toBeNull();
});

it('is made all the same where it cannot be kept', () => {
  const segment = join(folder, 'b.jsonl');
  writeFileSync(segment, `${JSON.stringify(OUTCOME)}\n`);
  // A file stands where its folder would.
  rmSync(`${folder}.index`, { recursive: true });
  writeFileSync(`${folder}.index`, '');
  expect(makeIndex(segment).size).toBeGreaterThan(0);
  expect(() => makeIndex(join(folder, 'none.jsonl'))).toThrow('ENOENT');
  expect(existsSync(indexFileOf(join(folder, 'none.jsonl')))).toBe(false);
});
