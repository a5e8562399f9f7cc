import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Coalescer } from '../../../../src/audit/delivery/coalesce.ts';
import type { Cursor } from '../../../../src/audit/delivery/event.ts';
import { denial, sent } from './support.ts';

const at = (bytes: number): Cursor => ({ 1: { segment: 'a.jsonl', bytes, lines: 1 } });
const of = (agent: string, host = 'api.test') => sent(denial({ agent, host }));

it('tells of the first event of a cause at once, and of the others together when their time has come', () => {
  const coalescer = new Coalescer(1000);
  const [first] = coalescer.add([of('bot'), of('bot', 'b.test'), of('bot', 'c.test')], at(0), 0);
  expect(first).toMatchObject({ count: 1, hosts: ['api.test'], again: null });
  expect(coalescer.add([of('bot', 'c.test')], at(1), 500)).toEqual([]);
  expect(coalescer.wait(500)).toBe(500);
  expect(coalescer.due(999)).toEqual([]);
  expect(coalescer.due(1000)).toMatchObject([{ count: 3, hosts: ['b.test', 'c.test'], hostCount: 2, again: 1000 }]);
  // The next window begins then, and what is quiet for one is told of at once again.
  expect(coalescer.add([of('bot')], at(2), 1500)).toEqual([]);
  expect(coalescer.due(2000)).toMatchObject([{ count: 1 }]);
  expect(coalescer.due(3000)).toEqual([]);
  expect(coalescer.wait(3000)).toBeNull();
  expect(coalescer.add([of('bot')], at(3), 3500)).toHaveLength(1);
});

it('keeps the place of the first event that nobody was told of', () => {
  const coalescer = new Coalescer(1000);
  coalescer.add([of('bot'), of('cat')], at(0), 0);
  expect(coalescer.untold).toBeNull();
  coalescer.add([of('cat')], at(10), 1);
  coalescer.add([of('bot'), of('cat')], at(20), 2);
  expect(coalescer.untold).toEqual(at(10));
  coalescer.due(1000);
  expect(coalescer.untold).toBeNull();
});

it('names some hosts and counts the others, however many there are', () => {
  const coalescer = new Coalescer(1000);
  coalescer.add([of('bot')], at(0), 0);
  const many = Array.from({ length: 1500 }, (_, index) => of('bot', `h${index}.test`));
  coalescer.add(many, at(1), 1);
  const [digest] = coalescer.due(1000);
  expect(digest).toMatchObject({ count: 1500, hostCount: 1500 });
  expect(digest?.hosts).toHaveLength(5);
});

it('tells of each event by itself where nothing is to be counted', () => {
  const coalescer = new Coalescer(0);
  expect(coalescer.add([of('bot'), of('bot')], at(0), 0)).toHaveLength(2);
  expect(coalescer.untold).toBeNull();
});

it('tells of every event once, whenever it comes', () => {
  const steps = fc.array(fc.record({ agent: fc.constantFrom('a', 'b', 'c'), wait: fc.nat(900) }), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (all) => {
      const coalescer = new Coalescer(1000);
      let now = 0;
      let told = 0;
      for (const [index, { agent, wait }] of all.entries()) {
        now += wait;
        for (const { count } of [...coalescer.due(now), ...coalescer.add([of(agent)], at(index), now)]) told += count;
      }
      for (const { count } of coalescer.due(now + 1000)) told += count;
      expect(told).toBe(all.length);
      expect(coalescer.untold).toBeNull();
    }),
  );
});
