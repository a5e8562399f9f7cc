import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeIdentity } from '../../../../../src/audit/transcripts/sealed.ts';
import type { SaidExchange } from '../../../../../src/audit/transcripts/sheet.ts';
import { Transcripts } from '../../../../../src/audit/transcripts/sinks/transcripts.ts';
import { until } from '../../../../support/until.ts';

const root = mkdtempSync(join(tmpdir(), 'sallyport-keeps-'));
afterAll(() => rmSync(root, { recursive: true }));

const said = (exchange: string, size = 1): SaidExchange => ({
  exchange,
  request: { head: '', body: { bytes: Buffer.alloc(size, exchange), size, note: null } },
  response: null,
});

async function open(folder: string) {
  const { recipient } = await makeIdentity();
  const kept: string[] = [];
  const states: Array<string | null> = [];
  const transcripts = new Transcripts({
    folder,
    recipients: [recipient],
    clock: Date.now,
    onKept: (exchange) => kept.push(exchange),
    onState: (problem) => states.push(problem),
  });
  return { transcripts, kept, states };
}

it('keeps what it is given, and says so; draining waits for all of it', async () => {
  const { transcripts, kept, states } = await open(join(root, 'a'));
  for (let index = 0; index < 5; index++) transcripts.keep(said(`x-${index}`));
  expect(transcripts.waiting).toBe(5);
  await transcripts.drain(10_000);
  expect(kept).toEqual(['x-0', 'x-1', 'x-2', 'x-3', 'x-4']);
  expect([transcripts.waiting, transcripts.problem, states]).toEqual([0, null, []]);
  transcripts.close();
});

it('takes no more than it can hold', async () => {
  const { transcripts } = await open(join(root, 'b'));
  for (let index = 0; index < 3; index++) transcripts.keep(said(`x-${index}`, 25 * 1024 * 1024));
  expect(transcripts.problem).toBe('too many transcripts wait to be written');
  transcripts.close();
  const other = await open(join(root, 'd'));
  other.transcripts.holds(256 * 1024 * 1024);
  expect(other.transcripts.problem).toBe('too much is being said at once that is to be kept');
  other.transcripts.holds(-1);
  expect(other.transcripts.problem).toBeNull();
  other.transcripts.close();
});

it('has a problem while it cannot write, and none when it can again', async () => {
  const folder = join(root, 'c');
  writeFileSync(folder, '');
  const { transcripts, kept, states } = await open(folder);
  transcripts.keep(said('x-1'));
  await until(() => transcripts.problem !== null, 'a problem');
  expect(transcripts.problem).toMatch(/^transcripts cannot be written: (?:EEXIST|ENOTDIR)/);
  await transcripts.drain(10);
  expect(kept).toEqual([]);
  rmSync(folder);
  await until(() => kept.length === 1, 'that it is kept');
  expect(transcripts.problem).toBeNull();
  expect(states).toEqual([expect.stringMatching(/EEXIST|ENOTDIR/), null]);
  transcripts.close();
});
