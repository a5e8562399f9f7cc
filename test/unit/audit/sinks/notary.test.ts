import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { GENESIS, sealLine, sealOf } from '../../../../src/audit/chain.ts';
import { readCheckpoint } from '../../../../src/audit/checkpoint.ts';
import { notaryHere } from '../../../../src/audit/sinks/notary.ts';
import { makeKey } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-notary-here-'));
afterAll(() => rmSync(folder, { recursive: true }));

// The thread itself is part of the program (test/cli/audit.test.ts).
it('a notary without a thread signs when it is asked, and is silent at the end about what was changed', async () => {
  const { signer, verifier } = makeKey();
  const seal = sealOf(GENESIS, Buffer.from('{}\n'));
  const text = `{}\n${sealLine(1, seal)}`;
  const file = join(folder, 'a.jsonl');
  writeFileSync(file, text);
  const notary = notaryHere({ file, origin: 'gate/a', previous: GENESIS, key: signer }, () => 0);
  expect(readCheckpoint(await notary.checkpoint(text.length, seal), [verifier])).toMatchObject({ size: 1 });
  expect(readCheckpoint(notary.closing(text.length, seal) ?? '', [verifier])).toMatchObject({ size: 1 });
  await expect(notary.checkpoint(text.length, GENESIS)).rejects.toThrow(/last seal/);
  expect(notary.closing(text.length, GENESIS)).toBeNull();
  notary.close();
});
