import { appendFileSync, copyFileSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { GENESIS, sealLine, sealOf } from '../../../../src/audit/chain.ts';
import { readCheckpoint } from '../../../../src/audit/checkpoint.ts';
import { SegmentNotary } from '../../../../src/audit/sinks/segment-notary.ts';
import { makeKey } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-notary-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('signs a file as far as it is told, as it grows, and where it was moved', () => {
  const { signer, verifier } = makeKey();
  const file = join(folder, 'a.jsonl');
  const one = sealOf(GENESIS, Buffer.from('{}\n'));
  const two = sealOf(one, Buffer.from('{"n":2}\n'));
  const first = `{}\n${sealLine(1, one)}`;
  writeFileSync(file, first);
  const notary = new SegmentNotary({ file, origin: 'gate/a', previous: GENESIS, key: signer });
  expect(readCheckpoint(notary.checkpoint(first.length, one, 0), [verifier])).toMatchObject({ size: 1 });
  const moved = join(folder, 'b.jsonl');
  copyFileSync(file, moved);
  unlinkSync(file);
  notary.moved(moved);
  const second = `{"n":2}\n${sealLine(1, two)}`;
  appendFileSync(moved, second);
  const whole = first.length + second.length;
  expect(() => notary.checkpoint(whole, one, 0)).toThrow(/does not end with the last seal/);
  expect(readCheckpoint(notary.checkpoint(whole, two, 0), [verifier])).toMatchObject({ size: 2, seal: two });
  // More is said to be there than there is.
  expect(readCheckpoint(notary.checkpoint(whole + 10, two, 0), [verifier])).toMatchObject({ size: 2 });
  notary.close();
});
