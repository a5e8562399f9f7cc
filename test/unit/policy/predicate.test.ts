import { describe, expect, it } from 'vitest';

import { compilePredicate, fieldsHold, queryPairs } from '../../../src/policy/predicate.ts';

describe('predicates', () => {
  it.each([
    [{ equals: 'a' }, 'a', true],
    [{ equals: 1 }, '1', true],
    ['a', 'a', true],
    [1, '2', false],
    [{ 'one-of': ['a', 2] }, '2', true],
    [{ glob: '*@a.test' }, 'x@a.test', true],
    [{ glob: '*@a.test' }, 'x@a.test.evil', false],
    [{ matches: 'v[0-9]+' }, 'v12', true],
    [{ matches: 'v[0-9]+' }, 'xv12', false],
    [{ minimum: 1, maximum: 10 }, '10', true],
    [{ minimum: 1, maximum: 10 }, '1e1', false],
    [{ minimum: 1 }, 'NaN', false],
    [{ 'max-length': 3 }, 'abcd', false],
    [{ type: 'integer' }, '-12', true],
    [{ type: 'integer' }, '1.5', false],
    [{ type: 'number' }, '1.5', true],
    [{ type: 'boolean' }, 'true', true],
    [{ type: 'boolean' }, 'yes', false],
    [{ type: 'string' }, '', true],
  ] as const)('%j on %s is %s', (spec, value, holds) => {
    expect(compilePredicate(spec as never).holds(value)).toBe(holds);
  });

  it('an expression stays linear on what breaks others', () => {
    const predicate = compilePredicate({ matches: '(a+)+b' });
    expect(predicate.holds('a'.repeat(20_000))).toBe(false);
  });

  it('fieldsHold() wants every occurrence to hold, and closed means closed', () => {
    const byName = new Map([['a', compilePredicate('1')]]);
    expect(fieldsHold({ closed: false, byName }, ['a', '1', 'b', '2'], null)).toBe(true);
    expect(fieldsHold({ closed: true, byName }, ['a', '1', 'b', '2'], null)).toBe(false);
    expect(fieldsHold({ closed: true, byName }, ['a', '1', 'b', '2'], new Set(['b']))).toBe(true);
    expect(fieldsHold({ closed: false, byName }, ['a', '1', 'a', '2'], null)).toBe(false);
    expect(fieldsHold({ closed: false, byName }, [], null)).toBe(false);
  });
});

it('queryPairs() decodes once, and refuses what servers read differently', () => {
  expect(queryPairs('a=1+2&b=%26&c')).toEqual(['a', '1 2', 'b', '&', 'c', '']);
  expect(queryPairs('a=%zz')).toBeNull();
  expect(queryPairs('a=%ff')).toBeNull();
  expect(queryPairs(null)).toEqual([]);
});
