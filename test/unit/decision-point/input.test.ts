import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Allowance, DecisionPoints } from '../../../src/decision-point/decision-point.ts';
import { inputJsonSchemaText, inputText } from '../../../src/decision-point/input.ts';
import type { Facts } from '../../../src/model/facts.ts';
import { decide } from '../../../src/policy/decide.ts';
import { botPolicy, request, wholeBody } from '../../support/policy.ts';

const POLICY = botPolicy('    allow: ["* https://a.test/**", { host: b.test, paths: [/**], paths-raw: true }]\n');
const TOLD: DecisionPoints = { points: [], headers: new Set(['x-team']), body: true };
const validate = new Ajv2020({ strict: false }).compile(JSON.parse(inputJsonSchemaText()) as object);

interface Input {
  readonly path: string;
  readonly headers: Record<string, string[]>;
  readonly parameters: Record<string, string[]>;
  readonly body: { readonly kind: string; readonly json?: unknown; readonly text?: string; readonly base64?: string };
}

function inputOf(facts: Facts): Input {
  const text = inputText({ facts, allowance: decide(facts, POLICY) as Allowance }, TOLD);
  const input = JSON.parse(text) as Input;
  expect([validate(input), validate.errors]).toEqual([true, null]);
  return input;
}

describe('inputText()', () => {
  it('tells the path that goes upstream', () => {
    expect(inputOf(request('GET', 'https://a.test/%7Ea')).path).toBe('/~a');
    expect(inputOf(request('GET', 'https://b.test/a/../%7Eb')).path).toBe('/a/../%7Eb');
  });

  it('tells the header fields that are named, and no other', () => {
    const headers = ['X-Team', 'red', 'x-team', 'blue', 'Authorization', 'Bearer x'];
    expect(inputOf(request('GET', 'https://a.test/', headers)).headers).toEqual({ 'x-team': ['red', 'blue'] });
  });

  it('keeps JSON as it came, every digit of it', () => {
    const text = '{"n":12345678901234567890.10,"a":[1,2]}';
    const facts = request('POST', 'https://a.test/', [], wholeBody(text));
    expect(inputText({ facts, allowance: decide(facts, POLICY) as Allowance }, TOLD)).toContain(`"json":${text}}}`);
  });

  it.each([
    ['text', wholeBody('plain', 'text/plain'), { text: 'plain' }],
    ['JSON with repeated names', wholeBody('{"a":1,"a":2}'), { text: '{"a":1,"a":2}' }],
    ['JSON behind a byte order mark', wholeBody('\ufeff{}'), { text: '\ufeff{}' }],
    ['bytes', wholeBody(Buffer.from([0xff, 0]), 'image/png'), { base64: '/wA=' }],
  ])('tells %s as such', (_what, body, expected) => {
    expect(inputOf(request('POST', 'https://a.test/', [], body)).body).toMatchObject(expected);
  });

  it('is JSON that its schema allows, whatever the request holds', () => {
    const urls = fc
      .tuple(fc.webPath(), fc.webQueryParameters())
      .map(([path, query]) => `https://a.test${path}?${query}`);
    const bodies = fc
      .oneof(
        fc.uint8Array(),
        fc.json().map((text) => Buffer.from(text)),
      )
      .map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(urls, bodies, fc.string(), (url, body, value) => {
        const facts = request('POST', url, ['X-Team', value], wholeBody(body, value));
        if (decide(facts, POLICY).kind === 'allow') expect(inputOf(facts).headers).toEqual({ 'x-team': [value] });
      }),
    );
  });
});
