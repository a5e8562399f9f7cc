import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Opener, Sealer, encrypterTo, makeIdentity } from '../../../../src/audit/transcripts/sealed.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-sealed-'));
afterAll(() => rmSync(folder, { recursive: true }));
const TEXT = 'what was said, again and again\n'.repeat(1000);

it('is opened by each of its recipients, and by nobody else', async () => {
  const [one, two, other] = [await makeIdentity(), await makeIdentity(), await makeIdentity()];
  const sealed = await (await Sealer.open([one.recipient, two.recipient])).seal(Buffer.from(TEXT));
  expect(sealed.length).toBeLessThan(1000);
  for (const { identity } of [one, two])
    expect(Buffer.from(await (await Opener.open([identity])).unseal(sealed)).toString()).toBe(TEXT);
  await expect((await Opener.open([other.identity])).unseal(sealed)).rejects.toThrow('not encrypted to any of these');
  sealed[sealed.length - 1]! ^= 1;
  await expect((await Opener.open([one.identity])).unseal(sealed)).rejects.toThrow('not encrypted to any of these');
});

it('is what age and zstd write and read', async () => {
  const { identity, recipient } = await makeIdentity();
  const [key, file] = [join(folder, 'key'), join(folder, 'file.age')];
  writeFileSync(key, identity);
  writeFileSync(file, await (await Sealer.open([recipient])).seal(Buffer.from(TEXT)));
  const compressed = execFileSync('age', ['-d', '-i', key, file]);
  expect(execFileSync('zstd', ['-d', '-q'], { input: compressed, encoding: 'utf8' })).toBe(TEXT);
  const theirs = execFileSync('age', ['-r', recipient], { input: execFileSync('zstd', ['-q'], { input: TEXT }) });
  expect(Buffer.from(await (await Opener.open([identity])).unseal(theirs)).toString()).toBe(TEXT);
});

it('says which recipient is none, and that an identity is none, without saying it', async () => {
  expect(() => encrypterTo(['age1nothing'])).toThrow('"age1nothing" is no age recipient');
  const secret = 'AGE-SECRET-KEY-1NOTHING';
  await expect(Opener.open([secret])).rejects.toThrow(/^an identity is not one of age: AGE-SECRET-KEY-1…$/);
});
