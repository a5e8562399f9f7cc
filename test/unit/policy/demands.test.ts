import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../src/policy/decide.ts';
import { demandsCover } from '../../../src/policy/demands.ts';
import { parseEndpoint } from '../../../src/policy/endpoint.ts';
import type { Endpoint } from '../../../src/policy/rule.ts';
import type { EndpointMap } from '../../../src/policy/schema.ts';
import { botPolicy, request, wholeBody } from '../../support/policy.ts';

function endpoint(asks: Partial<EndpointMap>): Endpoint {
  const parsed = parseEndpoint({ host: 'a.test', ...asks });
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}
const covers = (outer: Partial<EndpointMap>, inner: Partial<EndpointMap>): boolean =>
  demandsCover(endpoint(outer), endpoint(inner));

describe('demandsCover()', () => {
  it.each<[string, Partial<EndpointMap>, Partial<EndpointMap>, boolean]>([
    ['nothing asked covers anything', {}, { query: { a: '1' } }, true],
    ['something asked does not cover nothing', { query: { a: '1' } }, {}, false],
    ['one of two names', { query: { a: '1' } }, { query: { a: '1', b: '2' } }, true],
    ['two of one name', { query: { a: '1', b: '2' } }, { query: { a: '1' } }, false],
    ['another value', { query: { a: '1' } }, { query: { a: '2' } }, false],
    ['closed over open', { query: { a: '1', closed: true } }, { query: { a: '1' } }, false],
    ['open over closed', { query: { a: '1' } }, { query: { a: '1', closed: true } }, true],
    ['closed over more names', { query: { a: '1', closed: true } }, { query: { a: '1', b: '2', closed: true } }, false],
    ['optional over demanded', { query: { a: { equals: '1', optional: true } } }, { query: { a: '1' } }, true],
    ['demanded over optional', { query: { a: '1' } }, { query: { a: { equals: '1', optional: true } } }, false],
    ['headers count too', { headers: { a: '1' } }, { query: { a: '1' } }, false],
    ['members of JSON', { body: { json: { '/a': 1 } } }, { body: { json: { '/a': 1, '/b': 2 } } }, true],
    ['JSON over a form', { body: { json: { '/a': 1 } } }, { body: { form: { a: '1' } } }, false],
    [
      'the same GraphQL',
      { graphql: { operations: ['query'] } },
      { graphql: { operations: ['query'] }, query: { a: '1' } },
      true,
    ],
    ['other GraphQL', { graphql: { operations: ['query'] } }, { graphql: { operations: ['mutation'] } }, false],
  ])('%s', (_what, outer, inner, expected) => {
    expect(covers(outer, inner)).toBe(expected);
  });

  it('never says so where the inner one allows what the outer one does not', () => {
    const predicate = fc.constantFrom('1', '2', { equals: '1', optional: true as const }, { absent: true as const });
    const fields = fc.record({ a: predicate, b: predicate, closed: fc.constant(true) }, { requiredKeys: [] });
    const asks = fc.record(
      {
        query: fields,
        body: fc.record({ json: fc.record({ '/x': predicate, '/y': predicate }, { requiredKeys: [] }) }),
      },
      { requiredKeys: [] },
    );
    const facts = fc
      .tuple(fc.subarray(['a=1', 'a=2', 'b=1', 'c=3']), fc.subarray(['"x":"1"', '"x":"2"', '"y":"1"']))
      .map(([query, members]) =>
        request('POST', `https://a.test/?${query.join('&')}`, [], wholeBody(`{${members.join(',')}}`)),
      );
    const allows = (each: object, asked: ReturnType<typeof request>): boolean =>
      decide(asked, botPolicy(`    allow: [${JSON.stringify({ host: 'a.test', ...each })}]\n`)).kind === 'allow';
    fc.assert(
      fc.property(asks, asks, fc.array(facts, { minLength: 5, maxLength: 10 }), (outer, inner, asked) => {
        fc.pre(valid(outer) && valid(inner) && covers(outer, inner));
        for (const each of asked) if (allows(inner, each)) expect(allows(outer, each)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

function valid(asks: Partial<EndpointMap>): boolean {
  return parseEndpoint({ host: 'a.test', ...asks }).ok;
}
