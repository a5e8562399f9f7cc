import { expect, it } from 'vitest';
import { problemsOf } from '../../support/policy.ts';

it('a mistake in a union is told as the branch its author meant', () => {
  const [problem] = problemsOf('version: 1\ncapabilities:\n  c:\n    endpoints:\n      - { host: 5 }\n');
  expect(problem).toContain('a.yaml:5:17: error: "host" must be text');
});

it('a name that is none is shown where it stands', () => {
  expect(problemsOf('version: 1\nagents:\n  "a b": {}\n')[0]).toContain('a.yaml:3:3: error: "a b" is not a name');
});
