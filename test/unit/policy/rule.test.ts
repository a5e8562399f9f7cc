import { expect, it } from 'vitest';
import { parseEndpoint } from '../../../src/policy/endpoint.ts';
import { obligationKey, outranks, rankOf, type RankedRule } from '../../../src/policy/rule.ts';

const ranked = (text: string): RankedRule => {
  const parsed = parseEndpoint(text);
  if (!parsed.ok) throw new Error(parsed.message);
  const endpoint = parsed.value;
  const path = endpoint.paths[0];
  if (path === undefined) throw new Error('no path');
  return {
    rule: {
      endpoint,
      text,
      place: { file: 'a', line: 1, column: 1 },
      capability: null,
      mode: null,
      networks: [],
      limits: [],
      scan: null,
      transcript: false,
    },
    path,
    rank: rankOf(endpoint, path),
  };
};

it('rank by host, then literal path, then named method', () => {
  const order = [
    'GET https://a.test/abc',
    '* https://a.test/abc',
    'GET https://a.test/a**'.replace('a**', 'a*'),
    'GET https://a.test/**',
    'GET https://*.test/abcdef',
    'GET https://**/abcdef',
  ].map(ranked);
  for (const [index, rule] of order.slice(1).entries()) expect(outranks(order[index] as RankedRule, rule)).toBe(true);
});

it('a tie is broken by text, not by order', () => {
  const [a, b] = [ranked('GET https://a.test/x*'), ranked('GET https://a.test/*x')];
  expect(outranks(a, b)).toBe(!outranks(b, a));
});

it('obligations are what two rules may disagree on', () => {
  const { rule } = ranked('GET https://a.test/');
  expect(obligationKey({ ...rule, mode: 'warn', networks: ['x'] })).toBe('warn|x|-|true|-');
});
