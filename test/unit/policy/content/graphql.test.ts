import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../../src/model/json.ts';
import { GraphqlPredicate } from '../../../../src/policy/content/graphql.ts';
import type { GraphqlSpec } from '../../../../src/policy/schema.ts';

const HASH = 'ab'.repeat(32);
const READ: GraphqlSpec = {
  operations: ['query'],
  fields: ['viewer.login', 'repository.issues'],
  'max-depth': 5,
  persisted: [HASH],
};
const body = (query: string, more: object = {}): string => JSON.stringify({ query, ...more });
const flawOf = (text: string, spec: GraphqlSpec = READ): string | null =>
  new GraphqlPredicate(spec).flaw(parseJson(text));

describe('GraphqlPredicate', () => {
  it.each<[string, string]>([
    ['a listed field', body('{ viewer { login } }')],
    [
      'what is below a listed field',
      body('query Q { repository(name: "x") { issues(first: 3) { nodes { title } } } }'),
    ],
    ['an alias of a listed field', body('{ me: viewer { name: login } }')],
    ['a fragment', body('{ viewer { ...F } } fragment F on User { login }')],
    ['an inline fragment', body('{ viewer { ... on User { login __typename } } }')],
    ['a batch', `[${body('{ viewer { login } }')},${body('{ repository { issues { totalCount } } }')}]`],
    [
      'variables and an operation name',
      body('query A { viewer { login } }', { variables: { a: 1 }, operationName: 'A' }),
    ],
    [
      'a stored query that is listed',
      JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash: HASH } } }),
    ],
  ])('allows %s', (_name, text) => {
    expect(flawOf(text)).toBeNull();
  });

  it.each<[string, string, RegExp]>([
    ['another field', body('{ viewer { email } }'), /viewer\.email/],
    ['another field behind an alias', body('{ viewer { login: email } }'), /viewer\.email/],
    ['another field in a fragment', body('{ viewer { ...F } } fragment F on User { login email }'), /viewer\.email/],
    ['another root', body('{ viewer { login } secrets { value } }'), /secrets\.value/],
    ['a field whose name begins alike', body('{ repository { issuesSecret { a } } }'), /issuesSecret/],
    ['introspection', body('{ __schema { types { name } } }'), /__schema/],
    ['a mutation', body('mutation { closeIssue { id } }'), /mutation/],
    [
      'a mutation beside a query',
      body('query A { viewer { login } } mutation B { x }', { operationName: 'A' }),
      /mutation/,
    ],
    ['a subscription', body('subscription { viewer { login } }'), /subscription/],
    ['too deep a nesting', body('{ repository { issues { a { b { c { d } } } } } }'), /deeper than 5/],
    ['a member of a batch', `[${body('{ viewer { login } }')},${body('{ viewer { email } }')}]`, /email/],
    ['an empty batch', '[]', /empty/],
    [
      'a stored query',
      JSON.stringify({ extensions: { persistedQuery: { sha256Hash: 'cd'.repeat(32) } } }),
      /persisted/,
    ],
    ['nothing', '{}', /persisted/],
    ['a stored query by another name', body('{ viewer { login } }', { id: 'x' }), /a member/],
    ['text that is no GraphQL', body('{ viewer {'), /syntax error/],
    ['a fragment that contains itself', body('{ ...A } fragment A on Q { ...A }'), /itself/],
    ['a fragment that is not there', body('{ ...A }'), /not defined/],
    [
      'fragments that double',
      body(
        `{ ...F0 } ${Array.from({ length: 20 }, (_, i) => `fragment F${i} on Q { a: viewer { ...F${i + 1} } b: viewer { ...F${i + 1} } }`).join(' ')} fragment F20 on Q { login }`,
      ),
      /too many|deeper/,
    ],
    ['definitions of types', body('type A { b: C } { viewer { login } }'), /types/],
    ['no operation', body('fragment F on User { login }'), /no operation/],
    ['something else', '"text"', /no GraphQL request/],
  ])('does not allow %s', (_name, text, flaw) => {
    expect(flawOf(text)).toMatch(flaw);
  });

  it('judges a GET by its parameters, and lets it read alone', () => {
    const any = new GraphqlPredicate({});
    expect(any.flawOfQuery(['query', '{ a }', 'variables', '{}'])).toBeNull();
    expect(any.flawOfQuery(['query', 'mutation { a }'])).toMatch(/GET asks for a GraphQL mutation/);
    expect(any.flawOfQuery(['query', '{ a }', 'query', '{ b }'])).toMatch(/twice/);
    expect(any.flawOfQuery([])).toMatch(/persisted/);
    expect(new GraphqlPredicate(READ).flawOfQuery(['query', '{ viewer { email } }'])).toMatch(/email/);
  });

  it('as a deny means any part of what it names, and what cannot be read', () => {
    const deny = new GraphqlPredicate({ operations: ['mutation'], fields: ['deleteUser'] });
    const may = (text: string): boolean => deny.mayHold(parseJson(text));
    expect(may(body('mutation { a: deleteUser(id: 1) { ok } }'))).toBe(true);
    expect(may(body('mutation { createUser { ok } }'))).toBe(false);
    expect(may(body('query { deleteUser { ok } }'))).toBe(false);
    expect(may(body('not graphql'))).toBe(true);
    expect(may('{"id":"stored"}')).toBe(true);
    expect(may(`[${body('{ a }')},${body('mutation { deleteUser { ok } }')}]`)).toBe(true);
  });

  it('does not compile what is no field', () => {
    expect(() => new GraphqlPredicate({ fields: ['a..b'] })).toThrow(/not a path of GraphQL fields/);
    expect(new GraphqlPredicate(READ).size).toBe(4);
  });
});
