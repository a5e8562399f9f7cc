import { expect, it } from 'vitest';
import { decide } from '../../../src/policy/decide.ts';
import { HASH, botPolicy, loadFiles, problemsOf, request } from '../../support/policy.ts';

it('agents with the same grants share one index', () => {
  const { policy } = loadFiles({
    'a.yaml': `version: 1\nagents:\n  a: { identity: { token: "sha256:${HASH}" }, capabilities: [c] }\n  b: { identity: { networks: [10.0.0.1] }, capabilities: [c] }\ncapabilities:\n  c: { endpoints: ["GET https://a.test/"] }\n`,
  });
  expect(policy?.agents.get('a')?.allow[1]).toBe(policy?.agents.get('b')?.allow[1]);
});

it('a pack is filled in by each grant', () => {
  const policy = botPolicy(
    '    capabilities: [{ use: p, with: { r: "npm.test/repo" } }]\n',
    'capabilities:\n  p: { parameters: { r: { type: origin } }, endpoints: ["GET ${r}/**"] }\n',
  );
  expect(decide(request('GET', 'https://npm.test/repo/x'), policy).kind).toBe('allow');
  expect(decide(request('GET', 'https://npm.test/other'), policy).kind).toBe('deny');
});

it("networks go with the rules of whoever names them, and nobody else's", () => {
  const policy = botPolicy(
    '    networks: [n]\n    capabilities: [c]\n    allow: ["GET https://own.test/"]\n',
    'networks: { n: [10.0.0.0/8] }\ncapabilities:\n  c: { endpoints: ["GET https://cap.test/"] }\n',
  );
  const networks = (url: string) => {
    const decision = decide(request('GET', url), policy);
    return decision.kind === 'allow' ? decision.obligations.networks : null;
  };
  expect([networks('https://own.test/'), networks('https://cap.test/')]).toEqual([['n'], []]);
});

it('defaults give the mode to agents that name none', () => {
  expect(botPolicy('', 'defaults: { mode: warn }\n').agents.get('bot')?.mode).toBe('warn');
  expect(botPolicy('').agents.get('bot')?.mode).toBe('enforce');
});

it('a capability says whether what is said by it is kept', () => {
  const policy = botPolicy(
    '    capabilities: [kept, not]\n    allow: ["GET https://own.test/"]\n',
    'capabilities:\n  kept: { audit: transcript, endpoints: ["GET https://kept.test/"] }\n  not: { audit: metadata, endpoints: ["GET https://not.test/"] }\n',
  );
  const kept = (url: string): boolean => {
    const decision = decide(request('GET', url), policy);
    return decision.kind === 'allow' && decision.obligations.transcript;
  };
  expect([kept('https://kept.test/'), kept('https://not.test/'), kept('https://own.test/')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(policy.transcripts).toMatchObject({ line: 8 });
  expect(botPolicy('    allow: ["GET https://own.test/"]\n').transcripts).toBeNull();
});

it.each(['{ scheme: tcp, host: a.test, port: 22 }', '{ host: a.test, intercept: false }'])(
  'there is no transcript of what is not read: %s',
  (endpoint) => {
    const [problem] = problemsOf(
      `version: 1\ncapabilities:\n  c:\n    audit: transcript\n    endpoints: [${endpoint}]\n`,
    );
    expect(problem).toMatch(/^a\.yaml:4:5: error: .* is not read by the gate: there is no transcript of it/);
  },
);
