import { describe, expect, it } from 'vitest';
import { BLOCK, TRAITS, traitsOf } from '../../../src/scan/bytes.ts';
import { Kernel } from '../../../src/scan/kernel.ts';
import { tablesOf } from '../../../src/scan/kernel-tables.ts';

/** Names of the traits of some bytes together. */
function traits(text: string): string[] {
  const bytes = Buffer.from(text, 'latin1');
  const kernel = new Kernel(tablesOf([]), bytes.length);
  kernel.run(bytes, { from: 0, to: bytes.length, pending: 0, final: true });
  const all = kernel.traits | TRAITS.any;
  return Object.entries(TRAITS).flatMap(([name, bit]) => ((all & bit) === 0 ? [] : [name]));
}
/** A text at every place within a block, among what has none of its traits. */
const shifted = (text: string): string[] =>
  Array.from({ length: BLOCK }, (_, shift) => `${'('.repeat(shift)}${text}${'('.repeat(BLOCK)}`);

/** Those that single bytes have. */
const OF_BYTES = 0xff | TRAITS.notWord | TRAITS.notCode;

describe('Kernel, of traits', () => {
  it('tells the traits of every byte, wherever it stands', () => {
    for (let byte = 0; byte < 256; byte++)
      for (let at = 0; at < 3 * BLOCK; at++) {
        const bytes = Buffer.alloc(3 * BLOCK + 1, 'a').fill(byte, at, at + 1);
        const kernel = new Kernel(tablesOf([]), bytes.length);
        kernel.run(bytes, { from: 0, to: bytes.length, pending: 0, final: true });
        const blocks = new Uint16Array(4);
        kernel.copyBlocks(0, bytes.length, blocks);
        const expected = [0, 0, 0, 0].fill(traitsOf(byte), at >> 3, (at >> 3) + 1);
        expect([...blocks].map((each) => each & OF_BYTES)).toEqual(expected);
        expect(kernel.traits & OF_BYTES).toBe(traitsOf(byte));
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
});
