import { validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import type { Detector } from '../detector.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';

/** Each word of the list is told by its first four letters: one bit for each four letters there are, 0 where there is none. */
const BEGINNINGS = new Uint8Array(27 ** 4);
for (const word of wordlist) {
  let code = 0;
  for (let i = 0; i < 4; i++) code = code * 27 + (i < word.length ? word.charCodeAt(i) - 0x60 : 0);
  BEGINNINGS[code] = 1;
}
const WORDS: ReadonlySet<string> = new Set(wordlist);
/** Lengths of phrases (BIP 39), longest first. */
const LENGTHS = [24, 21, 18, 15, 12];
/** A phrase of twelve words is no shorter: a word of it stands at every one of these steps. */
const STEP = 40;
/** A word and what may stand between two: spaces, line breaks, commas, quotes, numbers in a list. */
const LONGEST_WORD = 8;
const LONGEST_GAP = 8;
/** Most bytes of a phrase. */
const LONGEST = 24 * (LONGEST_WORD + LONGEST_GAP);

/** Seed phrases of wallets: words of BIP 39's English list whose checksum is right. */
export class PhraseReader implements Reader {
  readonly #view: View;
  readonly #detector: Detector | undefined;
  #from = 0;
  waiting = Infinity;

  constructor(view: View) {
    this.#view = view;
    this.#detector = view.context.engine.finders.get('seed-phrase');
  }

  get used(): boolean {
    return this.#detector !== undefined;
  }

  opened(): number {
    return Infinity;
  }

  restart(): void {
    this.#from = this.#view.end;
    this.waiting = Infinity;
  }

  read(_from: number, to: number, final: boolean): void {
    const { base } = this.#view;
    this.waiting = Infinity;
    let from = this.#from - base;
    for (let probe = from + STEP; probe < to; probe += STEP) {
      const at = this.#wordNear(probe, from, to);
      if (at < 0) continue;
      const phrase = this.#phraseAround(at, from, to);
      if (phrase.end >= to - LONGEST_GAP - LONGEST_WORD && !final && to - phrase.start < LONGEST) {
        this.#from = this.waiting = base + phrase.start;
        return;
      }
      if (phrase.words.length >= 12) this.#judge(phrase);
      from = Math.max(from, phrase.end);
      probe = Math.max(probe, from);
    }
    this.#from = base + (final ? to : Math.max(from, to - STEP - LONGEST_WORD - LONGEST_GAP, 0));
  }

  /** Start of the word of the list that stands at an index or right behind the gap there; -1: none does. */
  #wordNear(probe: number, from: number, to: number): number {
    const { bytes } = this.#view;
    let at = probe;
    while (at < to && at < probe + LONGEST_GAP && !isLetter(bytes[at] as number)) at++;
    while (at > from && probe - at <= LONGEST_WORD && isLetter(bytes[at - 1] as number)) at--;
    return this.#wordAt(at, to) === '' ? -1 : at;
  }

  #wordAt(at: number, to: number): string {
    const { bytes } = this.#view;
    let end = at;
    while (end < to && end - at <= LONGEST_WORD && isLetter(bytes[end] as number)) end++;
    if (end - at < 3 || end - at > LONGEST_WORD) return '';
    let code = 0;
    for (let i = 0; i < 4; i++) code = code * 27 + (at + i < end ? (bytes[at + i] as number) & 31 : 0);
    if (BEGINNINGS[code] === 0) return '';
    const word = Buffer.from(bytes.buffer, at, end - at).toString('latin1').toLowerCase();
    return WORDS.has(word) ? word : '';
  }

  #phraseAround(at: number, from: number, to: number): Phrase {
    const { bytes } = this.#view;
    this.#view.context.budget.spend(64);
    let start = at;
    for (let count = 0; count < 24; count++) {
      let end = start;
      while (end > from && start - end < LONGEST_GAP && isGap(bytes[end - 1] as number)) end--;
      if (end === start) break;
      let begin = end;
      while (begin > from && isLetter(bytes[begin - 1] as number) && end - begin <= LONGEST_WORD) begin--;
      if (this.#wordAt(begin, end) === '') break;
      start = begin;
    }
    const words: Array<{ word: string; at: number }> = [];
    let next = start;
    for (;;) {
      const word = this.#wordAt(next, to);
      if (word === '') break;
      words.push({ word, at: next });
      const end = next + word.length;
      next = end;
      while (next < to && next - end < LONGEST_GAP && isGap(bytes[next] as number)) next++;
      if (next === end || next >= to) break;
    }
    const last = words.at(-1);
    return { start, end: last === undefined ? start : last.at + last.word.length, words };
  }

  #judge({ words }: Phrase): void {
    const { context } = this.#view;
    for (let first = 0; first + 12 <= words.length; first++) {
      for (const length of LENGTHS) {
        const some = words.slice(first, first + length);
        // A word again and again is no phrase, whatever its checksum.
        if (some.length < length || new Set(some.map(({ word }) => word)).size < 8) continue;
        context.budget.spend(2000);
        if (!validateMnemonic(some.map(({ word }) => word).join(' '), wordlist)) continue;
        const last = some.at(-1) as (typeof some)[number];
        const at = (some[0] as (typeof some)[number]).at;
        context.match(this.#detector as Detector, this.#view, at, last.at + last.word.length);
        return;
      }
    }
  }
}

/** Words of the list one after another. */
interface Phrase {
  readonly start: number;
  readonly end: number;
  readonly words: ReadonlyArray<{ readonly word: string; readonly at: number }>;
}

function isLetter(byte: number): boolean {
  const lower = byte | 32;
  return lower >= 0x61 && lower <= 0x7a;
}

function isGap(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x2c || byte === 0x22 || byte === 0x09 || (byte >= 0x2d && byte <= 0x3a && byte !== 0x2f);
}
