import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { isSigned, signatureOf } from '../../../../src/audit/delivery/signature.ts';

const KEY = 'a key of the test';
const BODY = '{"version":1}';

it('is what any other HMAC-SHA256 of time and body is', () => {
  const mac = execFileSync('openssl', ['dgst', '-sha256', '-hmac', KEY], { input: `1700000000.${BODY}` });
  expect(signatureOf(BODY, KEY, 1_700_000_000)).toBe(`t=1700000000,v1=${String(mac).trim().split(' ').at(-1)}`);
});

it.each<[string, string, number, string]>([
  ['another body', '{"version":2}', 0, KEY],
  ['another key', BODY, 0, 'another'],
  ['an old request', BODY, 301, KEY],
  ['a request from the future', BODY, -301, KEY],
])('does not hold for %s', (_what, body, later, key) => {
  const signature = signatureOf(BODY, KEY, 1000);
  expect(isSigned(BODY, signature, KEY, 1000)).toBe(true);
  expect(isSigned(body, signature, key, 1000 + later)).toBe(false);
});

it('does not hold where it is none', () => {
  expect(isSigned(BODY, 'v1=00', KEY, 0)).toBe(false);
});
