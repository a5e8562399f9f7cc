import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readSecret, readSecretFile } from '../../../../../src/audit/delivery/sinks/secret-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-secret-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('is read each time, without the white space around it', () => {
  const file = join(folder, 'a');
  writeFileSync(file, ' one\n');
  expect(readSecret({ file })).toBe('one');
  writeFileSync(file, 'two');
  expect(readSecret({ file })).toBe('two');
  expect(readSecret({ text: 'three' })).toBe('three');
});

it('says in one line what is wrong with its file', () => {
  const file = join(folder, 'empty');
  writeFileSync(file, '\n');
  expect(() => readSecretFile(file)).toThrow(`${file} is empty`);
  expect(() => readSecretFile(join(folder, 'none'))).toThrow(`${join(folder, 'none')} cannot be read: ENOENT`);
});
