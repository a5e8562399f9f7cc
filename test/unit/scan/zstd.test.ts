import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { ZstdDecoder, ZstdWalker, readFrameHeader } from '../../../src/scan/zstd.ts';

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const compress = (bytes: Buffer, ...more: string[]): Buffer =>
  execFileSync('zstd', ['-q', '-c', ...more], { input: bytes, maxBuffer: 1 << 28 });

/** A block of bytes as they are (type 0), or of one byte repeated (type 1). */
function block(type: number, size: number, content: Buffer, last = false): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE(size * 8 + type * 2 + (last ? 1 : 0), 0, 3);
  return Buffer.concat([header, content]);
}
/** A frame with this window descriptor. */
const frame = (window: number, ...blocks: Buffer[]): Buffer =>
  Buffer.concat([MAGIC, Buffer.from([0, window]), ...blocks]);
const raw = (text: string, last = false): Buffer => block(0, text.length, Buffer.from(text), last);

function decode(pieces: readonly Buffer[]): string {
  const out: Buffer[] = [];
  const decoder = new ZstdDecoder((bytes) => out.push(bytes));
  for (const piece of pieces) decoder.push(piece);
  decoder.end();
  return Buffer.concat(out).toString();
}

describe('ZstdDecoder', () => {
  it('reads frames one after another, skippable ones between them', () => {
    const skippable = Buffer.concat([Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), Buffer.from('abc')]);
    const all = Buffer.concat([
      frame(0, raw('one ', true)),
      skippable,
      compress(Buffer.from('two '), '--check'),
      frame(8, raw('th'), raw('ree', true)),
    ]);
    expect(decode([all])).toBe('one two three');
    expect(decode([...all].map((byte) => Buffer.from([byte])))).toBe('one two three');
  });

  it('reads what the zstd program writes, at every level and with every kind of header', () => {
    const text = Buffer.from('the same words over and over, '.repeat(20_000));
    for (const more of [['-1'], ['-19'], ['--no-check'], ['--check'], ['--fast=5'], ['--content-size']])
      expect(decode([compress(text, ...more)])).toBe(text.toString());
  });

  it.each<[string, Buffer, RegExp]>([
    ['a window above 8 MiB', frame(14 << 3, raw('x', true)), /window of/],
    [
      'a content of terabytes in one segment',
      Buffer.concat([MAGIC, Buffer.from([0xe0, 0, 0, 0, 0, 1, 0, 0, 0]), raw('x', true)]),
      /window of/,
    ],
    ['a dictionary', Buffer.concat([MAGIC, Buffer.from([1, 0, 7]), raw('x', true)]), /dictionary/],
    ['a reserved bit', Buffer.concat([MAGIC, Buffer.from([8, 0]), raw('x', true)]), /reserved/],
    ['a reserved block', frame(0, block(3, 1, Buffer.from('x'), true)), /reserved/],
    ['empty blocks without end', frame(13 << 3, ...Array.from({ length: 100 }, () => raw(''))), /too many/],
    ['frames without end', Buffer.concat(Array.from({ length: 100 }, () => frame(13 << 3, raw('', true)))), /too many/],
    ['no frame', Buffer.from('hello world, hello world'), /not a Zstandard frame/],
  ])('will not work on %s', (_name, bytes, message) => {
    expect(() => decode([bytes])).toThrow(message);
    expect(() => decode([...bytes].map((byte) => Buffer.from([byte])))).toThrow(message);
  });

  it('stops where it is told to', () => {
    const decoder = new ZstdDecoder(() => {
      throw new Error('enough');
    });
    expect(() => decoder.push(frame(0, raw('x'.repeat(100)), raw('', true)))).toThrow('enough');
  });
});

describe('ZstdWalker', () => {
  it('knows where a frame ends', () => {
    const walker = new ZstdWalker();
    const bytes = compress(Buffer.from('hello'.repeat(1000)), '--check');
    for (const byte of bytes.subarray(0, -1)) {
      walker.push(Buffer.from([byte]));
      expect(walker.complete).toBe(false);
    }
    walker.push(bytes.subarray(-1));
    expect(walker.complete).toBe(true);
  });
});

describe('readFrameHeader()', () => {
  it.each<[string, number[], number | null]>([
    ['a window descriptor', [0, 0x58], 2 << 20],
    ['a window with a mantissa', [0, 0x59], (2 << 20) + (256 << 10)],
    ['a size of one byte', [0x20, 7], 7],
    ['a size of two bytes', [0x60, 1, 0], 257],
    ['a size of four bytes', [0xa0, 0, 0, 16, 0], 1 << 20],
    ['too few bytes', [0xa0, 0, 0], null],
  ])('of %s', (_name, bytes, window) => {
    expect(readFrameHeader(Buffer.concat([MAGIC, Buffer.from(bytes)]))?.window ?? null).toBe(window);
  });
});
