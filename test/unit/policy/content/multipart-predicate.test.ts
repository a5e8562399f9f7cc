import { describe, expect, it } from 'vitest';
import { MultipartPredicates } from '../../../../src/policy/content/multipart-predicate.ts';
import type { Part } from '../../../../src/policy/content/multipart.ts';
import { compilePredicate } from '../../../../src/policy/predicate.ts';

const PNG = Buffer.from('89504e470d0a1a0a00', 'hex');
const text = (name: string, value: string): Part => ({ name, filename: null, type: null, bytes: Buffer.from(value) });
const file = (name: string, type: string | null, bytes: Buffer): Part => ({ name, filename: 'f', type, bytes });
const predicates = new MultipartPredicates(
  new Map([['title', compilePredicate({ 'max-length': 5 })]]),
  new Map([['image', { types: ['image/*', 'application/pdf'], most: 100, optional: false }]]),
  true,
);
const good = [text('title', 'short'), file('image', 'image/png', PNG)];

describe('MultipartPredicates', () => {
  it('hold for a form of what is listed', () => {
    expect(predicates.flaw(good)).toBeNull();
  });

  it.each<[string, Part[], RegExp]>([
    ['a field too long', [text('title', 'too long'), good[1] as Part], /title is not/],
    ['the second of two', [...good, text('title', 'too long')], /title is not/],
    ['a missing field', [good[1] as Part], /title is missing/],
    ['a missing file', [good[0] as Part], /image is missing/],
    ['a part that is not listed', [...good, text('more', 'x')], /not listed/],
    ['a file of another type', [text('title', 'x'), file('image', 'text/html', Buffer.from('<p>'))], /not of a type/],
    ['a file that says no type', [text('title', 'x'), file('image', null, PNG)], /not of a type/],
    ['a field in place of a file', [text('title', 'x'), text('image', 'x')], /not of a type/],
    ['a file in place of a field', [file('title', 'text/plain', Buffer.from('x')), good[1] as Part], /no text/],
    [
      'a program that says it is an image',
      [text('title', 'x'), file('image', 'image/webp', Buffer.from('\x7fELF', 'latin1'))],
      /not what it says/,
    ],
    [
      'text that says it is a PNG',
      [text('title', 'x'), file('image', 'image/png', Buffer.from('hello'))],
      /not what it says/,
    ],
    [
      'a file that is too large',
      [text('title', 'x'), file('image', 'image/png', Buffer.concat([PNG, Buffer.alloc(200)]))],
      /larger/,
    ],
  ])('%s', (_name, parts, flaw) => {
    expect(predicates.flaw(parts)).toMatch(flaw);
  });

  it('take documents that are archives inside', () => {
    const zipped = new MultipartPredicates(
      new Map(),
      new Map([
        [
          'doc',
          {
            types: ['application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
            most: null,
            optional: true,
          },
        ],
      ]),
      false,
    );
    const type = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
    expect(zipped.flaw([file('doc', type, Buffer.from('504b030400', 'hex'))])).toBeNull();
    expect(zipped.flaw([text('anything', 'else')])).toBeNull();
  });

  it('as a deny mean one part of the name', () => {
    const deny = new MultipartPredicates(new Map([['kind', compilePredicate('secret')]]), new Map(), true);
    expect(deny.mayHold([text('kind', 'plain'), text('kind', 'secret')])).toBe(true);
    expect(deny.mayHold([text('kind', 'plain')])).toBe(false);
    expect(deny.mayHold([file('kind', null, Buffer.from([0xff]))])).toBe(true);
  });
});
