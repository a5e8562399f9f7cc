import { appendFileSync, mkdtempSync, readFileSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { GENESIS, link } from '../../../../src/audit/chain.ts';
import { SegmentFile, lastSegment } from '../../../../src/audit/sinks/segment-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-segment-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('appends, and tells the next segment where it ended, torn line and all', () => {
  const at = join(folder, 'a');
  expect(lastSegment(at)).toBeNull();
  const sink = new SegmentFile(at, new Date('2026-01-01T00:00:00Z'));
  const first = link('{}', GENESIS);
  sink.append(first.line);
  sink.append(`${'x'.repeat(400_000)}\n`);
  sink.append(link('{}', first.hash).line);
  sink.close();
  expect(readFileSync(sink.file, 'utf8')).toHaveLength(first.line.length * 2 + 400_001);
  appendFileSync(sink.file, '{"torn');
  expect(lastSegment(at)).toMatchObject({ hash: link('{}', first.hash).hash, torn: 6 });
});

it('refuses to write to a file that was deleted', () => {
  const sink = new SegmentFile(join(folder, 'b'), new Date());
  unlinkSync(sink.file);
  expect(() => sink.append('x\n')).toThrow(/deleted/);
  sink.close();
});
