import { describe, expect, it } from 'vitest';
import { decodeUtf8, isJsonType, isUtf8, parseMediaType, type MediaType } from '../../../../src/policy/content/text.ts';

describe('parseMediaType()', () => {
  it.each<[string[], object | null]>([
    [['application/json'], { essence: 'application/json', charset: null, boundary: null }],
    [['Application/JSON; Charset=UTF-8'], { essence: 'application/json', charset: 'utf-8' }],
    [['multipart/form-data; boundary="a b"'], { boundary: 'a b' }],
    [['multipart/form-data;boundary=x;charset=utf-8'], { boundary: 'x' }],
    [[], null],
    [['application/json', 'text/plain'], null],
    [['application/json, text/plain'], null],
    [['application/json; charset=utf-8; charset=utf-16'], null],
    [['application'], null],
    [['application/json;'], null],
    [['multipart/form-data; boundary="a\\"b"'], null],
  ])('of %j', (values, expected) => {
    const type = parseMediaType(values);
    if (expected === null) expect(type).toBeNull();
    else expect(type).toMatchObject(expected);
  });
});

it.each([
  ['application/json', true],
  ['application/problem+json', true],
  ['application/json; charset=utf-8', true],
  ['application/json; charset=utf-16', false],
  ['text/json', false],
  ['text/plain', false],
])('isJsonType() of %s is %s', (text, expected) => {
  const type = parseMediaType([text]);
  expect(type !== null && isJsonType(type)).toBe(expected);
});

it('isUtf8() of a type that says nothing, or so', () => {
  const says = (text: string): boolean => isUtf8(parseMediaType([text]) as MediaType);
  expect(['a/b', 'a/b; charset=UTF8', 'a/b; charset=latin1'].map(says)).toEqual([true, true, false]);
});

it('decodeUtf8() is strict', () => {
  expect(decodeUtf8(Buffer.from('é'))).toBe('é');
  expect(decodeUtf8(Buffer.from([0xc0, 0xaf]))).toBeNull();
});
