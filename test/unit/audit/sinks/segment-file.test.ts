import { appendFileSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { GENESIS, sealLine, sealOf } from '../../../../src/audit/chain.ts';
import { SegmentFile, lastSegment } from '../../../../src/audit/sinks/segment-file.ts';
import { tailHash } from '../../../../src/audit/verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-segment-'));
afterAll(() => rmSync(folder, { recursive: true }));
const seal = sealOf(GENESIS, Buffer.from('{}\n'));
const sealed = `{}\n${sealLine(1, seal)}`;

it('appends, and tells the next segment where it ended', () => {
  const at = join(folder, 'a');
  expect(lastSegment(at)).toBeNull();
  const sink = new SegmentFile(at, new Date('2026-01-01T00:00:00Z'));
  sink.append(Buffer.from(`${'x'.repeat(400_000)}\n`));
  sink.append(Buffer.from(sealed));
  sink.close();
  expect(readFileSync(sink.file, 'utf8')).toHaveLength(400_001 + sealed.length);
  expect(lastSegment(at)).toMatchObject({ hash: seal, torn: 0 });
});

it('counts what a crash left behind the last seal, in this segment and in ones that never got a seal', () => {
  const at = join(folder, 'b');
  const sink = new SegmentFile(at, new Date('2026-01-01T00:00:00Z'));
  sink.append(Buffer.from(sealed));
  sink.close();
  appendFileSync(sink.file, '{"torn":1}\n{"to');
  const first = tailHash(seal, Buffer.from('{"torn":1}\n{"to'));
  expect(lastSegment(at)).toMatchObject({ hash: first, torn: 15 });
  writeFileSync(join(at, '20260102T000000.000Z-1.jsonl'), '{"never sealed"');
  expect(lastSegment(at)).toEqual({
    name: '20260102T000000.000Z-1.jsonl',
    hash: tailHash(first, Buffer.from('{"never sealed"')),
    torn: 15,
    open: [],
  });
});

it('refuses to write to a file that was deleted', () => {
  const sink = new SegmentFile(join(folder, 'c'), new Date());
  unlinkSync(sink.file);
  expect(() => sink.append(Buffer.from('x\n'))).toThrow(/deleted/);
  sink.close();
});
