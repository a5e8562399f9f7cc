import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Courier } from '../../../../../src/audit/delivery/sinks/courier.ts';
import { Follower } from '../../../../../src/audit/delivery/sinks/follower.ts';
import { Refused, type Cursor, type SentEvent } from '../../../../../src/audit/delivery/event.ts';
import type { SinkEvent } from '../../../../../src/model/audit-event.ts';
import type { EventClass, SinkReport } from '../../../../../src/model/sink.ts';
import { EVENTS, denial } from '../support.ts';
import { SegmentOnDisk } from './log.ts';

const root = mkdtempSync(join(tmpdir(), 'sallyport-courier-'));
afterAll(() => rmSync(root, { recursive: true }));
let count = 0;
let segment: SegmentOnDisk;
let close: () => void = () => undefined;
beforeEach(() => {
  segment = new SegmentOnDisk(join(root, String(++count), '20260101T000000.000Z-1.jsonl'));
});
afterEach(() => close());

const of = (exchange: string) => denial({ exchange });
const nameOf = ({ event }: SentEvent): string => ('exchange' in event ? event.exchange : event.kind);

interface Run {
  readonly got: string[];
  readonly recorded: Array<Omit<SinkEvent, 'time'>>;
  readonly reports: SinkReport[];
  readonly kept: Cursor[];
  /** Milliseconds it wanted to wait. */
  readonly waits: number[];
}

/** Runs a courier until it is closed; `receive` answers each request. */
function run(
  receive: (names: readonly string[]) => number | Error,
  { events = ['denied', 'sink'] as readonly EventClass[], spool = 1e9, from = {} as Cursor } = {},
): Run {
  const all: Run = { got: [], recorded: [], reports: [], kept: [], waits: [] };
  const courier = new Courier<SentEvent>({
    name: 'soc',
    events,
    spool,
    follower: new Follower(join(root, String(count)), from),
    carrier: {
      send: async (parcels) => {
        const answer = receive(parcels.map(nameOf));
        if (answer instanceof Error) throw answer;
        all.got.push(...parcels.map(nameOf));
        return Promise.resolve(answer);
      },
      close: () => undefined,
    },
    packing: { kindOf: ({ event }) => event.kind, pack: (each) => each, due: () => [], wait: () => null, untold: null },
    keep: (cursor) => all.kept.push(cursor),
    sleep: async (milliseconds) => {
      all.waits.push(milliseconds);
      await new Promise(setImmediate);
    },
    record: (event) => all.recorded.push(event),
    report: (report) => all.reports.push(report),
  });
  void courier.run();
  close = () => courier.close();
  return all;
}

const sum = (reports: readonly SinkReport[], name: 'delivered' | 'dropped' | 'failures'): number =>
  reports.reduce((total, report) => total + report[name], 0);

it('takes the events that are wanted, and keeps its place behind them', async () => {
  segment.write(...EVENTS, of('a'));
  const { got, reports, kept } = run(() => 0);
  await vi.waitFor(() => expect(kept).not.toEqual([]));
  expect(got).toEqual(['sink', 'a']);
  segment.write(of('b'));
  await vi.waitFor(() => expect(kept).toHaveLength(2));
  expect(got).toEqual(['sink', 'a', 'b']);
  expect(sum(reports, 'delivered')).toBe(3);
  expect(reports.at(-1)).toMatchObject({ behind: 0, failing: false });
  close();
  // Another one begins where it was.
  segment.write(of('c'));
  const next = run(() => 0, { from: kept.at(-1) as Cursor });
  await vi.waitFor(() => expect(next.got).toEqual(['c']));
});

it('tries again until it is taken, in order, and puts on record that it failed and that it goes on', async () => {
  let failures = 3;
  segment.write(of('a'));
  segment.write(of('b'));
  const { got, recorded, reports } = run(() => (failures-- > 0 ? new Error('soc.test: ECONNREFUSED') : 0));
  await vi.waitFor(() => expect(got).toEqual(['a', 'b']));
  expect(recorded).toEqual([
    { action: 'failing', detail: 'soc.test: ECONNREFUSED', kind: 'sink', sink: 'soc' },
    { action: 'recovered', detail: 'after 3 attempts that failed', kind: 'sink', sink: 'soc' },
  ]);
  await vi.waitFor(() => expect(sum(reports, 'failures')).toBe(3));
  expect(sum(reports, 'dropped')).toBe(0);
});

