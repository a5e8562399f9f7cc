import { constants, deflateRawSync, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Inflater } from '../../../src/scan/decoders/deflate.ts';
import { LOOK, probeDeflate } from '../../../src/scan/decoders/deflate-probe.ts';
import { BudgetExceeded } from '../../../src/scan/budget.ts';
import { Scanner } from '../../../src/scan/scanner.ts';
import { randomOf } from '../../support/samples.ts';
import { TOKEN, namesIn, tokenEngine } from '../../support/scan.ts';

/** What any compressor might make of some text or noise, and what it stands for. */
function* streams(count: number): Generator<readonly [Buffer, Buffer]> {
  const random = randomOf(77);
  const below = (most: number): number => Math.floor(random() * most);
  for (let i = 0; i < count; i++) {
    const kind = below(3);
    const plain = Buffer.from(
      Array.from({ length: 8 + below(random() < 0.5 ? 60 : 5000) }, (_, at) =>
        kind === 0 ? below(256) : kind === 1 ? 97 + below(4) : 'the quick brown fox '.charCodeAt(at % 20),
      ),
    );
    const strategy = [constants.Z_DEFAULT_STRATEGY, constants.Z_FIXED, constants.Z_HUFFMAN_ONLY][below(3)];
    yield [deflateRawSync(plain, { level: below(10), strategy, memLevel: 1 + below(9) }), plain];
  }
}

/** One block that is stored (RFC 1951 §3.2.4). */
function stored(text: string, last = false): Buffer {
  const head = Buffer.alloc(5);
  head[0] = last ? 1 : 0;
  head.writeUInt16LE(text.length, 1);
  head.writeUInt16LE(text.length ^ 0xffff, 3);
  return Buffer.concat([head, Buffer.from(text)]);
}

function inflated(bytes: Buffer, size: number): string | null {
  const inflater = new Inflater();
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length && !inflater.over; at += size) {
    const piece = inflater.push(bytes.subarray(at, at + size));
    if (piece === null) return null;
    out.push(piece);
  }
  inflater.close();
  return inflater.over ? Buffer.concat(out).toString('latin1') : null;
}

describe('probeDeflate()', () => {
  it('believes whatever a compressor made', () => {
    for (const [packed] of streams(600)) expect(probeDeflate(packed, 0, packed.length)).not.toBe('no');
  });

  it('does not believe noise, nor what is over at once', () => {
    const random = randomOf(5);
    let believed = 0;
    for (let i = 0; i < 2000; i++) {
      const noise = Uint8Array.from({ length: LOOK }, () => random() * 256);
      if (probeDeflate(noise, 0, LOOK) !== 'no') believed++;
    }
    expect(believed).toBeLessThan(100);
    expect(probeDeflate(deflateRawSync('abc'), 0, 5)).toBe('no');
  });

  it('asks for more where it ends too soon', () => {
    const packed = deflateRawSync('It is not over before it is over, whatever anybody says.');
    expect(probeDeflate(packed, 0, 6)).toBe('more');
    expect(probeDeflate(packed, 0, 0)).toBe('more');
  });
});

describe('Inflater', () => {
  it('undoes what compressors make, however it is split', () => {
    for (const [packed, plain] of streams(200))
      for (const size of [1, 7, 10_000])
        expect(inflated(Buffer.concat([packed, Buffer.from('behind')]), size)).toBe(plain.toString('latin1'));
  });

  it('undoes stored blocks, and what goes on with them', () => {
    const dictionary = Buffer.from('first and second');
    const rest = deflateRawSync('first and second, and second to none', { dictionary });
    const bytes = Buffer.concat([stored('first '), stored(''), stored('and second'), rest, Buffer.from('behind')]);
    for (const size of [1, 3, 1000])
      expect(inflated(bytes, size)).toBe('first and secondfirst and second, and second to none');
    expect(inflated(Buffer.concat([stored('a'), stored('b', true), Buffer.from('behind')]), 2)).toBe('ab');
    expect(inflated(Buffer.concat([stored('a'), Buffer.from('\0\x01\0\x01\0')]), 2)).toBeNull();
  });
});

describe('a scanner', () => {
  const engine = tokenEngine();
  const beginning = Buffer.from([0x78, 0x01]);

  it('finds a token that is cut up over stored blocks, and one at the very end', () => {
    const [one, two] = [TOKEN.slice(0, 9), TOKEN.slice(9)];
    expect(namesIn(engine, Buffer.concat([beginning, stored(one), stored(two, true)]))).toEqual(['token>zlib']);
    expect(namesIn(engine, deflateSync(TOKEN))).toEqual(['token>zlib']);
    expect(namesIn(engine, Buffer.concat([Buffer.from('x'.repeat(5000)), deflateSync(`a ${TOKEN}`)]))).toEqual([
      'token>zlib',
    ]);
  });

  it('reads stored streams that begin one in another, as tables of programs seem to, and refuses too many of them', () => {
    const nested = (depth: number): Buffer => {
      let stream = Buffer.from(`${'-'.repeat(200)} ${TOKEN} ${'-'.repeat(200)}`);
      for (let i = 0; i < depth; i++)
        stream = Buffer.concat([Buffer.from('before '), deflateSync(stream, { level: 0 })]);
      return stream;
    };
    expect(namesIn(engine, nested(8))).toContain('token');
    expect(() => namesIn(engine, nested(200))).toThrow(BudgetExceeded);
  });

  it.each([
    ['of stored blocks that go on', Buffer.concat([beginning, Buffer.from([0, 0x60, 0xea, 0x9f, 0x15])])],
    ['of stored blocks in one another', Buffer.concat([beginning, stored('x\x01\0\x07\0\xf8\xff')])],
    ['of blocks with codes of their own', deflateSync('abcdefgh'.repeat(9), { strategy: constants.Z_HUFFMAN_ONLY })],
    ['of Zstandard with large windows', Buffer.from(': \x28\xb5\x2f\xfd@g"', 'latin1')],
    ['of Zstandard that says nothing of itself', Buffer.from('\x28\xb5\x2f\xfd\0eaam', 'latin1')],
    ['of beginnings', Buffer.from('\x78\x9c\x4b\x4c\x4a\x06\x01', 'latin1')],
  ])('is not kept long by a flood %s', (_name, unit) => {
    const bytes = Buffer.concat(Array.from({ length: Math.ceil(4096 / unit.length) }, () => unit));
    const scanner = new Scanner(engine, Buffer.alloc(32, 1));
    try {
      scanner.wholeBytes(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(BudgetExceeded);
    }
    const worked = [...scanner.worked.values()].reduce((sum, each) => sum + each);
    expect(worked).toBeLessThan(100 * bytes.length);
  });
});
