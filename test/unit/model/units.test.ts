import { describe, expect, it } from 'vitest';

import { parseDuration, parseRate, parseSize } from '../../../src/model/units.ts';

describe('units', () => {
  it.each([
    ['1 MiB', 1_048_576],
    ['1MiB', 1_048_576],
    ['1.5 KiB', 1536],
    ['10 KB', 10_000],
    ['4096', 4096],
    ['0', 0],
  ])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
  it.each([
    ['10s', 10_000],
    ['5 m', 300_000],
    ['250ms', 250],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('%s is %i milliseconds', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });
  it.each(['', '-1s', '1x', 's', '1 s s', '1e3s'])('%j is no duration', (text) => {
    expect(parseDuration(text)).toBeNull();
  });
  it.each(['', '1 mib', 'MiB', '1 M'])('%j is no size', (text) => {
    expect(parseSize(text)).toBeNull();
  });
  it('a duration needs its unit', () => {
    expect(parseDuration('10')).toBeNull();
  });
});

describe('parseRate()', () => {
  it.each([
    ['600/minute', { count: 600, window: 60_000 }],
    ['1 / second', { count: 1, window: 1000 }],
    ['10/day', { count: 10, window: 86_400_000 }],
  ])('%s', (text, rate) => expect(parseRate(text)).toEqual(rate));
  it.each(['0/minute', '-1/minute', '1.5/minute', '5/fortnight', '5', 'minute', ''])('%j is no rate', (text) =>
    expect(parseRate(text)).toBeNull(),
  );
});
