import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK, TRAITS, blockOf, inText, isOfRun, nextWith, traitsOf } from '../../../src/scan/bytes.ts';
import { ENTITIES } from '../../../src/scan/decoders/entities.ts';
import { QUOTED_PRINTABLE } from '../../../src/scan/decoders/quoted-printable.ts';
import { Kernel } from '../../../src/scan/kernel.ts';
import { tablesOf } from '../../../src/scan/kernel-tables.ts';

/** One for all tests: each has a memory of its own. */
const kernel = new Kernel(tablesOf([]), 4096);

/** Names of the traits of some bytes together. */
function traits(text: string): string[] {
  const bytes = Buffer.from(text, 'latin1');
  kernel.run(bytes, { from: 0, to: bytes.length, pending: 0, final: true });
  const all = kernel.traits | TRAITS.any;
  return Object.entries(TRAITS).flatMap(([name, bit]) => ((all & bit) === 0 ? [] : [name]));
}
/** A text at every place within a block, among what has none of its traits. */
const shifted = (text: string): string[] =>
  Array.from({ length: BLOCK }, (_, shift) => `${'('.repeat(shift)}${text}${'('.repeat(BLOCK)}`);

const isLetter = (byte: number): boolean => /[A-Za-z]/.test(String.fromCharCode(byte));
/** Whether a word of one letter or two ends right before an index. */
const endsShortWord = (bytes: Buffer, at: number): boolean =>
  /(?:^|[^A-Za-z])[A-Za-z]{1,2}$/.test(bytes.toString('latin1', 0, at));

/** Those that single bytes have. */
const OF_BYTES = 0xff | TRAITS.notWord | TRAITS.notCode;

