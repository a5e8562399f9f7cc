import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../../src/model/json.ts';
import { JsonPredicates } from '../../../../src/policy/content/json-predicate.ts';
import type { JsonFieldsSpec } from '../../../../src/policy/schema.ts';

const holds = (spec: JsonFieldsSpec, text: string): boolean => new JsonPredicates(spec).flaw(parseJson(text)) === null;
const mayHold = (spec: JsonFieldsSpec, text: string): boolean => new JsonPredicates(spec).mayHold(parseJson(text));

describe('JsonPredicates', () => {
  it.each<[string, JsonFieldsSpec, string, boolean]>([
    ['a member', { '/a': 'x' }, '{"a":"x"}', true],
    ['another value', { '/a': 'x' }, '{"a":"y"}', false],
    ['a missing member', { '/a': 'x' }, '{}', false],
    ['an optional one', { '/a': { equals: 'x', optional: true } }, '{}', true],
    ['an optional one that is wrong', { '/a': { equals: 'x', optional: true } }, '{"a":1}', false],
    ['an absent one', { '/a': { absent: true } }, '{"b":1}', true],
    ['one that should be absent', { '/a': { absent: true } }, '{"a":null}', false],
    ['the whole value', { '': 5 }, '5', true],
    ['a number by its value', { '/a': 10 }, '{"a":1.0e1}', true],
    ['a number that would be rounded', { '/a': 9007199254740992 - 1 }, '{"a":9007199254740992}', false],
    ['a number as text', { '/a': 5 }, '{"a":"5"}', false],
    ['text as a number', { '/a': '5' }, '{"a":5}', false],
    ['a boolean', { '/a': true }, '{"a":true}', true],
    ['null', { '/a': null }, '{"a":null}', true],
    ['null, which is not missing', { '/a': null }, '{}', false],
    ['one of several', { '/a': { 'one-of': [1, 'b', null] } }, '{"a":null}', true],
    ['a glob', { '/a': { glob: '*@acme.com' } }, '{"a":"x@acme.com"}', true],
    ['a glob on a number', { '/a': { glob: '*' } }, '{"a":1}', false],
    ['an expression', { '/a': { matches: '[a-z]+' } }, '{"a":"abc"}', true],
    ['an expression on a part', { '/a': { matches: '[a-z]+' } }, '{"a":"abc1"}', false],
    ['a range', { '/a': { minimum: 0.1, maximum: 2 } }, '{"a":0.1}', true],
    ['a range missed by a hair', { '/a': { minimum: 0.1 } }, '{"a":0.09999999999999999999}', false],
    ['a length', { '/a': { 'max-length': 3 } }, '{"a":"abcd"}', false],
    ['an integer', { '/a': { type: 'integer' } }, '{"a":5.0}', true],
    ['no integer', { '/a': { type: 'integer' } }, '{"a":5.5}', false],
    ['an array', { '/a': { type: 'array' } }, '{"a":[1]}', true],
    ['an object', { '/a': { type: 'object' } }, '{"a":[]}', false],
    ['an element', { '/a/1': 'y' }, '{"a":["x","y"]}', true],
    ['an element spelt oddly', { '/a/01': 'y' }, '{"a":["x","y"]}', false],
    ['a name with a slash and a tilde', { '/a~1b~0': 1 }, '{"a/b~":1}', true],
    ['every element', { '/a/*/b': 'x' }, '{"a":[{"b":"x"},{"b":"x"}]}', true],
    ['every element but one', { '/a/*/b': 'x' }, '{"a":[{"b":"x"},{"b":"y"}]}', false],
    ['every element but one that lacks it', { '/a/*/b': 'x' }, '{"a":[{"b":"x"},{}]}', false],
    ['no element', { '/a/*': 'x' }, '{"a":[]}', false],
    ['no element, optional', { '/a/*': { equals: 'x', optional: true } }, '{"a":[]}', true],
    ['every member', { '/*': 1 }, '{"a":1,"b":1.0}', true],
    ['a scalar on the way', { '/a/b': 1 }, '{"a":5}', false],
    ['two levels of all', { '/a/*/*/c': 1 }, '{"a":[[{"c":1}],[{"c":2}]]}', false],
    ['closed, and nothing else', { '/a': 1, closed: true }, '{"a":1}', true],
    ['closed, and more', { '/a': 1, closed: true }, '{"a":1,"b":2}', false],
    ['closed, and more deep inside', { '/a/*/b': 1, closed: true }, '{"a":[{"b":1,"c":2}]}', false],
    ['closed, below what is listed', { '/a': { type: 'object' }, closed: true }, '{"a":{"any":{"thing":1}}}', true],
    ['closed, with what must be absent', { '/a': 1, '/b': { absent: true }, closed: true }, '{"a":1,"b":2}', false],
    [
      'closed, a scalar where more is listed',
      { '/a/b': { equals: 1, optional: true }, closed: true },
      '{"a":5}',
      false,
    ],
  ])('%s', (_name, spec, text, expected) => {
    expect(holds(spec, text)).toBe(expected);
  });

  it('says which pointer failed, and never the value', () => {
    const flaw = new JsonPredicates({ '/from/email': 'a@b' }).flaw(parseJson('{"from":{"email":"secret"}}'));
    expect(flaw).toBe('/from/email is not what the rule allows');
  });

  it.each<[string, JsonFieldsSpec, string, boolean]>([
    ['one element of several', { '/a/*': 'x' }, '{"a":["y","x"]}', true],
    ['no element', { '/a/*': 'x' }, '{"a":["y"]}', false],
    ['a number as text, for servers that read it so', { '/a': 5 }, '{"a":" 5"}', true],
    ['text as a number', { '/a': '5' }, '{"a":5}', true],
    ['what else is there, closed or not', { '/a': 1, closed: true }, '{"a":1,"b":2}', true],
    ['only one of two', { '/a': 1, '/b': 2 }, '{"a":1,"b":3}', false],
    ['a missing member', { '/a': 1 }, '{}', false],
    ['a member that must be missing', { '/a': { absent: true } }, '{}', true],
  ])('a deny means %s', (_name, spec, text, expected) => {
    expect(mayHold(spec, text)).toBe(expected);
  });

  it.each<[JsonFieldsSpec, RegExp]>([
    [{ a: 1 }, /not a JSON Pointer/],
    [{ '/a~2': 1 }, /"~" is written "~0"/],
    [{ '/a': { matches: '(' } }, /the predicate for \/a/],
    [{ '/a': { equals: 2 ** 60 } }, /too large to be exact/],
    [{ '/a': { 'one-of': [2 ** 60] } }, /too large to be exact/],
  ])('does not compile %j', (spec, message) => {
    expect(() => new JsonPredicates(spec)).toThrow(message);
  });

  it('counts what it asks', () => {
    expect(new JsonPredicates({ '/a': 1, '/b': 2, closed: true }).size).toBe(3);
  });
});
