import { wordlist } from '@scure/bip39/wordlists/english.js';

/** Letters by which a word of the list is told from all others. */
const LETTERS = 4;
const HASHES = 8192;

/** A bit for each hash of the first letters of a word, lower-case: those of BIP 39's English list. kernel/closer.ts asks it. */
export const PHRASE_WORDS = new Uint8Array(HASHES / 8);
for (const word of wordlist) {
  // What stands for a letter that is not there is what a zero becomes in lower case.
  const letters = Buffer.from(word.slice(0, LETTERS).padEnd(LETTERS, ' '), 'latin1').readInt32LE();
  const hash = Math.imul(letters, 0x9e37_79b1) >>> 19;
  PHRASE_WORDS[hash >> 3] = (PHRASE_WORDS[hash >> 3] as number) | (1 << (hash & 7));
}
