import { expect, it } from 'vitest';
import { ruleText } from '../../../src/model/decision.ts';
import { nearRules } from '../../../src/policy/near.ts';
import { factsOfRequest } from '../../../src/policy/request.ts';
import { botPolicy } from '../../support/policy.ts';

const policy = botPolicy(`    allow:
      - GET https://a.test/ok/**
      - GET https://a.test/ok/exact
      - POST https://a.test/ok/**
      - POST https://a.test/other
      - { host: a.test, methods: [GET], paths: [/ok/**], query: { q: x } }
      - GET https://elsewhere.test/**
    deny:
      - '* https://a.test/ok/secret/**'
`);

it('tells the rules for a host, those that fit best first, and where the request is not what they say', () => {
  const facts = factsOfRequest({
    agent: 'bot',
    method: 'GET',
    url: 'https://a.test/ok/exact',
    headers: [],
    body: { kind: 'none' },
  });
  if (!facts.ok) throw new Error(facts.message);
  const near = nearRules(facts.value, policy).map(({ rule, kind, differs }) => [
    ruleText(rule).replace(/^.*?:\d+: /, ''),
    kind,
    ...differs,
  ]);
  expect(near).toEqual([
    [expect.stringContaining('GET https://a.test/ok/**'), 'allow'],
    [expect.stringContaining('GET https://a.test/ok/exact'), 'allow'],
    [expect.stringContaining('https://a.test/ok/secret/**'), 'deny', 'path'],
    [expect.stringContaining('POST https://a.test/ok/**'), 'allow', 'method'],
    [expect.stringContaining('a.test'), 'allow', 'more'],
    [expect.stringContaining('POST https://a.test/other'), 'allow', 'path', 'method'],
  ]);
  expect(nearRules({ ...facts.value, agent: 'nobody' }, policy)).toEqual([]);
});
