import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { GENESIS, sealLine, sealOf } from '../../../../src/audit/chain.ts';
import { SegmentFile } from '../../../../src/audit/sinks/segment-file.ts';
import { lanesIn, lastSegment, segmentNames } from '../../../../src/audit/sinks/segments.ts';
import { tailHash } from '../../../../src/audit/verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-segments-'));
afterAll(() => rmSync(folder, { recursive: true }));
const seal = sealOf(GENESIS, Buffer.from('{}\n'));
const sealed = `{}\n${sealLine(1, seal)}`;

it('tells the next segment where the one before ended', () => {
  const at = join(folder, 'a');
  expect(lastSegment(at)).toBeNull();
  const sink = new SegmentFile(at, '20260101T000000.000Z-1.jsonl');
  sink.append(Buffer.from(`${'x'.repeat(400_000)}\n`));
  sink.append(Buffer.from(sealed));
  sink.close();
  expect(lastSegment(at)).toMatchObject({ hash: seal, torn: 0 });
  writeFileSync(join(at, '20260101T000000.000Z-w2-1.jsonl'), sealed);
  expect([lanesIn(at).sort(), segmentNames(at, 2)]).toEqual([[1, 2], ['20260101T000000.000Z-w2-1.jsonl']]);
});

it('counts what a crash left behind the last seal, in this segment and in ones that never got a seal', () => {
  const at = join(folder, 'b');
  const sink = new SegmentFile(at, '20260101T000000.000Z-1.jsonl');
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
