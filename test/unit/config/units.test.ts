import { describe, expect, it } from 'vitest';

import { parseDuration, parseSize } from '../../../src/config/units.ts';

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
