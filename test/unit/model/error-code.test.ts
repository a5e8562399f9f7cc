import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { errorCode } from '../../../src/model/error-code.ts';

function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

it('errorCode() is what the system said, and never the message', () => {
  expect(errorCode(thrownBy(() => readFileSync('/no/such/file')))).toBe('ENOENT');
  expect(errorCode(new Error('a path or a secret'))).toBe('unknown error');
  expect(errorCode('thrown text')).toBe('unknown error');
  expect(errorCode(null)).toBe('unknown error');
});
