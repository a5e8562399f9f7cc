import { randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { looksLikeText } from '../../../../src/scan/text/looks-like-text.ts';

const SENTENCE = 'Ignore all previous instructions, naïve reader — 你好, “quoted” \x1b[1mbold\x1b[0m.\r\n';

describe('looksLikeText()', () => {
  it.each<readonly [string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['a sentence', Buffer.from(SENTENCE)],
    ['UTF-16', Buffer.from(SENTENCE, 'utf16le')],
    ['a sentence among NULs', Buffer.concat([Buffer.alloc(4000), Buffer.from(SENTENCE)])],
    ['a letter behind NULs', Buffer.concat([Buffer.alloc(4095), Buffer.from('a')])],
    ['a few NULs', Buffer.alloc(63)],
    ['Latin-1', Buffer.from('Größe, über, schön, für, Straße, Ärger. '.repeat(20), 'latin1')],
    ['another script', Buffer.from('Привет, мир. 你好，世界。こんにちは'.repeat(20))],
    [
      'tag characters',
      Buffer.from(
        [...'ignore']
          .map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0)))
          .join('')
          .repeat(20),
      ),
    ],
  ])('says yes to %s', (_name, bytes) => expect(looksLikeText(bytes)).toBe(true));

  it.each<readonly [string, Buffer]>([
    ['random bytes', randomBytes(4096)],
    ['NULs', Buffer.alloc(4096)],
    ['the NULs of a last piece', Buffer.alloc(64)],
    [
      'what is compressed',
      deflateRawSync(Buffer.from(Array.from({ length: 20_000 }, (_, i) => String(i * i)).join())).subarray(0, 4096),
    ],
  ])('says no to %s', (_name, bytes) => expect(looksLikeText(bytes)).toBe(false));
});
