import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Opener, Sealer, makeIdentity } from '../../../../../src/audit/transcripts/sealed.ts';
import {
  ObjectFiles,
  fileOf,
  isObject,
  outlivedDays,
  readObject,
} from '../../../../../src/audit/transcripts/sinks/object-files.ts';

const root = mkdtempSync(join(tmpdir(), 'sallyport-objects-'));
afterAll(() => rmSync(root, { recursive: true }));
const DAY = Date.parse('2026-01-01T12:00:00Z');

it('keeps the same bytes once a day, for their owner alone, by the hash of the file', async () => {
  const folder = join(root, 'a');
  const { identity, recipient } = await makeIdentity();
  let now = DAY;
  const files = new ObjectFiles(folder, await Sealer.open([recipient]), () => now);
  const first = await files.put(Buffer.from('one'));
  expect(isObject(first)).toBe(true);
  expect(first.startsWith('2026-01-01/')).toBe(true);
  expect(await files.put(Buffer.from('one'))).toBe(first);
  expect(await files.put(Buffer.from('two'))).not.toBe(first);
  now += 86_400_000;
  expect(await files.put(Buffer.from('one'))).toMatch(/^2026-01-02\//);
  expect(readdirSync(join(folder, '2026-01-01'))).toHaveLength(2);
  expect(statSync(fileOf(folder, first)).mode & 0o777).toBe(0o600);
  const opener = await Opener.open([identity]);
  expect(Buffer.from(await opener.unseal(readObject(folder, first))).toString()).toBe('one');
});

it('says that an object is gone, was changed, or has a name that no gate gives', async () => {
  const folder = join(root, 'b');
  const { recipient } = await makeIdentity();
  const object = await new ObjectFiles(folder, await Sealer.open([recipient]), () => DAY).put(Buffer.from('one'));
  writeFileSync(fileOf(folder, object), 'else');
  expect(() => readObject(folder, object)).toThrow('is not what was kept: it was changed');
  rmSync(fileOf(folder, object));
  expect(() => readObject(folder, object)).toThrow('cannot be read: ENOENT');
  expect(() => readObject(folder, '2026-01-01/../../../etc/passwd')).toThrow('a file that no gate writes');
});

it('knows the days that ended before a time', () => {
  const folder = join(root, 'c');
  for (const day of ['2026-01-01', '2026-01-02', 'else']) mkdirSync(join(folder, day), { recursive: true });
  expect(outlivedDays(folder, Date.parse('2026-01-02T23:59:59Z'))).toEqual(['2026-01-01']);
  expect(outlivedDays(folder, Date.parse('2026-01-03'))).toEqual(['2026-01-01', '2026-01-02']);
  expect(outlivedDays(join(root, 'none'), Infinity)).toEqual([]);
});
