import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Documents } from '../../../src/scan/document-index.ts';
import { printsOfDocument } from '../../../src/scan/documents.ts';
import { compileEngine } from '../../../src/scan/engine.ts';
import { winnowSeed, Winnower } from '../../../src/scan/winnow.ts';
import { randomOf } from '../../support/samples.ts';
import { KEY, namesIn } from '../../support/scan.ts';

const WORDS =
  'the quick brown fox jumps over lazy dogs while seven wizards make toxic brew for evil queens and jacks'.split(' ');

/** Prose that nobody wrote before. */
function prose(words: number, seed: number): string {
  const next = randomOf(seed);
  let text = '';
  for (let i = 0; i < words; i++) {
    const word = `${WORDS[Math.floor(next() * WORDS.length)] ?? ''}${Math.floor(next() * 100)}`;
    text += `${i % 9 === 0 ? `\n${word[0]?.toUpperCase() ?? ''}${word.slice(1)}` : word}${i % 9 === 8 ? '.' : ''} `;
  }
  return text;
}

const empty = compileEngine([]);
const document = (name: string, text: string | Buffer): { name: string; added: string; prints: Float64Array } => ({
  name,
  added: '',
  prints: printsOfDocument(Buffer.from(text), KEY, empty),
});
const contract = prose(2000, 1);
const other = prose(2000, 2);
const note = prose(16, 3);
const documents = { current: new Documents([document('contract', contract), document('note', note)], KEY) };
const engine = compileEngine([], undefined, documents);

describe('documents', () => {
  it.each<readonly [string, string | Buffer]>([
    ['all of it', contract],
    ['a paragraph in another text', `${prose(50, 9)}${contract.slice(5000, 5400)}${prose(50, 10)}`],
    ['in capitals, on one line, without punctuation', contract.slice(4000, 4500).toUpperCase().replace(/[\n.]/g, '')],
    ['in JSON', JSON.stringify({ messages: [{ content: contract.slice(1000, 1600) }] })],
    ['in Base64', Buffer.from(contract.slice(2000, 2600)).toString('base64')],
    ['compressed', gzipSync(contract.slice(3000, 3600))],
    ['compressed, in hexadecimal digits', gzipSync(contract.slice(3000, 3600)).toString('hex')],
    [
      'in parts, one here and one there',
      [0, 1, 2, 3, 4, 5].map((i) => contract.slice(i * 900, i * 900 + 120) + prose(20, 40 + i)).join('\n'),
    ],
  ])('are found: %s', (_name, text) => {
    expect(new Set(namesIn(engine, text).map((name) => name.split('>')[0]))).toEqual(new Set(['document:contract']));
  });

  it('are found once, however a stream is split', () => {
    const bytes = Buffer.from(`${other}${contract.slice(500, 1100)}`);
    const whole = namesIn(engine, bytes);
    expect(whole).toEqual(['document:contract']);
    const random = randomOf(17);
    for (let round = 0; round < 10; round++)
      expect(
        namesIn(
          engine,
          bytes,
          Array.from({ length: 20 }, () => Math.floor(random() * bytes.length)),
        ),
      ).toEqual(whole);
  });

  it('are found by half of them where they are short', () => {
    expect(namesIn(engine, `see: ${note}`)).toEqual(['document:note']);
  });

  it('are not found in other texts, nor in a sentence of them', () => {
    expect(namesIn(engine, other)).toEqual([]);
    expect(namesIn(engine, contract.slice(700, 780))).toEqual([]);
    expect(namesIn(engine, JSON.stringify({ a: other, b: contract.slice(900, 960) }))).toEqual([]);
  });

  it('have nothing of their own in what many have in common', () => {
    const licence = prose(200, 5);
    const many = Array.from({ length: 5 }, (_, i) => document(`file ${i}`, `${licence}${prose(300, 60 + i)}`));
    const common = compileEngine([], undefined, { current: new Documents(many, KEY) });
    expect(namesIn(common, licence)).toEqual([]);
    expect(namesIn(common, prose(300, 62))).toEqual(['document:file 2']);
  });

  it('are known without their tags, too', () => {
    const page = contract.slice(0, 3000).replaceAll(' ', ' <b class="x">').replaceAll('.', '</b>. ');
    const pages = compileEngine([], undefined, { current: new Documents([document('page', page)], KEY) });
    expect(namesIn(pages, contract.slice(1000, 1600))).toEqual(['document:page']);
  });

  it('keep nothing that can be read, and nothing that another key would find', () => {
    const { prints } = document('contract', contract);
    expect(prints.every((print) => Number.isSafeInteger(print) && print >= 0)).toBe(true);
    const elsewhere = { current: new Documents([{ name: 'x', added: '', prints }], Buffer.alloc(32, 9)) };
    expect(namesIn(compileEngine([], undefined, elsewhere), contract)).toEqual([]);
  });
});

describe('Winnower', () => {
  it('has a print in common with whatever is as long as a shingle and a window', () => {
    const seed = winnowSeed(KEY);
    const printsOf = (text: string): Set<number> => {
      const prints = new Set<number>();
      const bytes = Buffer.from(text);
      new Winnower(seed, (print) => prints.add(print)).push(bytes, 0, bytes.length);
      return prints;
    };
    const letters = contract.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
    const whole = printsOf(letters);
    for (let at = 0; at + 47 < letters.length; at += 13) {
      const part = [...printsOf(letters.slice(at, at + 47))];
      expect(part.length).toBeGreaterThan(0);
      expect(part.some((print) => whole.has(print))).toBe(true);
    }
  });
});
