import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SegmentFile, laneOf, segmentName, timeOf } from '../../../../src/audit/sinks/segment-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-segment-'));
afterAll(() => rmSync(folder, { recursive: true }));
const time = Date.parse('2026-01-01T00:00:00.123Z');

describe('the name of a segment', () => {
  it.each([1, 2, 17])('says when it was made and by which lane (%i)', (lane) => {
    const name = segmentName(time, lane);
    expect([timeOf(name), laneOf(name)]).toEqual([time, lane]);
    expect(segmentName(time + 1, lane) > name).toBe(true);
  });

  it('that no gate made is of no time', () => {
    expect(timeOf('mine.jsonl')).toBe(0);
  });
});

describe('SegmentFile', () => {
  it('appends, and tells when the disk has it', async () => {
    const sink = new SegmentFile(join(folder, 'a'), segmentName(time, 1), { durable: true });
    sink.append(Buffer.from(`${'x'.repeat(400_000)}\n`));
    const synced = new Promise((resolve) => sink.sync(resolve));
    // It is closed when the flush under way is over.
    sink.close();
    expect(await synced).toBeNull();
    expect(readFileSync(sink.file, 'utf8')).toHaveLength(400_001);
  });

  it('takes back a file in which nothing was written', () => {
    const sink = new SegmentFile(join(folder, 'd'), segmentName(time, 1));
    sink.discard();
    expect(readdirSync(join(folder, 'd'))).toEqual([]);
  });

  it('takes no name that there is', () => {
    new SegmentFile(join(folder, 'b'), segmentName(time, 1)).close();
    expect(() => new SegmentFile(join(folder, 'b'), segmentName(time, 1))).toThrow(/EEXIST/);
  });

  it('writes again what was deleted, under its name where that is free, and tells so', () => {
    const told: string[] = [];
    const at = join(folder, 'c');
    const sink = new SegmentFile(at, segmentName(time, 1), { onRestored: (file) => told.push(file) });
    sink.append(Buffer.from('one\n'));
    unlinkSync(sink.file);
    sink.append(Buffer.from('two\n'));
    expect([told, readFileSync(sink.file, 'utf8')]).toEqual([[join(at, segmentName(time, 1))], 'one\ntwo\n']);
    // Somebody has put another file in its place.
    writeFileSync(join(at, 'other'), 'nothing\n');
    renameSync(join(at, 'other'), sink.file);
    sink.append(Buffer.from('three\n'));
    expect(readdirSync(at)).toEqual([segmentName(time, 1), segmentName(time + 1, 1)]);
    expect(readFileSync(sink.file, 'utf8')).toBe('one\ntwo\nthree\n');
    sink.close();
  });
});
