import { expect, it } from 'vitest';
import { decide } from '../../../src/policy/decide.ts';
import { HASH, botPolicy, loadFiles, request } from '../../support/policy.ts';

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