describe('Kernel, of traits', () => {
  it('tells the traits of every byte, wherever it stands', () => {
    for (let byte = 0; byte < 256; byte++)
      for (let at = 0; at < 3 * BLOCK; at++) {
        const bytes = Buffer.alloc(3 * BLOCK + 1, ' ').fill(byte, at, at + 1);
        kernel.run(bytes, { from: 0, to: bytes.length, pending: 0, final: true });
        const blocks = new Uint16Array(4);
        kernel.copyBlocks(0, bytes.length, blocks);
        const expected = [0, 0, 0, 0].fill(traitsOf(byte), at >> 3, (at >> 3) + 1);
        // A letter by itself is no word of a phrase.
        if (isLetter(byte)) expected[(at + 1) >> 3] = TRAITS.notWord | (expected[(at + 1) >> 3] as number);
        expect([...blocks].map((each) => each & OF_BYTES)).toEqual(expected);
        expect(kernel.traits & OF_BYTES).toBe(expected.reduce((all, each) => all | each, 0));
      }
  });

  it('tells what occurs', () => {
    expect(traits('a%b')).toEqual(expect.arrayContaining(['percent', 'any']));
    expect(traits('\\')).toContain('backslash');
    expect(traits('1\0')).toEqual(expect.arrayContaining(['digit', 'zero']));
    expect(traits('\u00e9')).toContain('high');
    expect(traits('plain text')).not.toEqual(expect.arrayContaining(['percent']));
  });

  it('tells of the shortest run that may be encoded, wherever it begins, and not of words', () => {
    for (const text of shifted('dGhpcyBpcyBpdCEh')) expect(traits(text)).toContain('longRun');
    expect(traits('ten or a dozen of short words')).not.toContain('longRun');
  });

  it('tells of the shortest codes of a dozen characters, wherever they begin', () => {
    for (const text of shifted('41 42 43 44 45 46 47 48 49 4a 4b 4c')) expect(traits(text)).toContain('codes');
    expect(traits('from 10 to 12, or 1234567890')).not.toContain('codes');
  });

  it('tells of the shortest phrase of a dozen words, wherever it begins', () => {
    const phrase = Array.from({ length: 12 }, () => 'act').join(' ');
    for (const text of shifted(phrase)) expect(traits(text)).toContain('words');
    expect(traits('{"a_name":"some words of text"},{"b_name":"other words"}')).not.toContain('words');
  });

  it('tells of each block what ends in it, however the bytes are split', () => {
    const piece = fc.oneof(
      fc.string({ minLength: 1, maxLength: 4, unit: 'binary' }),
      fc.constantFrom('1234', '12', 'AbC+/_-dEfgh', '0123456789abcdef', 'x', ' ', 'abandon ', 'of ', 'mechanics '),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.array(fc.nat(200), { maxLength: 5 }), (pieces, cuts) => {
        const bytes = Buffer.from(pieces.join(''));
        const ends = [...new Set([...cuts.filter((cut) => cut > 0 && cut < bytes.length), bytes.length])];
        const blocks = new Uint16Array(blockOf(bytes.length) + 1);
        let from = 0;
        for (const to of ends.sort((a, b) => a - b)) {
          kernel.run(bytes, { from, to, pending: 0, final: to === bytes.length });
          kernel.copyBlocks(from, to, blocks);
          from = to;
        }
        const inARow = (end: number, count: number, is: (byte: number) => boolean): boolean =>
          end + 1 >= count && bytes.subarray(end + 1 - count, end + 1).every(is);
        const expected = new Uint16Array(blocks.length);
        for (const [at, byte] of bytes.entries()) {
          let traits = traitsOf(byte);
          if (inARow(at, 16, isOfRun)) traits |= TRAITS.longRun;
          if (inARow(at, 9, isLetter) || (at > 0 && !isLetter(byte) && endsShortWord(bytes, at)))
            traits |= TRAITS.notWord;
          if (inARow(at, 4, (each) => each >= 0x30 && each <= 0x39)) traits |= TRAITS.fourDigits;
          expected[blockOf(at)] = (expected[blockOf(at)] as number) | traits;
        }
        // The end is an end of words, too, where there is room in its block.
        const last = blockOf(bytes.length);
        if (last * BLOCK < bytes.length && endsShortWord(bytes, bytes.length))
          expected[last] = (expected[last] as number) | TRAITS.notWord;
        expect(blocks.map((each) => each & ~TRAITS.notText)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('passes by what stands in no text, and nothing that stands in some, however the bytes are split', () => {
    const noise = fc.uint8Array({ minLength: 1, maxLength: 90 }).map((bytes) => Buffer.from(bytes));
    const text = fc
      .constantFrom('key=', 'é', 'слово ', '你好', 'sixteen letters ', 'ｓｋ', '\u200b', '\n', '\0')
      .map((each) => Buffer.from(each));
    let passed = 0;
    fc.assert(
      fc.property(
        fc.array(fc.oneof(noise, text), { maxLength: 40 }),
        fc.array(fc.nat(300), { maxLength: 4 }),
        (pieces, cuts) => {
          const bytes = Buffer.concat(pieces);
          const { length } = bytes;
          const blocks = new Uint16Array(2 * (blockOf(length) + 1));
          const view = { blocks, pairs: new Uint32Array(blocks.buffer) };
          let from = 0;
          for (const to of [...new Set([...cuts.filter((cut) => cut > 0 && cut < length), length])].sort(
            (a, b) => a - b,
          )) {
            kernel.run(bytes, { from, to, pending: 0, final: false });
            kernel.copyBlocks(from, to, blocks);
            from = to;
          }
          const padded = Buffer.concat([bytes, Buffer.alloc(32)]);
          const seen = new Set<number>();
          for (let at = 0; at < length; at++) seen.add((at = nextWith(padded, view, TRAITS.high, at, length, length)));
          for (let at = 0; at < length; at++) {
            if ((traitsOf(bytes[at] as number) & TRAITS.high) === 0) continue;
            if (seen.has(at)) continue;
            passed++;
            expect(inText(padded, at, 0, length)).toBe(false);
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(passed).toBeGreaterThan(100);
  });

  it.each([
    ['references of characters', TRAITS.references, ENTITIES, ['&', '#', ';', 'x', '65', 'lowbar', 'amp;', 'a', ' ']],
    ['quoted-printable', TRAITS.quoted, QUOTED_PRINTABLE, ['=', '=41', '=5A', '=4a', '\n', '\r\n', 'a', 'some text ']],
  ] as const)('misses no %s', (_what, trait, escapes, parts) => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 30 }), (pieces) => {
        const bytes = Buffer.from(pieces.join(''));
        const padded = Buffer.concat([bytes, Buffer.alloc(32)]);
        kernel.run(bytes, { from: 0, to: bytes.length, pending: 0, final: true });
        const hides = bytes.some((byte, at) => (traitsOf(byte) & escapes.trait) !== 0 && escapes.hides(padded, at));
        if (hides) expect(kernel.traits & trait).toBe(trait);
      }),
      { numRuns: 2000 },
    );
  });
});
