import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  PARTS,
  addExact,
  addPart,
  distinctRoom,
  exactRoom,
  liveRoom,
  partOf,
  partsRoom,
  removeExact,
  type DistinctState,
  type ExactState,
  type PartsState,
} from '../../../src/limits/window.ts';

/** Most that was admitted in any window (t − W, t]. */
function busiest(events: ReadonlyArray<readonly [at: number, amount: number]>, window: number): number {
  let most = 0;
  for (const [end] of events) {
    const sum = events.reduce((total, [at, amount]) => (at > end - window && at <= end ? total + amount : total), 0);
    most = Math.max(most, sum);
  }
  return most;
}

const gaps = fc.array(fc.nat(400), { minLength: 1, maxLength: 150 });

describe('exactRoom()', () => {
  it('never lets more than N through in any window, and never fewer than it could', () => {
    fc.assert(
      fc.property(
        gaps,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1000, max: 3000 }),
        (steps, limit, window) => {
          const state: ExactState = { entries: [] };
          const admitted: Array<[number, number]> = [];
          let now = 1_000_000;
          for (const step of steps) {
            now += step;
            const inWindow = admitted.filter(([at]) => at > now - window).length;
            const { left, wait } = exactRoom(state, limit, window, now);
            expect([left, wait > 0]).toEqual([limit - inWindow, inWindow === limit]);
            if (wait > 0) {
              // What it says of when there is room is true to the millisecond.
              expect(exactRoom(structuredClone(state), limit, window, now + wait - 1).wait).toBe(1);
              expect(exactRoom(structuredClone(state), limit, window, now + wait).wait).toBe(0);
              continue;
            }
            addExact(state, now, String(admitted.length));
            admitted.push([now, 1]);
          }
          expect(busiest(admitted, window)).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });

  it('forgets what is taken back', () => {
    const state: ExactState = { entries: [] };
    addExact(state, 1, 'a');
    addExact(state, 2, 'b');
    removeExact(state, 'a');
    removeExact(state, 'nobody');
    expect(state.entries).toEqual([{ at: 2, id: 'b' }]);
  });

  it('keeps its order when a clock steps back, and counts what seems to lie ahead', () => {
    const state: ExactState = { entries: [] };
    for (const at of [50, 10, 30]) addExact(state, at, String(at));
    expect(state.entries.map(({ at }) => at)).toEqual([10, 30, 50]);
    expect(exactRoom(state, 3, 1000, 20).wait).toBe(990);
  });
});

describe('partsRoom()', () => {
  it('never lets more than N through in any window', () => {
    const amounts = fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 400 })), { minLength: 1, maxLength: 150 });
    fc.assert(
      fc.property(
        amounts,
        fc.integer({ min: 1001, max: 5000 }),
        fc.integer({ min: 1000, max: 4000 }),
        (steps, limit, window) => {
          const state: PartsState = { parts: new Map() };
          const admitted: Array<[number, number]> = [];
          let now = 1_000_000;
          for (const [step, amount] of steps) {
            now += step;
            const { left, wait } = partsRoom(state, limit, window, now, amount);
            if (wait > 0) {
              expect(left).toBeLessThan(amount);
              const copy = structuredClone(state);
              expect(partsRoom(copy, limit, window, now + wait, amount).wait).toBe(0);
              continue;
            }
            addPart(state, partOf(now, window), amount);
            admitted.push([now, amount]);
          }
          expect(busiest(admitted, window)).toBeLessThanOrEqual(limit);
        },
      ),
    );
  });

  it('lets at most one percent less through than it could, for as long as somebody asks', () => {
    const window = 60_000;
    const limit = 100_000;
    const state: PartsState = { parts: new Map() };
    let sum = 0;
    const rounds = 10;
    for (let now = 1_000_000; now < 1_000_000 + rounds * window; now += 37) {
      const { left } = partsRoom(state, limit, window, now, 1);
      if (left === 0) continue;
      addPart(state, partOf(now, window), left);
      sum += left;
    }
    expect(sum).toBeLessThanOrEqual(limit * (rounds + 1));
    expect(sum).toBeGreaterThanOrEqual(limit * rounds * 0.99);
  });

  it('forgets old parts, and what is taken back', () => {
    const state: PartsState = { parts: new Map() };
    addPart(state, partOf(1_000_000, 1000), 5);
    addPart(state, partOf(1_000_000, 1000), -5);
    expect(state.parts.size).toBe(0);
    addPart(state, partOf(1_000_000, 1000), 5);
    partsRoom(state, 10, 1000, 1_000_000 + Math.ceil((1000 * (PARTS + 2)) / PARTS), 1);
    expect(state.parts.size).toBe(0);
  });
});

describe('distinctRoom()', () => {
  it('never lets more than N different members through in any window', () => {
    const uses = fc.array(fc.tuple(fc.nat(300), fc.constantFrom(...'abcdefgh')), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(uses, fc.integer({ min: 1, max: 4 }), (steps, limit) => {
        const window = 1000;
        const state: DistinctState = { uses: new Map() };
        const admitted: Array<[number, string]> = [];
        let now = 1_000_000;
        for (const [step, member] of steps) {
          now += step;
          const { wait } = distinctRoom(state, limit, window, now, member);
          if (wait > 0) {
            expect(distinctRoom(structuredClone(state), limit, window, now + wait, member).wait).toBe(0);
            continue;
          }
          state.uses.set(member, now);
          admitted.push([now, member]);
        }
        for (const [end] of admitted) {
          const seen = new Set(admitted.filter(([at]) => at > end - window && at <= end).map(([, member]) => member));
          expect(seen.size).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });
});

describe('liveRoom()', () => {
  it('gives places back that nobody spoke up for', () => {
    const state = {
      leases: new Map([
        ['a', 1000],
        ['b', 2000],
      ]),
    };
    expect(liveRoom(state, 2, 999)).toEqual({ left: 0, wait: 1000 });
    expect(liveRoom(state, 2, 1000)).toEqual({ left: 1, wait: 0 });
  });
});
