import { describe, expect, it } from 'vitest';
import { consult } from '../../../src/decision-point/consult.ts';
import type { DecisionPoint, DecisionPoints } from '../../../src/decision-point/decision-point.ts';
import { decide } from '../../../src/policy/decide.ts';
import { botPolicy, request } from '../../support/policy.ts';

const POLICY = botPolicy('    allow: ["GET https://a.test/**"]\n');
const FACTS = request('GET', 'https://a.test/x');
const ALLOWED = decide(FACTS, POLICY);

const answering = (answer: unknown, name: DecisionPoint['name'] = 'opa'): DecisionPoint => ({
  name,
  ask: () => (answer instanceof Error ? Promise.reject(answer) : answer),
});
const of = (...points: DecisionPoint[]): DecisionPoints => ({ points, headers: new Set(), body: false });
const reasonOf = async (...points: DecisionPoint[]): Promise<string> => {
  const judgement = await consult(ALLOWED, FACTS, of(...points));
  return judgement.kind === 'deny' ? `${judgement.reason}: ${judgement.detail}` : 'allow';
};

describe('consult()', () => {
  it('gives back the very decision where nobody has a say, without waiting', () => {
    expect(consult(ALLOWED, FACTS, of())).toBe(ALLOWED);
  });

  it('asks nobody about a denial', () => {
    const denied = decide(request('POST', 'https://a.test/x'), POLICY);
    const point: DecisionPoint = { name: 'opa', ask: () => expect.unreachable('asked') };
    expect(consult(denied, FACTS, of(point))).toBe(denied);
  });

  it.each<[string, unknown, string]>([
    ['true', true, 'allow'],
    ['an object that allows', { allow: true, reason: 'fine' }, 'allow'],
    ['false', false, 'decision-point-denied: opa denies GET on a.test'],
    [
      'a denial with words',
      { allow: false, reason: 'too late' },
      'decision-point-denied: opa denies GET on a.test: too late',
    ],
    [
      'no answer',
      undefined,
      'decision-point-denied: opa denies GET on a.test: its policy has no answer for this request',
    ],
    ['null', null, 'decision-point-unavailable: opa gave no answer that is true, false or {"allow": …}'],
    ['1', 1, 'decision-point-unavailable: opa gave no answer that is true, false or {"allow": …}'],
    ['"true"', 'true', 'decision-point-unavailable: opa gave no answer that is true, false or {"allow": …}'],
    [
      'an object whose allow is text',
      { allow: 'yes' },
      'decision-point-unavailable: opa gave no answer that is true, false or {"allow": …}',
    ],
    ['a list', [true], 'decision-point-unavailable: opa gave no answer that is true, false or {"allow": …}'],
    ['an error', new Error('boom'), 'decision-point-unavailable: opa cannot be asked: boom'],
    [
      'an error of the system, whose message names an address',
      Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:8181'), { code: 'ECONNREFUSED' }),
      'decision-point-unavailable: opa cannot be asked: ECONNREFUSED',
    ],
  ])('takes %s for what it is', async (_what, answer, expected) => {
    expect(await reasonOf(answering(answer))).toBe(expected);
  });

  it('denies as soon as one says no', async () => {
    const last: DecisionPoint = { name: 'opa', ask: () => expect.unreachable('asked') };
    expect(await reasonOf(answering(true, 'wasm'), answering(true))).toBe('allow');
    expect(await reasonOf(answering(false, 'wasm'), last)).toContain('wasm denies');
  });

  it('keeps mode, rule and capability of the allowance it takes back', async () => {
    const judgement = await consult(ALLOWED, FACTS, of(answering(false)));
    expect(judgement).toMatchObject({ mode: 'enforce', rule: ALLOWED.rule, capability: null, remedy: '' });
  });
});
