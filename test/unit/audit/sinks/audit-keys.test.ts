import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { keysIn, knownKeys, openAuditKey, rotateAuditKey } from '../../../../src/audit/sinks/audit-keys.ts';
import { readNote } from '../../../../src/audit/signed-note.ts';
import { endorsementText } from '../../../../src/audit/verify.ts';

const root = mkdtempSync(join(tmpdir(), 'sallyport-audit-keys-'));
afterAll(() => rmSync(root, { recursive: true }));

it('makes a key once, for its owner alone', () => {
  const folder = join(root, 'a');
  const made = openAuditKey(folder);
  expect(openAuditKey(folder).text).toBe(made.text);
  expect([made.endorsement, knownKeys(folder).map(({ text }) => text)]).toEqual([null, [made.text]]);
  const [secret = ''] = readdirSync(folder).filter((name) => name.endsWith('.pem'));
  expect([statSync(folder).mode & 0o777, statSync(join(folder, secret)).mode & 0o777]).toEqual([0o700, 0o600]);
});

it('has each key signed by the one before, whose secret is gone', () => {
  const folder = join(root, 'b');
  expect(rotateAuditKey(folder).before).toBeNull();
  const { before, now } = rotateAuditKey(folder);
  expect(openAuditKey(folder).text).toBe(now.text);
  expect(now.text).not.toBe(before?.text);
  expect(readNote(now.endorsement ?? '', keysIn(before?.text ?? ''))).toBe(endorsementText(now.text));
  expect(readdirSync(folder).filter((name) => name.endsWith('.pem'))).toHaveLength(1);
  expect(knownKeys(folder)).toHaveLength(2);
});

it('takes no key for another', () => {
  const folder = join(root, 'c');
  openAuditKey(folder);
  const other = openAuditKey(join(root, 'd'));
  const [name = ''] = readdirSync(folder).filter((each) => each.endsWith('.pub'));
  writeFileSync(join(folder, name), `${other.text}\n`);
  expect(() => openAuditKey(folder)).toThrow(/is not the key of audit-/);
});
