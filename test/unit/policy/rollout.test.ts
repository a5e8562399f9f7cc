import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MIN_REQUESTS, denyRate, isPicked, tallyText, verdictOn, type Tally } from '../../../src/policy/rollout.ts';

const TERMS = { share: 0.1, duration: 1000, denyRate: 0.05 };
const of = (denied: number, requests: number): Tally => ({ denied, requests });

describe('isPicked()', () => {
  it('picks its share of sessions, others for other rules, and the same ones each time', () => {
    const sessions = Array.from({ length: 10_000 }, (_, index) => `agent-${index} 10.0.0.1`);
    const picked = (generation: string): string[] => sessions.filter((each) => isPicked(each, generation, 0.1));
    const first = picked('aaaa');
    expect(first.length).toBeGreaterThan(850);
    expect(first.length).toBeLessThan(1150);
    expect(picked('aaaa')).toEqual(first);
    const others = new Set(picked('bbbb'));
    expect(first.filter((each) => others.has(each)).length).toBeLessThan(200);
  });

  it('picks all of them for a share of one, and keeps who was picked when the share grows', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.double({ min: 0.001, max: 1, noNaN: true }), (session, rules, share) => {
        expect(isPicked(session, rules, 1)).toBe(true);
        if (isPicked(session, rules, share)) expect(isPicked(session, rules, Math.min(1, share * 2))).toBe(true);
      }),
    );
  });
});

describe('verdictOn()', () => {
  it.each<[string, number, Tally, Tally, Tally, ReturnType<typeof verdictOn>]>([
    ['waits while the time runs and nothing is wrong', 999, of(1, 100), of(10, 1000), of(0, 0), null],
    ['promotes when the time is over', 1000, of(1, 100), of(10, 1000), of(0, 0), 'promote'],
    ['promotes what nobody tried', 1000, of(0, 0), of(0, 0), of(0, 0), 'promote'],
    ['takes back what refuses more than it may', 1, of(7, 100), of(10, 1000), of(0, 0), 'abort'],
    ['takes it back even when the time is over', 1000, of(7, 100), of(10, 1000), of(0, 0), 'abort'],
    ['lets a rate pass that lies just at the bound', 1, of(5, 100), of(0, 1000), of(0, 0), null],
    ['says nothing of too few requests', 1, of(19, MIN_REQUESTS - 1), of(0, 1000), of(0, 0), null],
    ['says something of just enough', 1, of(19, MIN_REQUESTS), of(0, 1000), of(0, 0), 'abort'],
    ['compares with what was usual where the others are too quiet', 1, of(40, 100), of(0, 3), of(400, 1000), null],
    ['compares with nothing refused where nothing is known', 1, of(6, 100), of(0, 0), of(0, 0), 'abort'],
    ['does not mind rules that refuse less', 1, of(0, 100), of(900, 1000), of(0, 0), null],
  ])('%s', (_what, elapsed, canary, stable, before, expected) => {
    expect(verdictOn(TERMS, elapsed, canary, stable, before)).toBe(expected);
  });

  it('never takes back where nobody asked it to look', () => {
    expect(verdictOn({ ...TERMS, denyRate: null }, 1, of(100, 100), of(0, 100), of(0, 0))).toBeNull();
  });
});

it('denyRate() of no request is none', () => {
  expect([denyRate(of(0, 0)), denyRate(of(1, 4)), tallyText(of(1, 8))]).toEqual([0, 0.25, '12.5 % of 8']);
});
