import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/model/finding.ts';
import { belongs } from '../../../src/scan/belongs.ts';
import { jsonParts } from '../../../src/scan/json-strings.ts';
import { joinedTarget } from '../../../src/scan/joins.ts';
import { redact } from '../../../src/scan/redact.ts';
import { placeInBody, placeInFields, placeInTarget } from '../../../src/scan/where.ts';

describe('where something was found', () => {
  it('is a member of JSON by its pointer, a field of a form, or a byte', () => {
    const json = '{"a":[{"b":"x"},{"c d":{"e":"FOUND","f":1}}],"FOUND2":true}';
    const at = (text: string): string => placeInBody(Buffer.from(json), json.indexOf(text), 'application/json');
    expect([at('x"'), at('FOUND"'), at('1}'), at('FOUND2')]).toEqual([
      '/a/0/b',
      '/a/1/…/e',
      '/a/1/…/f',
      'a name in the body',
    ]);
    expect(placeInBody(Buffer.from('a=1&b=FOUND'), 6, 'application/x-www-form-urlencoded')).toBe('field b');
    expect(placeInBody(Buffer.from('FOUND'), 3, 'text/plain')).toBe('byte 3 of the body');
    expect(placeInBody(Buffer.from('not JSON'), 3, 'application/json')).toBe('byte 3 of the body');
  });

  it('is a parameter, the path, or a header, and never a name that may be the secret itself', () => {
    expect(placeInTarget('/a/b?c=d&e=FOUND', 12)).toBe('query parameter e');
    expect(placeInTarget('/a/FOUND', 4)).toBe('the path');
    expect(placeInTarget(`/a?${'x1'.repeat(30)}=1`, 5)).toBe('the query');
    expect(placeInFields('\r\nAccept: x\r\nX-Note: FOUND', 24)).toBe('header x-note');
  });
});

describe('what is joined', () => {
  it('is what a path or query has between its marks', () => {
    expect(joinedTarget('/a')).toBeNull();
    expect(joinedTarget('/ab/cd?x=12345678901234567890')).toBeNull();
    expect(joinedTarget('/ab/cd/ef?x=12&y=34')).toBeNull();
    expect(joinedTarget('/ab/cd/ef?x=12345678&y=abcdefgh')?.toString()).toBe(
      'abcdef 12345678abcdefgh abcdefgh12345678',
    );
  });

  it('is what JSON has as short strings without spaces', () => {
    const joined = (value: unknown): string | undefined =>
      jsonParts(Buffer.from(JSON.stringify(value))).joined?.toString();
    expect(joined({ name: 'a1b2c3d4', other: ['e5f6g7h8', 'some words'] })).toBe('a1b2c3d4e5f6g7h8\ne5f6g7h8a1b2c3d4');
    expect(joined({ a: 'one', b: 'two' })).toBeUndefined();
    expect(jsonParts(Buffer.from('{"a": "unterminated')).joined).toBeNull();
  });
});

describe('redact()', () => {
  const finding = (offset: number, length: number, via: string[] = []): Finding => ({
    detector: 'x',
    family: 'personal-data',
    severity: 'high',
    offset,
    length,
    via,
    belongsTo: [],
    authenticates: false,
    fingerprint: '',
  });

  it('puts the family in place of what was found, all of what it was decoded from', () => {
    const clean = (text: string, ...findings: Finding[]): string | undefined =>
      redact(Buffer.from(text), findings, false)?.toString();
    expect(clean('a SECRET b', finding(2, 6))).toBe('a [redacted personal-data] b');
    expect(clean('a=QUJDREVG&b', finding(5, 2, ['base64']))).toBe('a=[redacted personal-data]&b');
    expect(clean('aaXXXbb', finding(2, 3), finding(3, 2))).toBe('aa[redacted personal-data]bb');
  });

  it('leaves JSON what it is, or says that it cannot', () => {
    const clean = (text: string, ...findings: Finding[]): string | null =>
      redact(Buffer.from(text), findings, true)?.toString() ?? null;
    expect(clean('{"a":12345678,"b":1}', finding(5, 8))).toBe('{"a":0,"b":1}');
    expect(clean('{"a":"12345678"}', finding(6, 8))).toBe('{"a":"[redacted personal-data]"}');
    expect(clean('{"a":"1"}', finding(0, 5))).toBeNull();
  });
});

it('a credential belongs to a host by name, or by the names under one', () => {
  expect(belongs('api.github.com', ['api.github.com'])).toBe(true);
  expect(belongs('evil-api.github.com', ['api.github.com'])).toBe(false);
  expect([belongs('a.x.com', ['*.x.com']), belongs('a.b.x.com', ['*.x.com']), belongs('x.com', ['*.x.com'])]).toEqual([
    true,
    false,
    false,
  ]);
  expect([belongs('a.b.x.com', ['**.x.com']), belongs('evilx.com', ['**.x.com'])]).toEqual([true, false]);
});
