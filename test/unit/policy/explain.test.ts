import { expect, it } from 'vitest';
import { decide } from '../../../src/policy/decide.ts';
import { explain } from '../../../src/policy/explain.ts';
import { botPolicy, request } from '../../support/policy.ts';

it('explain() says verdict, rule and remedy, and no query value', () => {
  const policy = botPolicy('    allow: ["GET https://a.test/x"]\n');
  const allowed = request('GET', 'https://a.test/x?key=value');
  expect(explain(allowed, decide(allowed, policy))).toBe(
    'ALLOW  GET https://a.test/x?…\nagent     bot (enforce)\nrule      rules/a.yaml:5: GET https://a.test/x',
  );
  const denied = request('GET', 'https://b.test/');
  expect(explain(denied, decide(denied, policy))).toMatch(
    /^DENY {3}GET https:\/\/b\.test\/\n[\s\S]*host-not-allowed[\s\S]*- GET https:\/\/b\.test\/$/,
  );
});
