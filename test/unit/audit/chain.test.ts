import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { GENESIS, HEADROOM, readSeal, sealInPlace, sealLine, sealOf } from '../../../src/audit/chain.ts';

const expected = createHash('sha256')
  .update(`${'0'.repeat(64)}\n{"n":1}\n`)
  .digest('hex');

it('a seal hashes the seal before it and the bytes it covers', () => {
  expect(sealOf(GENESIS, Buffer.from('{"n":1}\n'))).toBe(expected);
  const buffer = Buffer.concat([Buffer.alloc(HEADROOM), Buffer.from('{"n":1}\n')]);
  expect(sealInPlace(GENESIS, buffer)).toBe(expected);
});

it('a seal line says how many events it covers, and no other line reads as one', () => {
  const line = sealLine(3, expected);
  expect(JSON.parse(line)).toEqual({ events: 3, hash: expected, kind: 'seal' });
  expect(readSeal(line.trimEnd())).toEqual({ events: 3, hash: expected });
  expect(readSeal('{"kind":"outcome"}')).toBeNull();
  expect(readSeal(line.trimEnd().replace('3', '0'))).toBeNull();
});
