import { describe, expect, it } from 'vitest';
import type { BodyFacts } from '../../../../src/model/facts.ts';
import { NO_CHANGED_TOOLS } from '../../../../src/policy/content/tools.ts';
import { BodyView } from '../../../../src/policy/content/body-view.ts';
import {
  compileContent,
  contentFlaw,
  contentMayHold,
  type ContentContext,
} from '../../../../src/policy/content/content.ts';
import { queryPairs } from '../../../../src/policy/predicate.ts';
import type { EndpointMap } from '../../../../src/policy/schema.ts';
import { wholeBody } from '../../../support/policy.ts';

const FORM = 'application/x-www-form-urlencoded';
const NONE: BodyFacts = { kind: 'none' };
function context(body: BodyFacts, method = 'POST', query: string | null = null): ContentContext {
  return { method, query: () => queryPairs(query), body: new BodyView(body), changedTools: NO_CHANGED_TOOLS };
}
function compiled(map: Omit<EndpointMap, 'host'>) {
  const content = compileContent({ host: 'a.test', ...map });
  if (content === null) throw new Error('nothing asked');
  return content;
}
const verdict = (map: Omit<EndpointMap, 'host'>, ...given: Parameters<typeof context>): string =>
  contentFlaw(compiled(map), context(...given))?.reason ?? 'holds';

describe('contentFlaw()', () => {
  it.each<[string, Omit<EndpointMap, 'host'>, Parameters<typeof context>, string]>([
    ['JSON', { body: { json: { '/a': 1 } } }, [wholeBody('{"a":1}')], 'holds'],
    ['other JSON', { body: { json: { '/a': 1 } } }, [wholeBody('{"a":2}')], 'body-not-allowed'],
    ['no JSON', { body: { json: { '/a': 1 } } }, [wholeBody('a=1', FORM)], 'body-not-allowed'],
    ['no body', { body: { json: { '/a': { equals: 1, optional: true } } } }, [NONE], 'body-not-allowed'],
    ['a body nobody read', { body: { json: {} } }, [{ kind: 'unread' }], 'body-not-allowed'],
    ['a body that is too large', { body: { json: {} } }, [{ kind: 'too-large', limit: 1 }], 'body-too-large'],
    ['a form', { body: { form: { a: '1', closed: true } } }, [wholeBody('a=1', FORM)], 'holds'],
    [
      'a form with more',
      { body: { form: { a: '1', closed: true } } },
      [wholeBody('a=1&b=2', FORM)],
      'body-not-allowed',
    ],
    [
      'a multipart form',
      { body: { multipart: { a: { file: ['image/png'], optional: true } } } },
      [wholeBody('--B--', 'multipart/form-data; boundary=B')],
      'holds',
    ],
    ['GraphQL by POST', { graphql: { operations: ['query'] } }, [wholeBody('{"query":"{ a }"}')], 'holds'],
    ['GraphQL by GET', { graphql: { operations: ['query'] } }, [NONE, 'GET', 'query=%7Ba%7D'], 'holds'],
    ['GraphQL by GET with a body', { graphql: {} }, [wholeBody('{}'), 'GET', 'query=%7Ba%7D'], 'body-not-allowed'],
    [
      'GraphQL twice, in the query and the body',
      { graphql: {} },
      [wholeBody('{"query":"{ a }"}'), 'POST', 'query=%7Bb%7D'],
      'body-not-allowed',
    ],
    ['GraphQL with a query of its own', { graphql: {} }, [wholeBody('{"query":"{ a }"}'), 'POST', 'v=2'], 'holds'],
    [
      'a mutation',
      { graphql: { operations: ['query'] } },
      [wholeBody('{"query":"mutation { a }"}')],
      'body-not-allowed',
    ],
    ['JSON-RPC', { jsonrpc: { methods: ['a'] } }, [wholeBody('{"jsonrpc":"2.0","id":1,"method":"a"}')], 'holds'],
    [
      'another method',
      { jsonrpc: { methods: ['a'] } },
      [wholeBody('{"jsonrpc":"2.0","id":1,"method":"b"}')],
      'body-not-allowed',
    ],
    ['listening to MCP', { mcp: {} }, [NONE, 'GET'], 'holds'],
    ['ending a session of MCP', { mcp: {} }, [NONE, 'DELETE'], 'holds'],
    ['POST without a message', { mcp: {} }, [NONE, 'POST'], 'body-not-allowed'],
    [
      'a tool that is not granted',
      { mcp: { tools: ['a'] } },
      [wholeBody('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b"}}')],
      'tool-not-found',
    ],
    [
      'both of two demands',
      { jsonrpc: { methods: ['a'] }, body: { json: { '/id': 2 } } },
      [wholeBody('{"jsonrpc":"2.0","id":1,"method":"a"}')],
      'body-not-allowed',
    ],
  ])('%s: %s', (_name, map, given, expected) => {
    expect(verdict(map, ...given)).toBe(expected);
  });
});

describe('contentMayHold()', () => {
  const may = (map: Omit<EndpointMap, 'host'>, ...given: Parameters<typeof context>): boolean =>
    contentMayHold(compiled(map), context(...given));

  it('means what cannot be read, and nothing that is not there', () => {
    const json = { body: { json: { '/a': 1 } } };
    expect(may(json, wholeBody('{"a":1}', 'text/plain'))).toBe(true);
    expect(may(json, wholeBody('{"a":2}', 'text/plain'))).toBe(false);
    expect(may(json, wholeBody('broken'))).toBe(true);
    expect(may(json, { kind: 'too-large', limit: 1 })).toBe(true);
    expect(may(json, { kind: 'unread' })).toBe(true);
    expect(may(json, NONE)).toBe(false);
    expect(may({ body: { form: { a: '1' } } }, wholeBody('a=2&a=1', FORM))).toBe(true);
    expect(may({ body: { form: { a: '1' } } }, wholeBody('a=2', FORM))).toBe(false);
    expect(
      may({ mcp: { tools: ['b'] } }, wholeBody('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"b"}}')),
    ).toBe(true);
    expect(may({ jsonrpc: { methods: ['b'] } }, wholeBody('{"jsonrpc":"2.0","id":1,"method":"a"}'))).toBe(false);
  });

  it('looks for GraphQL in the query too', () => {
    const graphql = { graphql: { operations: ['mutation' as const] } };
    expect(may(graphql, NONE, 'GET', 'query=mutation%7Ba%7D')).toBe(true);
    expect(may(graphql, NONE, 'GET', 'query=%7Ba%7D')).toBe(false);
    expect(may(graphql, NONE, 'GET', 'query=%zz')).toBe(true);
    expect(may(graphql, wholeBody('{"query":"mutation { a }"}'))).toBe(true);
  });
});

describe('compileContent()', () => {
  it('is nothing where nothing is asked', () => {
    expect(compileContent({ host: 'a.test' })).toBeNull();
  });

  it.each<[Omit<EndpointMap, 'host'>, RegExp]>([
    [{ body: {} }, /names nothing/],
    [{ body: { json: {}, form: {} } }, /one of json, form and multipart/],
    [{ body: { form: {} }, mcp: {} }, /no request is that and a form/],
    [{ body: { form: { a: true } } }, /must be a predicate/],
    [{ body: { form: { a: { matches: '(' } } } }, /not RE2/],
    [{ body: { multipart: { a: { file: ['image/png'], 'max-size': 'big' } } } }, /not a size/],
  ])('does not take %j', (map, message) => {
    expect(() => compiled(map)).toThrow(message);
  });
});
