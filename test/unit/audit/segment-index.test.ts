import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Search, type Wanted } from '../../../src/audit/search.ts';
import { IndexBuilder, placesOf, type SegmentIndex } from '../../../src/audit/segment-index.ts';
import type { AuditEvent } from '../../../src/model/audit-event.ts';
import { OUTCOME } from './support.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

function indexOf(bytes: Buffer, piece = 10_000): SegmentIndex {
  const builder = new IndexBuilder();
  for (let at = 0; at < bytes.length; at += piece) builder.push(bytes.subarray(at, at + piece));
  return builder.end();
}

/** Lines that are long enough for a segment to have several blocks. */
function linesOf(events: readonly AuditEvent[]): Buffer {
  return Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

const found = (bytes: Buffer, wanted: Wanted): string[] => [...new Search(wanted).in(bytes)].map(({ line }) => line);

const outcome = fc
  .record({
    agent: fc.constantFrom('bot', 'cat', 'd"g', 'é'),
    host: fc.constantFrom('a.test', 'b.test', 'c.test'),
    reason: fc.option(fc.constantFrom('host-not-allowed', 'secret-found'), { nil: undefined }),
    session: fc.option(fc.constantFrom('s-1', 's-2'), { nil: undefined }),
    exchange: fc.constantFrom('gate-1', 'gate-2', 'gate-17', 'other-3', 'odd'),
    minutes: fc.nat(1000),
    findings: fc.boolean(),
    // What looks like a member and is a text.
    detail: fc.constantFrom('', '","agent":"cat', '\\"host\\":\\"b.test'),
    padding: fc.nat(30_000),
  })
  .map(({ minutes, findings, padding, detail, ...said }) => {
    const event = { ...OUTCOME, ...said, detail, time: new Date(START + minutes * 60_000).toISOString() };
    const all = { ...event, ...(findings ? { findings: [{ severity: 'low' }] } : {}), z: 'x'.repeat(padding) };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as unknown as AuditEvent;
  });

const wanted = fc.record(
  {
    agent: fc.constantFrom('bot', 'd"g', 'é', 'nobody'),
    host: fc.constantFrom('a.test', 'none.test'),
    reason: fc.constantFrom('host-not-allowed', 'secret-found'),
    session: fc.constantFrom('s-1', 's-9'),
    exchange: fc.constantFrom('gate-1', 'gate-17', 'gate-3', 'odd', 'none-1'),
    findings: fc.constant(true),
    since: fc.nat(1000).map((minutes) => START + minutes * 60_000),
    until: fc.nat(1000).map((minutes) => START + minutes * 60_000),
  },
  { requiredKeys: [] },
);

it('leaves nothing out that is wanted, wherever it stands', () => {
  fc.assert(
    fc.property(
      fc.array(outcome, { maxLength: 40 }),
      wanted,
      fc.integer({ min: 1, max: 200_000 }),
      (events, what, piece) => {
        const bytes = linesOf(events);
        const index = indexOf(bytes, piece);
        const there = placesOf(index, what).flatMap(([from, to]) => found(bytes.subarray(from, to), what));
        expect(there).toEqual(found(bytes, what));
      },
    ),
    { numRuns: 200 },
  );
});

it('leaves out blocks in which nothing can be', () => {
  const events = Array.from({ length: 2000 }, (_, count) => ({
    ...OUTCOME,
    agent: count === 1500 ? 'rare' : 'bot',
    exchange: `gate-${count}`,
    time: new Date(START + count * 1000).toISOString(),
  }));
  const bytes = linesOf(events);
  const index = indexOf(bytes);
  const read = (what: Wanted): number => placesOf(index, what).reduce((sum, [from, to]) => sum + to - from, 0);
  expect(index.size).toBe(bytes.length);
  expect(read({ agent: 'bot' })).toBe(bytes.length);
  expect(read({ agent: 'nobody' })).toBe(0);
  const block = bytes.length / index.blocks.length;
  expect(read({ agent: 'rare' })).toBeLessThan(block * 2);
  expect(read({ exchange: 'gate-700' })).toBeLessThan(block * 2);
  expect(read({ exchange: 'gate-9999' })).toBe(0);
  expect(read({ until: START + 1000 })).toBeLessThan(block * 2);
  expect(read({ since: START + 1e9 })).toBe(0);
  expect(JSON.stringify(index).length).toBeLessThan(bytes.length / 100);
});

it('tells by no member that has too many values, and leaves nothing out for it', () => {
  const events = Array.from({ length: 21_000 }, (_, count) => ({ ...OUTCOME, host: `h${count}.test` }));
  const bytes = linesOf(events);
  const index = indexOf(bytes, 1e6);
  expect(index.untold).toEqual(['host']);
  expect(Object.keys(index.terms).some((term) => term.startsWith('host='))).toBe(false);
  expect(placesOf(index, { host: 'h20999.test' })).toEqual([[0, bytes.length]]);
});

it('is about whole lines', () => {
  const bytes = Buffer.concat([linesOf([OUTCOME]), Buffer.from('{"torn')]);
  expect(indexOf(bytes).size).toBe(bytes.length - 6);
  expect(indexOf(Buffer.alloc(0))).toMatchObject({ size: 0, blocks: [] });
});
