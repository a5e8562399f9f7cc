import { expect, it } from 'vitest';
import { RuleError, below } from '../../../src/policy/parsed.ts';

it('below() leads to where a mistake is, and leaves faults alone', () => {
  const mistake = (): never => {
    throw new RuleError('wrong', ['c']);
  };
  const fault = new TypeError('a bug');
  expect(() => below('a', () => below('b', mistake))).toThrow(expect.objectContaining({ at: ['a', 'b', 'c'] }));
  expect(() =>
    below('a', () => {
      throw fault;
    }),
  ).toThrow(fault);
  expect(below('a', () => 5)).toBe(5);
});
