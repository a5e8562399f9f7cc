/** So many characters nobody sees, one after another, are there to say something. */
const RUN = 24;
/** Text in tag characters (U+E0020 to U+E007E); shorter runs are flags of parts of countries. */
const SMUGGLED = 8;

/** What stands before text in characters nobody sees, and in place of a run of them. Patterns of detectors name them. */
const MARK_SMUGGLED = '\x01';
const MARK_RUN = '\x02';

/** Characters that nobody sees (UTR #36): soft hyphen, joiners, fillers, directions, variation selectors; within a class. */
export const UNSEEN_CHARACTERS =
  '\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180e\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff';
export const INVISIBLE = new RegExp(`[${UNSEEN_CHARACTERS}]`);

/** Reads what only machines see of a text, and tells it a sentence a line. */
export class Unseen {
  readonly #tell: (text: string) => void;
  #run = 0;
  #smuggled = '';

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** Something nobody sees stands right before. */
  get any(): boolean {
    return this.#run > 0 || this.#smuggled !== '';
  }

  /** One more character that nobody sees. */
  add(): void {
    if (++this.#run === RUN) this.#tell(`\n${MARK_RUN}\n`);
  }

  /** The second half of a character of U+E0000 to U+E03FF: tags, which are text to a model, and variation selectors. */
  supplement(low: number): void {
    if (low >= 0xdc20 && low <= 0xdc7e) this.#smuggled += String.fromCharCode(low - 0xdc00);
    else this.add();
  }

  /** Something people see comes next. */
  seen(): void {
    if (this.#smuggled.length >= SMUGGLED)
      this.#tell(`\n${MARK_SMUGGLED}\n${this.#smuggled.replaceAll(/([.!?:]) /g, '$1\n')}\n`);
    this.#smuggled = '';
    this.#run = 0;
  }

  /** A comment, or the attributes of an element: their quotes are part of how they are written. */
  comment(text: string): void {
    if (!/[A-Za-z]{3}/.test(text)) return;
    const plain = text
      .replaceAll(/=['"]|["=<>`|\n\r]+/g, '\n')
      .replaceAll(/[*#]+/g, '')
      .replaceAll(/(^|\n)[ \t]*(?:[-+•–(]+|\/+ )[ \t]*/g, '$1')
      .replaceAll(/[ \t]+/g, ' ')
      .trim();
    this.#tell(`\n${plain.replaceAll(/([.!?:]) |\n /g, '$1\n')}\n`);
  }
}
