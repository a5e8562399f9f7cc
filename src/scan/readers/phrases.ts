import { validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { TRAITS, blockOf } from '../bytes.ts';
import type { Detector } from '../detector.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';

/** Letters by their number in the alphabet, in either case; 0 for all else. */
const LETTERS = new Uint8Array(256);
for (let letter = 1; letter <= 26; letter++) LETTERS[0x40 + letter] = LETTERS[0x60 + letter] = letter;
/** Letters of each word of the list, eight for each. */
const WORDS = new Uint8Array(wordlist.length * 8);
/** Each word is told by its first four letters, five bits each: these, and its number in the list, where its code hashes to. */
const SLOTS = 4096;
const CODES = new Int32Array(SLOTS);
const NUMBERS = new Int16Array(SLOTS);
wordlist.forEach((word, number) => {
  for (let i = 0; i < word.length; i++) WORDS[number * 8 + i] = LETTERS[word.charCodeAt(i)] as number;
  let code = 0;
  for (let i = 0; i < 4; i++) code = (code << 5) | (WORDS[number * 8 + i] as number);
  let slot = slotOf(code);
  while (CODES[slot] !== 0) slot = (slot + 1) % SLOTS;
  CODES[slot] = code;
  NUMBERS[slot] = number;
});

function slotOf(code: number): number {
  return Math.imul(code, 0x9e37_79b1) >>> 20;
}

/** Lengths of phrases (BIP 39), longest first. */
const LENGTHS = [24, 21, 18, 15, 12];
/** Twelve words that are drawn by chance are longer than this (76 bytes, give or take 5): one of them stands at every one of these steps. */
const STEP = 52;
const HALF = 26;
const QUARTER = 13;
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
  readonly asks = TRAITS.words;

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
    const { base, blocks } = this.#view;
    this.waiting = Infinity;
    let from = this.#from - base;
    for (let probe = from + STEP; probe < to; probe += STEP) {
      if (isCutOff(blocks, probe, to)) continue;
      const at = this.#wordNear(probe, from, to);
      if (at < 0 || this.#standsAlone(probe, from, to, final)) continue;
      const phrase = this.#phraseAround(at, from, to);
      if (phrase === null) continue;
      if (phrase.end >= to - LONGEST_GAP - LONGEST_WORD && !final && to - phrase.start < LONGEST) {
        this.#from = this.waiting = base + phrase.start;
        return;
      }
      if (phrase.count >= 12) this.#judge(phrase);
      from = Math.max(from, phrase.end);
      probe = Math.max(probe, from);
    }
    this.#from = base + (final ? to : Math.max(from, to - STEP - LONGEST_WORD - LONGEST_GAP, 0));
  }

  /** A phrase is longer than twice half a step: up to half a step before this word, or behind it, all words are of the list. */
  #standsAlone(probe: number, from: number, to: number, final: boolean): boolean {
    if (probe - HALF < from) return false;
    const goesOn = (at: number): boolean => (at < to ? this.#wordNear(at, from, to) >= 0 : !final);
    if (goesOn(probe + QUARTER) && goesOn(probe + HALF)) return false;
    return this.#wordNear(probe - QUARTER, from, to) < 0 || this.#wordNear(probe - HALF, from, to) < 0;
  }

  /** Start of the word of the list that stands at an index or right behind the gap there; -1: none does. */
  #wordNear(probe: number, from: number, to: number): number {
    const { bytes } = this.#view;
    let at = probe;
    while (at < to && at < probe + LONGEST_GAP && !isLetter(bytes[at] as number)) at++;
    while (at > from && probe - at <= LONGEST_WORD && isLetter(bytes[at - 1] as number)) at--;
    return this.#wordAt(at, to) < 0 ? -1 : at;
  }

  /** Number of the word of the list that stands at an index, all of it; -1: none does. */
  #wordAt(at: number, to: number): number {
    const { bytes } = this.#view;
    let code = 0;
    let end = at;
    for (let i = 0; i < 4; i++) {
      const letter = end < to ? (LETTERS[bytes[end] as number] as number) : 0;
      code = (code << 5) | letter;
      if (letter > 0) end++;
    }
    let slot = slotOf(code);
    while (CODES[slot] !== code) {
      if (CODES[slot] === 0) return -1;
      slot = (slot + 1) % SLOTS;
    }
    const number = NUMBERS[slot] as number;
    for (let i = 4; i < LONGEST_WORD && WORDS[number * 8 + i] !== 0; i++, end++)
      if (end >= to || LETTERS[bytes[end] as number] !== WORDS[number * 8 + i]) return -1;
    return end < to && isLetter(bytes[end] as number) ? -1 : number;
  }

  /** The words of the list before and behind the one at `at`. Most stand alone: nothing is made for those. */
  #phraseAround(at: number, from: number, to: number): Phrase | null {
    let start = at;
    let count = 1;
    for (let before = this.#before(at, from, to); before >= 0 && count < 24; before = this.#before(before, from, to)) {
      start = before;
      count++;
    }
    let end = this.#wordEnd(at, to);
    const first = end;
    for (let next = this.#next(end, to); next >= 0 && count < 48; next = this.#next(end, to)) {
      end = this.#wordEnd(next, to);
      count++;
    }
    this.#view.context.budget.spend(8 * count);
    // At the end of what is there, the next word may be still to come.
    return count < 12 && (end < to - LONGEST_GAP - LONGEST_WORD || first === 0) ? null : { start, end, count };
  }

  /** Start of the word of the list that ends before the gap before `at`; -1: none does. */
  #before(at: number, from: number, to: number): number {
    const { bytes } = this.#view;
    let end = at;
    while (end > from && at - end < LONGEST_GAP && isGap(bytes[end - 1] as number)) end--;
    if (end === at) return -1;
    let begin = end;
    while (begin > from && isLetter(bytes[begin - 1] as number) && end - begin <= LONGEST_WORD) begin--;
    return begin < end && this.#isWord(begin, to) ? begin : -1;
  }

  /** Start of the word of the list behind the gap at `end`; -1: none stands there. */
  #next(end: number, to: number): number {
    const { bytes } = this.#view;
    let next = end;
    while (next < to && next - end < LONGEST_GAP && isGap(bytes[next] as number)) next++;
    return next === end || next >= to || !this.#isWord(next, to) ? -1 : next;
  }

  #wordEnd(at: number, to: number): number {
    const { bytes } = this.#view;
    let end = at;
    while (end < to && end - at <= LONGEST_WORD && isLetter(bytes[end] as number)) end++;
    return end;
  }

  #isWord(at: number, to: number): boolean {
    return this.#wordAt(at, to) >= 0;
  }

  #wordsOf({ start, end }: Phrase): Array<{ readonly word: string; readonly at: number }> {
    const words: Array<{ readonly word: string; readonly at: number }> = [];
    for (let at = start; at >= 0 && at < end; at = this.#next(this.#wordEnd(at, end), end))
      words.push({ word: wordlist[this.#wordAt(at, end)] as string, at });
    return words;
  }

  #judge(phrase: Phrase): void {
    const { context } = this.#view;
    const words = this.#wordsOf(phrase);
    for (let first = 0; first + 12 <= words.length; first++) {
      for (const length of LENGTHS) {
        const some = words.slice(first, first + length);
        // A word again and again is no phrase, whatever its checksum.
        if (some.length < length || new Set(some.map(({ word }) => word)).size < 8) continue;
        if (isSorted(some)) continue;
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

/** Whole blocks of the shortest phrase beside the one that an index in it is in: twelve words of three letters fill five. */
const BESIDE = 4;

/** Whether something that is in no phrase stands so close by that there is no room for one. */
function isCutOff(blocks: Uint16Array, probe: number, to: number): boolean {
  const block = blockOf(probe);
  const last = blockOf(to) - 1;
  let free = 0;
  for (let at = block - 1; at >= 0 && free < BESIDE && isFree(blocks, at); at--) free++;
  for (let at = block + 1; free < BESIDE; at++) {
    // What has not come yet may belong to it.
    if (at > last) return false;
    if (!isFree(blocks, at)) return true;
    free++;
  }
  return false;
}

function isFree(blocks: Uint16Array, block: number): boolean {
  return ((blocks[block] as number) & TRAITS.notWord) === 0;
}

/** Words of the list one after another. */
interface Phrase {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

function isLetter(byte: number): boolean {
  return LETTERS[byte] !== 0;
}

const GAPS = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[ \n\r,"\t\-.\d:]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

function isGap(byte: number): boolean {
  return GAPS[byte] !== 0;
}

/** A part of the list itself is no phrase: nobody draws twelve words in alphabetical order. */
function isSorted(words: ReadonlyArray<{ readonly word: string }>): boolean {
  return words.every(({ word }, index) => index === 0 || word >= (words[index - 1] as { word: string }).word);
}
