import { expect, it } from 'vitest';
import { placeText, ruleText } from '../../../src/model/decision.ts';

it('rules are named by place, text and capability', () => {
  const place = { file: 'rules/a.yaml', line: 3, column: 7 };
  expect(placeText(place)).toBe('rules/a.yaml:3');
  expect(ruleText({ text: 'GET https://a/', place, capability: null })).toBe('rules/a.yaml:3: GET https://a/');
  expect(ruleText({ text: 'GET https://a/', place, capability: 'x.read' })).toBe(
    'rules/a.yaml:3: GET https://a/ (x.read)',
  );
});
