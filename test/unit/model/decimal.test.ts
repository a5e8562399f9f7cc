import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareDecimals, isInteger } from '../../../src/model/decimal.ts';

describe('compareDecimals()', () => {
  it.each([
    ['1', '1.0', 0],
    ['100', '1e2', 0],
    ['0.1', '1E-1', 0],
    ['-0', '0', 0],
    ['0e5', '0', 0],
    ['9007199254740993', '9007199254740992', 1],
    ['0.1', '0.10000000000000000001', -1],
    ['-2', '-1', -1],
    ['-20', '-20', 0],
    ['-1', '1', -1],
    ['1e999999', '2', 1],
    ['1e-999999', '0', 1],
    ['10', '9', 1],
  ])('%s and %s', (a, b, sign) => {
    expect(Math.sign(compareDecimals(a, b) ?? Number.NaN)).toBe(sign);
    expect(Math.sign(compareDecimals(b, a) ?? Number.NaN)).toBe(sign === 0 ? 0 : -sign);
  });

  it('agrees with JavaScript where JavaScript is exact', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => {
        expect(Math.sign(compareDecimals(String(a), String(b)) ?? Number.NaN)).toBe(Math.sign(a - b));
      }),
    );
  });

  it.each(['', 'x', '1.', '.5', '0x1', '1e9999999999', ' 1', 'NaN'])('has no answer for %s', (text) => {
    expect(compareDecimals(text, '1')).toBeNull();
  });
});

describe('isInteger()', () => {
  it.each([
    ['5', true],
    ['5.0', true],
    ['5e3', true],
    ['0.5e1', true],
    ['-0', true],
    ['5.5', false],
    ['5e-1', false],
    ['x', false],
  ])('%s: %s', (text, expected) => {
    expect(isInteger(text)).toBe(expected);
  });
});
