import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../../src/policy/problem.ts';
import { loadTests, runTests, type LoadedTests } from '../../../src/policy/rule-tests.ts';
import { HASH } from '../../support/policy.ts';

const RULES = `version: 1
defaults:
  deny: ["* https://secret.test/**"]
agents:
  bot:
    identity: { token: "sha256:${HASH}" }
    capabilities: [mail]
    allow:
      - GET https://a.test/ok
      - { host: a.test, methods: [GET], paths: [/search], query: { q: x } }
capabilities:
  mail:
    endpoints:
      - { host: mail.test, methods: [POST], paths: [/send], body: { json: { /to: { glob: "*@acme.test" } } } }
  mirror:
    parameters: { registry: { type: origin } }
    endpoints: ["GET \${registry}/**"]
tests:
`;

function load(tests: string): LoadedTests {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-rule-tests-'));
  try {
    writeFileSync(join(folder, 'a.yaml'), RULES + tests);
    return loadTests(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(tests: string) {
  const { policy, tests: loaded, problems } = load(tests);
  if (policy === null) throw new Error(problems.map(formatProblem).join('\n'));
  return runTests(policy, loaded);
}

const ALL = `  - { name: one, agent: bot, request: GET https://a.test/ok, expect: allow }
  - { name: two, agent: bot, request: [GET https://a.test/search?q=x], expect: allow }
  - { name: three, agent: bot, request: GET https://a.test/search?q=y, expect: { decision: deny, reason: query-not-allowed } }
  - { name: four, capability: mail, request: POST https://mail.test/send, json: { to: a@acme.test }, expect: { decision: allow, capability: mail } }
  - { name: five, agent: bot, request: POST https://mail.test/send, json: { to: a@evil.test }, expect: { decision: deny, reason: body-not-allowed } }
  - { name: six, agent: bot, request: GET https://secret.test/x, expect: deny }
  - { name: seven, capability: mirror, with: { registry: https://m.test/npm }, request: GET https://m.test/npm/left-pad, expect: allow }
`;

describe('runTests()', () => {
  it('decides each request, and knows when everything has been exercised', () => {
    const { results, covered, uncovered } = run(ALL);
    expect(results.flatMap(({ failures }) => failures)).toEqual([]);
    expect(uncovered).toEqual([]);
    expect(covered.map(({ what }) => what).sort()).toEqual([
      'allow',
      'allow',
      'allow',
      'allow',
      'content',
      'deny',
      'query',
    ]);
  });

  it.each(['one', 'two', 'three', 'four', 'five', 'six', 'seven'])('misses something without test %s', (name) => {
    const without = ALL.split('\n')
      .filter((line) => !line.includes(`name: ${name},`))
      .join('\n');
    expect(run(without).uncovered.length).toBe(1);
  });

  it('says what was expected and what came', () => {
    const failures = (test: string): string =>
      run(`  - { name: x, agent: bot, ${test} }\n`).results[0]?.failures[0] ?? '';
    expect(failures('request: GET https://a.test/no, expect: allow')).toMatch(
      /^GET https:\/\/a\.test\/no: expected allow, got deny path-not-allowed/,
    );
    expect(failures('request: GET https://a.test/ok, expect: deny')).toMatch(
      /expected deny, got allow by .*a\.yaml:9: GET/,
    );
    expect(failures('request: GET https://b.test/, expect: { decision: deny, reason: path-not-allowed }')).toMatch(
      /expected deny path-not-allowed, got deny host-not-allowed/,
    );
    expect(failures('request: GET https://a.test/ok, expect: { decision: allow, capability: mail }')).toMatch(
      /by mail/,
    );
  });

  it('sends forms, and text with the type it is given', () => {
    const { results } =
      run(`  - { name: x, agent: bot, request: POST https://mail.test/send, form: { to: a@acme.test }, expect: { decision: deny, reason: body-not-allowed } }
  - { name: y, agent: bot, request: POST https://mail.test/send, body: '{"to":"a@acme.test"}', headers: { Content-Type: application/json }, expect: allow }
`);
    expect(results.map(({ failures }) => failures)).toEqual([[], []]);
  });
});

describe('loadTests()', () => {
  it.each([
    [
      'an agent nobody defined',
      'agent: bott, request: GET https://a.test/, expect: allow',
      /no agent "bott".*\n.*\n.*\n\s*hint: did you mean "bot"/,
    ],
    ['neither agent nor capability', 'request: GET https://a.test/, expect: allow', /of an agent or of a capability/],
    [
      'both',
      'agent: bot, capability: mail, request: GET https://a.test/, expect: allow',
      /of an agent or of a capability/,
    ],
    [
      'a capability nobody defined',
      'capability: mial, request: GET https://a.test/, expect: allow',
      /no capability "mial"/,
    ],
    [
      'a parameter that is missing',
      'capability: mirror, request: GET https://a.test/, expect: allow',
      /"registry" is missing/,
    ],
    ['a request that is none', 'agent: bot, request: GET a.test, expect: allow', /not an http/],
    [
      'a reason nobody gives',
      'agent: bot, request: GET https://a.test/, expect: { decision: deny, reason: nope }',
      /"reason"/,
    ],
  ])('tells of %s', (_name, test, message) => {
    const { policy, problems } = load(`  - { name: x, ${test} }\n`);
    expect(policy).toBeNull();
    expect(problems.map(formatProblem).join('\n')).toMatch(message);
  });
});
