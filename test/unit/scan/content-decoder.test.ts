import { execFileSync } from 'node:child_process';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CodingError, ContentDecoder, contentCodings, decodeContent } from '../../../src/scan/content-decoder.ts';

const zstd = (bytes: Buffer, ...more: string[]): Buffer =>
  execFileSync('zstd', ['-q', '-c', ...more], { input: bytes, maxBuffer: 1 << 28 });
const TEXT = Buffer.from(
  Array.from({ length: 4000 }, (_, index) => `{"line":${index},"value":"${(index * 7919).toString(36)}"}`).join('\n'),
);
const LIMIT = 1 << 20;
const ENCODE = {
  gzip: (bytes: Buffer) => gzipSync(bytes),
  deflate: (bytes: Buffer) => deflateSync(bytes),
  br: (bytes: Buffer) => brotliCompressSync(bytes),
  zstd: (bytes: Buffer) => zstd(bytes),
} as const;
type Coding = keyof typeof ENCODE;
const CODINGS = Object.keys(ENCODE) as Coding[];

function piecesOf(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

/** What decoding failed with. */
async function failure(pieces: Buffer[], codings: readonly Coding[], limit = LIMIT): Promise<CodingError> {
  const thrown: unknown = await decodeContent(pieces, codings, limit).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(CodingError);
  return thrown as CodingError;
}

describe('contentCodings()', () => {
  it.each<[string[], string[] | null]>([
    [[], []],
    [['gzip'], ['gzip']],
    [['X-GZIP'], ['gzip']],
    [['identity'], []],
    [['gzip, br'], ['gzip', 'br']],
    [
      ['gzip', ' identity , zstd'],
      ['gzip', 'zstd'],
    ],
    [['compress'], null],
    [['aws-chunked'], null],
    [['gzip,'], null],
    [['gzip, gzip, gzip'], null],
  ])('of %j', (values, expected) => {
    expect(contentCodings(values)).toEqual(expected);
  });
});

describe.each(CODINGS)('%s', (coding) => {
  it.each([1, 7, 1000, 1 << 20])('is decoded in pieces of %i bytes', async (size) => {
    const decoded = await decodeContent(piecesOf(ENCODE[coding](TEXT), size), [coding], LIMIT);
    expect(decoded.equals(TEXT)).toBe(true);
  });

  it('of nothing is nothing', async () => {
    expect((await decodeContent([ENCODE[coding](Buffer.alloc(0))], [coding], LIMIT)).length).toBe(0);
  });

  it('cut short is no body', async () => {
    const whole = ENCODE[coding](TEXT);
    expect((await failure([whole.subarray(0, whole.length - 9)], [coding])).tooLarge).toBe(false);
    expect((await failure([whole.subarray(0, 3)], [coding])).tooLarge).toBe(false);
    expect((await failure([], [coding])).tooLarge).toBe(false);
  });

  it('damaged is no body', async () => {
    expect((await failure([Buffer.from('{"plain":"text, and long enough to be one"}')], [coding])).message).toContain(
      coding,
    );
  });

  it('with something behind its end is no body', async () => {
    const whole = Buffer.concat([ENCODE[coding](TEXT), Buffer.from('hidden behind the end of it')]);
    expect((await failure([whole], [coding])).tooLarge).toBe(false);
    expect((await failure(piecesOf(whole, 100), [coding])).tooLarge).toBe(false);
  });

  it('that expands beyond the limit is stopped there', async () => {
    const bomb = ENCODE[coding](Buffer.alloc(16 << 20));
    const before = process.memoryUsage().arrayBuffers;
    expect((await failure(piecesOf(bomb, 64 * 1024), [coding])).tooLarge).toBe(true);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20);
  });

  it('exactly at the limit is a body', async () => {
    const body = Buffer.alloc(LIMIT, 'ab');
    expect((await decodeContent([ENCODE[coding](body)], [coding], LIMIT)).length).toBe(LIMIT);
    expect((await failure([ENCODE[coding](Buffer.alloc(LIMIT + 1, 'ab'))], [coding])).tooLarge).toBe(true);
  });
});

describe('codings one upon another', () => {
  it('come off in reverse', async () => {
    const both = brotliCompressSync(gzipSync(TEXT));
    expect((await decodeContent(piecesOf(both, 100), ['gzip', 'br'], LIMIT)).equals(TEXT)).toBe(true);
    expect((await failure([both], ['br', 'gzip'])).tooLarge).toBe(false);
  });

  it('are bounded at each of them', async () => {
    const bomb = gzipSync(gzipSync(Buffer.alloc(64 << 20)));
    expect(bomb.length).toBeLessThan(4_000);
    expect((await failure([bomb], ['gzip', 'gzip'])).tooLarge).toBe(true);
  });
});

describe('ContentDecoder', () => {
  it('gives what can be known of each piece at once, as streams of events need it', async () => {
    const { createGzip, constants } = await import('node:zlib');
    const encoder = createGzip();
    const decoder = new ContentDecoder(['gzip'], LIMIT);
    for (const event of ['data: one\n\n', 'data: two\n\n']) {
      const pieces: Buffer[] = [];
      const collect = (bytes: Buffer): void => void pieces.push(bytes);
      encoder.on('data', collect);
      encoder.write(event);
      await new Promise<void>((resolve) => encoder.flush(constants.Z_SYNC_FLUSH, () => resolve()));
      encoder.off('data', collect);
      expect((await decoder.push(Buffer.concat(pieces))).toString()).toBe(event);
    }
    decoder.destroy();
    encoder.destroy();
  });

  it('bounds each piece of a body without end, and not their sum', async () => {
    for (const coding of ['gzip', 'zstd'] as const) {
      const piece = ENCODE[coding](Buffer.alloc(LIMIT));
      const decoder = new ContentDecoder([coding], LIMIT, true);
      for (let count = 0; count < 3; count++) await decoder.push(piece);
      await expect(decoder.push(ENCODE[coding](Buffer.alloc(3 * LIMIT)))).rejects.toMatchObject({ tooLarge: true });
      decoder.destroy();
    }
  });

  it('reads deflate without its header, as some send it', async () => {
    expect((await decodeContent(piecesOf(deflateRawSync(TEXT), 1), ['deflate'], LIMIT)).equals(TEXT)).toBe(true);
  });

  it('reads members of gzip one after another, as all readers do', async () => {
    const two = Buffer.concat([gzipSync('one '), gzipSync('two')]);
    expect((await decodeContent([two], ['gzip'], LIMIT)).toString()).toBe('one two');
  });
});
