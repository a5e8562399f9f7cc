import { expect, it } from 'vitest';
import { remedyFor } from '../../../src/policy/remedy.ts';
import { request } from '../../support/policy.ts';

it('a remedy never allows more than was asked: a star in the path has none', () => {
  const { target } = request('GET', 'https://a.test/');
  expect(remedyFor('bot', 'GET', target, '/x', false)).toBe(
    'agents:\n  bot:\n    allow:\n      - GET https://a.test/x\n',
  );
  expect(remedyFor('bot', 'GET', target, '/a*', false)).toBe('');
  expect(remedyFor('bot', 'GET', target, "/it's", false)).toContain('"GET https://a.test/it\'s"');
});
