import { expect, it } from 'vitest';
import { didYouMean, suggest } from '../../../src/policy/suggest.ts';

it('suggests a slip of the finger, not a wild guess', () => {
  expect(suggest('metods', ['methods', 'paths'])).toBe('methods');
  expect(suggest('mehtods', ['methods', 'paths'])).toBe('methods');
  expect(suggest('zebra', ['methods', 'paths'])).toBeNull();
  expect(didYouMean('zebra', ['methods'])).toBe('known here: methods');
  expect(didYouMean('zebra', [])).toBe('none is defined');
});
