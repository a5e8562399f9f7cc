import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { PlaceFile } from '../../../../../src/audit/delivery/sinks/place-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-place-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('keeps how far a sink has come', () => {
  const file = new PlaceFile(join(folder, 'sinks'), 'soc');
  expect(file.read()).toBeNull();
  const cursor = { 1: { segment: 'a.jsonl', bytes: 10, lines: 2 }, 2: { segment: 'b.jsonl', bytes: 0, lines: 0 } };
  file.write(cursor);
  expect(file.read()).toEqual(cursor);
  expect(readdirSync(join(folder, 'sinks'))).toEqual(['soc.json']);
});

it.each(['{', '{}', '{"version":1,"cursor":{"1":{"segment":"a","bytes":-1,"lines":0}}}'])('refuses %s', (text) => {
  writeFileSync(join(folder, 'bad.json'), text);
  expect(() => new PlaceFile(folder, 'bad').read()).toThrow('bad.json is not what was written there: remove it');
});
