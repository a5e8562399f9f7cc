import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/policy/decide.ts';
import { withDefaults } from '../../../src/policy/limits.ts';
import { HASH, botPolicy, loadFiles, problemsOf, request } from '../../support/policy.ts';

const texts = (limits: ReadonlyArray<{ kind: string; text: string }>): string[] =>
  limits.map(({ kind, text }) => `${kind} ${text}`);

describe('limits in rules', () => {
  it('are those of the agent, else those of defaults, kind by kind; beside them its capability’s and its tenant’s', () => {
    const policy = botPolicy(
      '    tenant: acme\n    capabilities: [c]\n    limits: { requests: [10/minute, 100/hour], concurrency: 4 }\n',
      `defaults: { limits: { requests: 1/minute, hosts: 20/hour } }
tenants: { acme: { limits: { upload: 1 GiB/day } } }
capabilities:
  c: { endpoints: ["GET https://a.test/**"], limits: { requests: 10/hour } }
`,
    );
    const agent = policy.agents.get('bot');
    expect(texts(agent?.limits ?? [])).toEqual([
      'requests 10/minute',
      'requests 100/hour',
      'concurrency 4',
      'hosts 20/hour',
    ]);
    expect(texts(agent?.tenantLimits ?? [])).toEqual(['upload 1 GiB/day']);
    const decision = decide(request('GET', 'https://a.test/'), policy);
    expect(decision.kind === 'allow' && texts(decision.obligations.limits)).toEqual(['requests 10/hour']);
  });

  it('that are wrong are shown with what is right', () => {
    const wrong = (limits: string): string[] =>
      problemsOf(`version: 1\nagents:\n  bot:\n    identity: { token: "sha256:${HASH}" }\n    limits: ${limits}\n`).map(
        (text) => text.replaceAll(/\n.*\|.*/g, ''),
      );
    expect(wrong('{ requests: 10 }')).toEqual([
      'a.yaml:5:25: error: "10" is not a limit of requests\n  hint: write a rate such as 10/hour or 600/5m',
    ]);
    expect(wrong('{ upload: [1 MiB/hour, 1 MiB] }')).toEqual([
      'a.yaml:5:36: error: "1 MiB" is not a limit of upload\n  hint: write a size and a time such as 20 MiB/hour',
    ]);
    expect(wrong('{ requests: [1/minute, 2/60s] }')).toEqual([
      'a.yaml:5:25: error: requests has two limits for the same time\n  hint: keep the smaller one',
    ]);
    expect(wrong('{ request: 1/minute }')[0]).toContain('did you mean "requests"');
    expect(wrong('{ session: forever }')[0]).toContain('"forever" is not how long a session lasts');
  });

  it('name tenants that are defined, once any is', () => {
    const rules = (tenants: string): string =>
      `version: 1\n${tenants}agents:\n  bot: { tenant: acm, identity: { token: "sha256:${HASH}" } }\n`;
    expect(loadFiles({ 'a.yaml': rules('') }).problems).toEqual([]);
    expect(problemsOf(rules('tenants: { acme: {} }\n'))[0]).toMatch(
      /no tenant "acm" is defined[\s\S]*did you mean "acme"/,
    );
  });

  it('make two rules of equal rank disagree', () => {
    const policy = loadFiles({
      'a.yaml': `version: 1
agents:
  bot: { identity: { token: "sha256:${HASH}" }, capabilities: [a, b] }
capabilities:
  a: { endpoints: ["GET https://a.test/x"], limits: { requests: 1/hour } }
  b: { endpoints: ["GET https://a.test/x"], limits: { requests: 2/hour } }
`,
    });
    expect(policy.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining('disagree on mode, networks or limits'),
    ]);
  });
});

it('withDefaults() fills in kinds that are not named', () => {
  const limit = (kind: 'requests' | 'hosts', text: string) => ({ kind, text, count: 1, window: 1000 });
  expect(texts(withDefaults([limit('requests', 'own')], [limit('requests', 'all'), limit('hosts', 'all')]))).toEqual([
    'requests own',
    'hosts all',
  ]);
});
