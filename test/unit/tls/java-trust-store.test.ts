import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { javaTrustStore } from '../../../src/tls/java-trust-store.ts';

it('javaTrustStore() writes magic, version, entries and the check sum of an empty password', () => {
  const store = javaTrustStore([Buffer.from('one'), Buffer.from('second')], new Date(1));
  const body = store.subarray(0, -20);
  expect(store.toString('hex', 0, 12)).toBe('feedfeed0000000200000002');
  expect(body.toString('latin1', 12)).toBe(
    '\0\0\0\x02\0\x06root-0\0\0\0\0\0\0\0\x01\0\x05X.509\0\0\0\x03one' +
      '\0\0\0\x02\0\x06root-1\0\0\0\0\0\0\0\x01\0\x05X.509\0\0\0\x06second',
  );
  expect(store.subarray(-20)).toEqual(createHash('sha1').update('Mighty Aphrodite').update(body).digest());
});
