import { expect, it } from 'vitest';
import { Http1Error } from '../../../src/http1/error.ts';

it('Http1Error is 400 unless told otherwise', () => {
  expect([new Http1Error('x').status, new Http1Error('x', 431).status]).toEqual([400, 431]);
});
