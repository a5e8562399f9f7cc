import { expect, it } from 'vitest';
import { Pending } from '../../../src/audit/pending.ts';

const make = (): Pending => new Pending((count) => `dropped ${count}`);
const waiter = (index: number) => ({ index, resolve: () => undefined, reject: () => undefined });

it('gives events in order, as many as fit, and says who waited for those that are written', () => {
  const pending = make();
  const waiters = ['aaaa', 'bbbb', 'cccc'].map((text) => waiter(pending.add(text)));
  for (const each of waiters) pending.wait(each);
  expect(pending.take(8)).toEqual(['aaaa', 'bbbb']);
  expect(pending.written(2)).toEqual(waiters.slice(0, 2));
  expect(waiters[2]?.index).toBe(0);
  expect(pending.take(8)).toEqual(['cccc']);
  expect(pending.written(1)).toEqual([waiters[2]]);
  expect([pending.take(8), pending.size]).toEqual([null, 0]);
});

it('gives one that is longer than what is asked for by itself', () => {
  const pending = make();
  pending.add('a'.repeat(100));
  pending.add('b');
  expect(pending.take(10)).toEqual(['a'.repeat(100)]);
});

it('puts what comes first before those that are waited for', () => {
  const pending = make();
  const waiting = waiter(pending.add('b'));
  pending.wait(waiting);
  pending.addFirst('a');
  expect(pending.take(10)).toEqual(['a', 'b']);
  pending.written(1);
  expect(waiting.index).toBe(0);
});

it('gives up those who wait, with their events, and nothing that has happened', () => {
  const pending = make();
  const waiting = waiter(pending.add('asked'));
  pending.wait(waiting);
  pending.addOrDrop('happened');
  expect(pending.giveUp()).toEqual([waiting]);
  expect(pending.take(100)).toEqual(['happened']);
});

it('counts what it has no room for, and tells it once there is nothing else to tell', () => {
  const pending = make();
  for (let count = 0; count < 20_003; count++) pending.addOrDrop('x');
  expect([pending.isFull, pending.size]).toEqual([true, 20_000]);
  pending.written((pending.take(Infinity) as readonly string[]).length);
  expect(pending.take(10)).toEqual(['dropped 3']);
  pending.written(1);
  expect(pending.take(10)).toBeNull();
});
