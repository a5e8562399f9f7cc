import { expect, it } from 'vitest';
import { boolean, contextPrimitive, integer, oid, pem, sequence, time } from '../../../src/tls/der.ts';

const hex = (bytes: Buffer): string => bytes.toString('hex');

it('writes the shortest form', () => {
  expect(hex(integer(Buffer.from([0, 0, 0x7f])))).toBe('02017f');
  expect(hex(integer(Buffer.from([0x80])))).toBe('02020080');
  expect(hex(integer(Buffer.from([0])))).toBe('020100');
  expect(hex(oid('1.2.840.10045.4.3.2'))).toBe('06082a8648ce3d040302');
  expect(hex(boolean(true))).toBe('0101ff');
  expect(hex(sequence(Buffer.alloc(200))).slice(0, 6)).toBe('3081c8');
  expect(hex(sequence(Buffer.alloc(300))).slice(0, 8)).toBe('3082012c');
  expect(hex(contextPrimitive(2, Buffer.from('a')))).toBe('820161');
});

it('writes UTCTime to 2049 and GeneralizedTime after', () => {
  expect(time(new Date('2049-12-31T23:59:59Z')).toString('latin1')).toContain('491231235959Z');
  expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1')).toContain('20500101000000Z');
});

it('PEM has no blank line, also at multiples of 48 bytes', () => {
  for (const size of [47, 48, 49, 96]) expect(pem('X', Buffer.alloc(size))).not.toMatch(/\n\n/);
});