it('waits twice as long after each attempt, up to a minute, and never quite as long as another gate', async () => {
  let failures = 9;
  segment.write(of('a'));
  const { got, waits } = run(() => (failures-- > 0 ? new Error('down') : 0));
  await vi.waitFor(() => expect(got).toEqual(['a']));
  for (const [index, about] of [1, 2, 4, 8, 16, 32, 60, 60, 60].entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(about * 750);
    expect(waits[index]).toBeLessThan(about * 1250);
  }
});

it('says nothing of one attempt that failed', async () => {
  let failures = 1;
  segment.write(of('a'));
  const { got, recorded } = run(() => (failures-- > 0 ? new Error('ECONNRESET') : 0));
  await vi.waitFor(() => expect(got).toEqual(['a']));
  expect(recorded).toEqual([]);
});

it('loses only the event that is refused for good, and puts that on record', async () => {
  segment.write(of('a'), of('b'), of('poison'), of('c'), of('d'));
  const { got, recorded, reports } = run((names) => (names.includes('poison') ? new Refused('400') : 0));
  await vi.waitFor(() => expect(got).toEqual(['a', 'b', 'c', 'd']));
  expect(recorded).toEqual([
    { action: 'dropped', count: 1, detail: 'the receiver refused it: 400', kind: 'sink', sink: 'soc' },
  ]);
  await vi.waitFor(() => expect(sum(reports, 'dropped')).toBe(1));
});

it('puts on record what was removed before it was sent', async () => {
  segment.write(of('a'));
  const folder = join(root, String(count));
  const name = '20260101T000000.000Z-1';
  const next = new SegmentOnDisk(join(folder, '20260101T000001.000Z-1.jsonl'));
  next.write(of('b'));
  rmSync(segment.file);
  writeFileSync(join(folder, `${name}.tombstone`), `x\nsegment ${'0'.repeat(64)} 9 ${name}.jsonl\n`);
  const { got, recorded } = run(() => 0, { from: { 1: { segment: `${name}.jsonl`, bytes: 100, lines: 2 } } });
  await vi.waitFor(() => expect(got).toEqual(['b']));
  expect(recorded).toMatchObject([
    { action: 'dropped', count: 7, detail: expect.stringMatching(/were removed before they were sent$/) as string },
  ]);
});

it('does not put on record that the word of a lost event was lost: it would go on for ever', async () => {
  segment.write(EVENTS.at(-1) as SinkEvent, of('a'));
  const { got, recorded, reports } = run((names) => (names.includes('sink') ? new Refused('400') : 0));
  await vi.waitFor(() => expect(got).toEqual(['a']));
  await vi.waitFor(() => expect(sum(reports, 'dropped')).toBe(1));
  expect(recorded).toEqual([]);
});

it('counts what a receiver took the others of', async () => {
  segment.write(of('a'), of('b'), of('c'));
  const { recorded, reports } = run(() => 2);
  await vi.waitFor(() => expect(sum(reports, 'delivered')).toBe(1));
  expect(recorded).toMatchObject([{ action: 'dropped', count: 2 }]);
});

it('drops the oldest events that its spool does not hold, says how many, and goes on with the rest', async () => {
  let isDown = true;
  segment.write(of('first'));
  const { got, recorded, reports } = run(() => (isDown ? new Error('down') : 0), { spool: 1_500_000 });
  await vi.waitFor(() => expect(recorded).toMatchObject([{ action: 'failing' }]));
  for (let index = 0; index < 100; index++)
    segment.write(denial({ exchange: `x${index}`, detail: 'd'.repeat(30_000) }));
  await vi.waitFor(() => expect(recorded.some(({ action }) => action === 'dropped')).toBe(true));
  isDown = false;
  await vi.waitFor(() => expect(got.at(-1)).toBe('x99'));
  await vi.waitFor(() => expect(reports.at(-1)?.behind).toBe(0));
  const dropped = recorded.reduce(
    (total, { action, count: lost = 0 }) => (action === 'dropped' ? total + lost : total),
    0,
  );
  expect(dropped).toBeGreaterThan(10);
  expect(dropped + got.length).toBe(101);
  expect(sum(reports, 'dropped')).toBe(dropped);
});
