import { describe, expect, it } from 'vitest';

import {
  equalsAt,
  equalsIgnoringCase,
  isAuthorityText,
  isFieldValue,
  isTargetText,
  isToken,
  listMembers,
} from '../../../src/http1/grammar.ts';

describe('character classes', () => {
  it('token: tchar and nothing else', () => {
    const accepted = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
      .filter(isToken)
      .join('');
    expect(accepted).toBe("!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~");
    expect(isToken('')).toBe(false);
  });

  it('field value: no control character but tab', () => {
    const refused = Array.from({ length: 256 }, (_, code) => code).filter(
      (code) => !isFieldValue(String.fromCharCode(code)),
    );
    expect(refused).toEqual([...Array.from({ length: 32 }, (_, code) => code).filter((code) => code !== 9), 127]);
  });

  it('target: no space, control character or fragment', () => {
    expect(['/a', '/a b', '/a#b', '', '/\x7f', '/\xe9'].map(isTargetText)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(['h:1', '\xe9:1', 'h h', ''].map(isAuthorityText)).toEqual([true, true, false, false]);
  });
});

it('names are compared without regard to case, and without confusing neighbours of the alphabet', () => {
  expect(equalsIgnoringCase('HoSt', 'host')).toBe(true);
  expect(equalsIgnoringCase('h@st', 'h`st')).toBe(false);
  expect(equalsAt('xHOSTx', 1, 5, 'host')).toBe(true);
  expect(equalsAt('xHOSTx', 0, 5, 'host')).toBe(false);
});

it('listMembers() trims and drops empty members', () => {
  expect(listMembers(' a , ,b,')).toEqual(['a', 'b']);
});
