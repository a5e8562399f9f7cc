import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { holdsOn, outlived, remove, tombstonesIn, writeHolds } from '../../../../src/audit/sinks/retention.ts';
import { verifyLane } from '../../../../src/audit/verify-log.ts';
import { makeKey, makeSegment } from '../support.ts';

const root = mkdtempSync(join(tmpdir(), 'sallyport-retention-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('outlived()', () => {
  const names = ['20260101T000000.000Z-1.jsonl', '20260102T000000.000Z-1.jsonl', '20260103T000000.000Z-1.jsonl'];
  it.each([
    ['2026-01-01T12:00:00Z', 0],
    ['2026-01-02T12:00:00Z', 1],
    ['2026-01-03T12:00:00Z', 2],
    // The newest stays, whatever its age.
    ['2030-01-01T00:00:00Z', 2],
  ])('before %s: the first %i', (before, count) => {
    expect(outlived(names, Date.parse(before))).toEqual(names.slice(0, count));
  });

  it('takes nothing of which it cannot tell when it ended', () => {
    expect(outlived(['a.jsonl', 'b.jsonl'], Date.now())).toEqual([]);
    expect(outlived([], Date.now())).toEqual([]);
  });
});

it('remove() leaves a tombstone by which the rest verifies', () => {
  const folder = join(root, 'a');
  mkdirSync(folder);
  const { signer, verifier } = makeKey();
  const one = makeSegment({ name: '20260101T000000.000Z-1.jsonl', signer, writes: [['{"n":1}'], 'shutdown'] });
  const two = makeSegment({
    name: '20260102T000000.000Z-1.jsonl',
    signer,
    before: one,
    writes: [['{"n":2}'], 'shutdown'],
  });
  for (const { name, text } of [one, two]) writeFileSync(join(folder, name), text);
  const check = (names: readonly string[]) =>
    verifyLane(names, (name) => [readFileSync(join(folder, name))], [verifier], {
      tombstones: tombstonesIn(folder, 1),
    });
  remove(folder, check([one.name]).segments, { reason: 'old', time: '2026-02-01T00:00:00.000Z', signer });
  expect(readdirSync(folder)).toEqual(['20260101T000000.000Z-1.tombstone', two.name]);
  const { segments, removed } = check([two.name]);
  expect([segments.map((each) => each.break), removed]).toEqual([[null], 3]);
  remove(folder, [], { reason: 'nothing', time: '', signer });
  expect(existsSync(join(folder, two.name))).toBe(true);
});

describe('holds', () => {
  it('are kept, and a file that cannot be read lets nothing go', () => {
    const folder = join(root, 'b');
    mkdirSync(folder);
    expect(holdsOn(folder)).toEqual([]);
    const hold = { name: 'case-1', reason: 'asked for', by: 'ann', since: '2026-01-01T00:00:00.000Z' };
    writeHolds(folder, [hold]);
    expect(holdsOn(folder)).toEqual([hold]);
    for (const wrong of ['', '{}', '{"holds":[1]}', '{"holds":{}}']) {
      writeFileSync(join(folder, 'holds.json'), wrong);
      expect(() => holdsOn(folder)).toThrow(/nothing is removed/);
    }
  });
});
