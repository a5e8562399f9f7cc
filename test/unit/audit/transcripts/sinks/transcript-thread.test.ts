import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { makeIdentity } from '../../../../../src/audit/transcripts/sealed.ts';
import { TranscriptWriter, type TranscriptNews } from '../../../../../src/audit/transcripts/sinks/transcript-thread.ts';
import { until } from '../../../../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-writer-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('keeps one exchange after another, and tries again where it cannot', async () => {
  const { recipient } = await makeIdentity();
  const place = join(folder, 'place');
  writeFileSync(place, '');
  const news: TranscriptNews[] = [];
  const writer = new TranscriptWriter({ folder: place, recipients: [recipient] }, Date.now, (each) => news.push(each));
  const body = { bytes: Buffer.alloc(5000, 'x'), size: 5000, note: null };
  for (const exchange of ['x-1', 'x-2']) writer.take({ exchange, request: { head: '', body }, response: null });
  await until(() => news.length > 0, 'a failure');
  expect(news[0]).toMatchObject({ kind: 'failed', problem: expect.stringMatching(/EEXIST|ENOTDIR/) as string });
  rmSync(place);
  await until(() => news.filter(({ kind }) => kind === 'kept').length === 2, 'both');
  const kept = news.filter((each) => each.kind === 'kept');
  expect(kept.map(({ exchange }) => exchange)).toEqual(['x-1', 'x-2']);
  // A sheet each, and a body they share.
  expect(new Set(kept.flatMap(({ objects }) => objects)).size).toBe(3);
  writer.close();
});
