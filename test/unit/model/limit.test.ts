import { describe, expect, it } from 'vitest';
import { limitForm, parseLimit, type LimitKind } from '../../../src/model/limit.ts';

describe('parseLimit()', () => {
  it.each<[LimitKind, string, number, number]>([
    ['requests', '600/minute', 600, 60_000],
    ['requests', '10/5m', 10, 300_000],
    ['requests', ' 200k / day ', 200_000, 86_400_000],
    ['hosts', '20/hour', 20, 3_600_000],
    ['upload', '20 MiB/hour', 20 * 1024 * 1024, 3_600_000],
    ['download', '1.5 GB/day', 1_500_000_000, 86_400_000],
    ['concurrency', '32', 32, 0],
  ])('%s: %s', (kind, text, count, window) => {
    expect(parseLimit(kind, text)).toEqual({ kind, count, window, text });
    expect(limitForm(kind)).not.toBe('');
  });

  it.each<[LimitKind, string]>([
    ['requests', '600'],
    ['requests', '0/minute'],
    ['requests', '1.5/minute'],
    ['requests', '-1/minute'],
    ['requests', '1/fortnight'],
    ['requests', '1/minute/hour'],
    ['requests', '10 MiB/hour'],
    ['requests', '1/10ms'],
    ['requests', '1/100d'],
    ['requests', '9999999999999/day'],
    ['concurrency', '32/minute'],
    ['upload', '20 MiB'],
    ['upload', 'lots/hour'],
  ])('refuses %s: %s', (kind, text) => {
    expect(parseLimit(kind, text)).toBeNull();
  });
});
