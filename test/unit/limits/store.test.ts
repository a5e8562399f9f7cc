import { expect, it } from 'vitest';
import { StoreError } from '../../../src/limits/store.ts';

it('a StoreError keeps what it came from', () => {
  const cause = new Error('x');
  expect(new StoreError('away', { cause })).toMatchObject({ name: 'StoreError', message: 'away', cause });
});
