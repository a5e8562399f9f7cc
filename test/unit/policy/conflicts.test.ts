import { expect, it } from 'vitest';
import { HASH, loadFiles } from '../../support/policy.ts';

const problems = (text: string): string[] => loadFiles({ 'a.yaml': text }).problems.map((problem) => problem.message);
const token = `token: "sha256:${HASH}"`;

it('a certificate can be one agent only', () => {
  expect(
    problems(
      'version: 1\nagents:\n  a: { identity: { certificate: CN=x } }\n  b: { identity: { certificate: CN=x } }\n',
    ),
  ).toEqual(['the certificate "CN=x" is also that of agent "a"']);
});

it('an address can be one agent only', () => {
  expect(
    problems(
      'version: 1\nagents:\n  a: { identity: { networks: [10.0.0.0/8] } }\n  b: { identity: { networks: [10.1.0.0/16] } }\n',
    ),
  ).toEqual(['the source network 10.1.0.0/16 is also that of agent "a"']);
  expect(
    problems(
      'version: 1\nagents:\n  a: { identity: { networks: [10.0.0.0/16] } }\n  b: { identity: { networks: [10.1.0.0/16] } }\n',
    ),
  ).toEqual([]);
});

it('a token can be one agent only', () => {
  expect(problems(`version: 1\nagents:\n  a: { identity: { ${token} } }\n  b: { identity: { ${token} } }\n`)).toEqual([
    'agent "a" has the same token',
  ]);
});

it('a deny of everybody makes an own rule unreachable; a narrower one does not', () => {
  expect(
    problems(
      `version: 1\ndefaults: { deny: ["* https://**.evil.test/**"] }\nagents:\n  a: { identity: { ${token} }, allow: ["GET https://x.evil.test/"] }\n`,
    ),
  ).toEqual(['"GET https://x.evil.test/" can never be used: a deny covers it']);
  expect(
    problems(
      `version: 1\ndefaults: { deny: ["POST https://**.evil.test/**"] }\nagents:\n  a: { identity: { ${token} }, allow: ["* https://x.evil.test/"] }\n`,
    ),
  ).toEqual([]);
});

it('patterns that meet and disagree are found, patterns that never meet are not', () => {
  const rules = (x: string, y: string): string =>
    `version: 1\nagents:\n  a: { identity: { ${token} }, capabilities: [x, y] }\ncapabilities:\n  x: { mode: warn, endpoints: ["GET https://a.test${x}"] }\n  y: { mode: enforce, endpoints: ["GET https://a.test${y}"] }\n`;
  expect(problems(rules('/a/*/c', '/*/b/c'))).toHaveLength(1);
  expect(problems(rules('/a/*/c', '/b/*/c'))).toEqual([]);
});
