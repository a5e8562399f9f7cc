import { METHODS as NODE } from 'node:http';
import { expect, it } from 'vitest';
import { METHODS, isMethod } from '../../../src/model/method.ts';

it('isMethod() takes the methods that llhttp knows, in their own case', () => {
  expect(['GET', 'M-SEARCH', 'get', '', 'G T', 'FOO'].map(isMethod)).toEqual([true, true, false, false, false, false]);
  expect([...METHODS].filter((method) => !NODE.includes(method))).toEqual([]);
});
