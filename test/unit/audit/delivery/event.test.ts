import { expect, it } from 'vitest';
import { Refused } from '../../../../src/audit/delivery/event.ts';

it('tells what is refused for good by its class', () => {
  const refused: Error = new Refused('no');
  expect(refused).toBeInstanceOf(Refused);
  expect(refused.name).toBe('Refused');
  expect(new Error('no')).not.toBeInstanceOf(Refused);
});
