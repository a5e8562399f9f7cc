import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  JsonError,
  JsonNumber,
  isArray,
  isObject,
  parseJson,
  parseJsonBytes,
  writeJson,
  type Json,
} from '../../../src/model/json.ts';

/** The value as JavaScript has it. */
function plain(value: Json): unknown {
  if (value instanceof JsonNumber) return Number(value.text);
  if (isArray(value)) return value.map(plain);
  if (isObject(value)) return Object.fromEntries([...value].map(([name, each]) => [name, plain(each)]));
  return value;
}

describe('parseJson()', () => {
  it('reads what JSON.parse reads, and the same', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(plain(parseJson(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses what JSON.parse refuses', () => {
    const pieces = fc.constantFrom(
      ...'{}[]",:0123456789.eE+-\\ tfnul/\n\u0001a'.split(''),
      '"a"',
      'true',
      'null',
      '\\u12',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (list) => {
        const text = list.join('');
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          expect(() => parseJson(text)).toThrow(JsonError);
          return;
        }
        try {
          expect(plain(parseJson(text))).toEqual(expected);
        } catch (error) {
          // What is stricter here than there: names that stand twice, halves of characters.
          expect((error as Error).message).toMatch(/twice|half/);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('keeps numbers as they were written', () => {
    const value = parseJson('[12345678901234567890.10, 1e400, -0]') as readonly JsonNumber[];
    expect(value.map(({ text }) => text)).toEqual(['12345678901234567890.10', '1e400', '-0']);
  });

  it('keeps names that JavaScript knows better', () => {
    const value = parseJson('{"__proto__": 1, "constructor": {"__proto__": 2}}');
    expect(isObject(value) && [...value.keys()]).toEqual(['__proto__', 'constructor']);
  });

  it.each([
    ['a name that stands twice', '{"a":1,"a":1}', /twice/],
    ['one that is spelt another way', '{"a":1,"\\u0061":2}', /twice/],
    ['one deep inside', '[{"x":{"b":1,"c":2,"b":3}}]', /twice/],
    ['half a character', '"\\ud800"', /half a character/],
    ['nesting without end', '['.repeat(100) + ']'.repeat(100), /too deep/],
    ['two values', '1 2', /follows/],
    ['nothing', '', /not JSON/],
    ['a comment', '{}//', /follows/],
    ['a comma at the end', '[1,]', /not JSON/],
    ['NaN', 'NaN', /not JSON/],
    ['a number with a leading zero', '01', /follows/],
    ['a tab in a string', '"\t"', /control/],
  ])('refuses %s', (_name, text, message) => {
    expect(() => parseJson(text)).toThrow(message);
  });

  it('refuses more values than anyone needs', () => {
    expect(() => parseJson(`[${'0,'.repeat(200_001)}0]`)).toThrow(/too many/);
  });
});

describe('writeJson()', () => {
  it('writes what parseJson() reads, and not a digit less', () => {
    const text = '{"a":[12345678901234567890.10,1e400,null,true,"\\u0001é"],"__proto__":{}}';
    expect(writeJson(parseJson(text))).toBe(text);
    fc.assert(
      fc.property(fc.json(), (each) => {
        expect(JSON.parse(writeJson(parseJson(each)))).toEqual(JSON.parse(each));
      }),
    );
  });
});

describe('parseJsonBytes()', () => {
  it('reads UTF-8 alone, without a byte order mark', () => {
    expect(parseJsonBytes(Buffer.from('"é"'))).toBe('é');
    expect(() => parseJsonBytes(Buffer.from([0x22, 0xff, 0x22]))).toThrow('not UTF-8');
    expect(() => parseJsonBytes(Buffer.from('\ufeff{}'))).toThrow('not JSON');
    expect(() => parseJsonBytes(Buffer.from('{}', 'utf16le'))).toThrow(JsonError);
  });
});
