import { expect, it } from 'vitest';
import { MODES } from '../../../src/model/mode.ts';

it('the modes are the three of the rollout, mildest first', () => {
  expect(MODES).toEqual(['observe', 'warn', 'enforce']);
});
