import { appendFileSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { Follower } from '../../../../../src/audit/delivery/sinks/follower.ts';
import { denial } from '../support.ts';
import { SegmentOnDisk } from './log.ts';

const root = mkdtempSync(join(tmpdir(), 'sallyport-follower-'));
afterAll(() => rmSync(root, { recursive: true }));
let folder = '';
let count = 0;
beforeEach(() => (folder = join(root, String(++count))));

const FIRST = '20260101T000000.000Z-1.jsonl';
const SECOND = '20260101T000001.000Z-1.jsonl';
const LANE = '20260101T000000.500Z-w2-1.jsonl';
const of = (exchange: string) => denial({ exchange });

/** Exchanges of all batches there are. */
function read(follower: Follower): string[] {
  const all: string[] = [];
  for (let batch = follower.next(); batch !== null; batch = follower.next())
    all.push(...batch.events.map(({ event }) => (event as { exchange: string }).exchange));
  return all;
}

it('reads what is sealed, from one segment to the next, and each event once', () => {
  const follower = new Follower(folder, {});
  expect(follower.next()).toBeNull();
  const first = new SegmentOnDisk(join(folder, FIRST));
  first.write(of('a'), '{"kind":"intent"}', of('b'));
  expect(read(follower)).toEqual(['a', 'b']);
  first.write(of('c'));
  new SegmentOnDisk(join(folder, SECOND)).write(of('d'));
  expect(read(follower)).toEqual(['c', 'd']);
  expect(read(follower)).toEqual([]);
  expect(follower.behind).toBe(0);
});

it('waits for the seal of a write, and passes over what a crash left without one', () => {
  const first = new SegmentOnDisk(join(folder, FIRST));
  const follower = new Follower(folder, {});
  const text = first.sealed(of('a'));
  appendFileSync(first.file, text.slice(0, -80));
  expect(read(follower)).toEqual([]);
  appendFileSync(first.file, text.slice(-80));
  expect(read(follower)).toEqual(['a']);
  appendFileSync(first.file, `${JSON.stringify(of('torn'))}\n`);
  new SegmentOnDisk(join(folder, SECOND)).write(of('b'));
  expect(read(follower)).toEqual(['b']);
});

it('reads a write that is longer than what is read at once', () => {
  const long = Array.from({ length: 40 }, (_, index) => denial({ exchange: `x${index}`, detail: 'é'.repeat(20_000) }));
  new SegmentOnDisk(join(folder, FIRST)).write(...long);
  expect(read(new Follower(folder, {}))).toHaveLength(40);
});

it('names each event by its place, and goes on from a place', () => {
  const first = new SegmentOnDisk(join(folder, FIRST));
  first.write(of('a'));
  first.write(of('b'));
  const batch = new Follower(folder, {}).next();
  // The header and its seal, the event, its seal, the event.
  expect(batch?.events.map(({ id }) => id)).toEqual([`${FIRST}:3`, `${FIRST}:5`]);
  first.write(of('c'));
  const follower = new Follower(folder, batch?.to ?? null);
  expect(follower.next()?.events.map(({ id }) => id)).toEqual([`${FIRST}:7`]);
  expect(read(new Follower(folder, batch?.from ?? null))).toEqual(['a', 'b', 'c']);
});

it('begins at the end of a log where it has no place', () => {
  const first = new SegmentOnDisk(join(folder, FIRST));
  first.write(of('a'));
  const follower = new Follower(folder, null);
  first.write(of('b'));
  const [event] = follower.next()?.events ?? [];
  expect(event?.id).toBe(`${FIRST}:5`);
});

it('reads each lane, and one that appears later from its beginning', () => {
  const first = new SegmentOnDisk(join(folder, FIRST));
  const follower = new Follower(folder, null);
  first.write(of('a'));
  new SegmentOnDisk(join(folder, LANE)).write(of('b'));
  expect(read(follower).sort()).toEqual(['a', 'b']);
});

it('goes on with the next segment where one was removed, and says how much it is behind', () => {
  new SegmentOnDisk(join(folder, FIRST)).write(of('a'));
  const follower = new Follower(folder, {});
  new SegmentOnDisk(join(folder, SECOND)).write(of('b'));
  const before = follower.behind;
  unlinkSync(join(folder, FIRST));
  expect(follower.behind).toBeLessThan(before);
  expect(read(follower)).toEqual(['b']);
});

it('says how many events were removed before it has read them, as their tombstones do', () => {
  const first = new SegmentOnDisk(join(folder, FIRST));
  first.write(of('a'));
  const follower = new Follower(folder, {});
  expect(read(follower)).toEqual(['a']);
  const middle = '20260101T000000.100Z-1.jsonl';
  new SegmentOnDisk(join(folder, SECOND)).write(of('b'));
  unlinkSync(join(folder, FIRST));
  const hash = '0'.repeat(64);
  const lines = [`segment ${hash} 10 ${FIRST}`, `segment ${hash} 7 ${middle}`];
  writeFileSync(join(folder, middle.replace('jsonl', 'tombstone')), `sallyport audit tombstone\n${lines.join('\n')}\n`);
  expect(read(follower)).toEqual(['b']);
  // Four lines of the first were read.
  expect(follower.takeMissed()).toEqual({ events: 13, from: FIRST, to: SECOND });
  expect(follower.takeMissed()).toBeNull();
});

it('passes over a line that is no JSON, which nobody we know has sealed', () => {
  new SegmentOnDisk(join(folder, FIRST)).write('{"kind":"outcome"', of('a'));
  expect(read(new Follower(folder, {}))).toEqual(['a']);
});
