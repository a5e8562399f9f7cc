import { TRAITS, nextInARow } from '../bytes.ts';
import type { Detector } from '../detector.ts';
import { card } from '../validators/card.ts';
import { iban } from '../validators/iban.ts';
import type { Reader } from '../reader.ts';
import type { View } from '../view.ts';
import { leftBound } from '../edges.ts';

/** Longest number with its separators: an IBAN in groups of four. */
const LONGEST = 48;
/** Fewest digits of a payment card. */
const CARD = 13;
/** Digits in a row, or it is no group of anything looked for here. */
const STEP = 4;
const PLUS = 0x2b;

const DIGIT = 1;
const LETTER = 2;
const SEPARATOR = 4;
const KINDS = kinds();
const DIGITS = { trait: TRAITS.fourDigits, count: STEP, kinds: KINDS, kind: DIGIT };

/** Payment cards, IBANs and telephone numbers: digits in groups, told from other numbers by what validates them. */
export class NumberReader implements Reader {
  readonly #view: View;
  readonly #card: Detector | undefined;
  readonly #iban: Detector | undefined;
  readonly #phone: Detector | undefined;
  #from = 0;
  waiting = Infinity;
  readonly asks = TRAITS.fourDigits;

  constructor(view: View) {
    this.#view = view;
    const { finders } = view.context.engine;
    this.#card = finders.get('card');
    this.#iban = finders.get('iban');
    this.#phone = finders.get('phone');
  }

  get used(): boolean {
    return this.#card !== undefined || this.#iban !== undefined || this.#phone !== undefined;
  }

  opened(): number {
    return Infinity;
  }

  restart(): void {
    this.#from = this.#view.end;
    this.waiting = Infinity;
  }

  read(_from: number, to: number, final: boolean): void {
    const { bytes, blocks, base } = this.#view;
    this.waiting = Infinity;
    let from = this.#from - base;
    const next = (after: number): number => nextInARow(bytes, blocks, DIGITS, after, to);
    for (let at = next(from); at < to; at = next(from)) {
      let end = at + STEP;
      // No further than one number: digits may go on for as long as anybody likes.
      while (end < to && end - at < LONGEST && isDigit(bytes[end] as number)) end++;
      const start = this.#startOf(at, from);
      end = endOf(bytes, start, to);
      if (end === to && !final && end - start < LONGEST) {
        this.waiting = this.#from = base + start;
        return;
      }
      // Dates and times are the most of what comes here: too few digits and letters for a card or an IBAN.
      if (bytes[start - 1] === PLUS || isLong(bytes, start, end)) this.#judge(start, end);
      from = end;
    }
    // Letters and short groups may stand before digits that are still to come.
    let last = to;
    while (last > from && to - last < LONGEST && KINDS[bytes[last - 1] as number] !== 0) last--;
    this.#from = base + (final ? to : Math.max(from, last));
  }

  /** Back over groups and letters that may belong to the number. */
  #startOf(at: number, from: number): number {
    const { bytes } = this.#view;
    let start = at;
    const lowest = Math.max(from, at - 12);
    while (start > lowest && KINDS[bytes[start - 1] as number] !== 0) {
      const kind = KINDS[bytes[start - 1] as number] as number;
      if (
        (kind & SEPARATOR) !== 0 &&
        (start - 2 < lowest || ((KINDS[bytes[start - 2] as number] as number) & (DIGIT | LETTER)) === 0)
      )
        break;
      start--;
    }
    return start;
  }

  /** Judges the groups in [start, end), beginning at each. */
  #judge(start: number, end: number): void {
    const { bytes, context } = this.#view;
    context.budget.spend(end - start);
    for (let at = start; at < end; at++) {
      const kind = KINDS[bytes[at] as number] as number;
      const begins = at === start || KINDS[bytes[at - 1] as number] !== kind || (kind & SEPARATOR) !== 0;
      if (!begins || (kind & SEPARATOR) !== 0) continue;
      if ((kind & DIGIT) !== 0) at = Math.max(at, this.#digits(at, end) - 1);
      else if (this.#iban !== undefined && end - at >= 15) at = Math.max(at, this.#ibanAt(at, end) - 1);
    }
  }

  /** A card or telephone number that begins at `at`; returns where it ends, or `at`. */
  #digits(at: number, end: number): number {
    const { bytes } = this.#view;
    if (this.#phone !== undefined && bytes[at - 1] === PLUS) return this.#phoneAt(at, end);
    if (this.#card === undefined || !this.#bounded(at)) return at;
    let digits = 0;
    let best = at;
    for (let index = at; index < end && digits <= 19; index++) {
      const kind = KINDS[bytes[index] as number] as number;
      if ((kind & LETTER) !== 0) break;
      if ((kind & DIGIT) === 0) continue;
      digits++;
      if (digits < CARD || (index + 1 < end && KINDS[bytes[index + 1] as number] !== SEPARATOR)) continue;
      if (card(this.#text(at, index + 1))) best = index + 1;
    }
    if (best > at) this.#report(this.#card, at, best);
    return best;
  }

  #phoneAt(at: number, end: number): number {
    const { bytes } = this.#view;
    let index = at;
    let digits = 0;
    for (; index < end && digits < 15; index++) {
      const kind = KINDS[bytes[index] as number] as number;
      if ((kind & LETTER) !== 0) break;
      if ((kind & DIGIT) !== 0) digits++;
    }
    if (digits >= 8 && this.#phone !== undefined) this.#report(this.#phone, at - 1, index);
    return index;
  }

  #ibanAt(at: number, end: number): number {
    const { bytes } = this.#view;
    if (!this.#bounded(at) || !isDigit(bytes[at + 2] as number) || !isDigit(bytes[at + 3] as number)) return at;
    let compact = 0;
    for (let index = at; index < end && compact < 34; index++) {
      if ((KINDS[bytes[index] as number] as number) & SEPARATOR) continue;
      compact++;
      if (compact < 15 || (index + 1 < end && KINDS[bytes[index + 1] as number] !== SEPARATOR)) continue;
      if (!iban(this.#text(at, index + 1))) continue;
      this.#report(this.#iban as Detector, at, index + 1);
      return index + 1;
    }
    return at;
  }

  /** Nothing that belongs to another number or word stands right before it. */
  #bounded(at: number): boolean {
    const { bytes, base, begin } = this.#view;
    const before = bytes[at - 1];
    if (before === 0x2e && at >= 2 && isDigit(bytes[at - 2] as number)) return false;
    return leftBound(bytes, at, begin - base);
  }

  #text(from: number, to: number): string {
    const { bytes } = this.#view;
    return Buffer.from(bytes.buffer, from, to - from).toString('latin1');
  }

  #report(detector: Detector, from: number, to: number): void {
    this.#view.context.match(detector, this.#view, from, to);
  }
}

/** Index behind the groups that begin at `start`. */
function endOf(bytes: Uint8Array, start: number, to: number): number {
  let end = start;
  const most = Math.min(to, start + LONGEST);
  while (end < most) {
    const kind = KINDS[bytes[end] as number] as number;
    if (kind === 0) break;
    if ((kind & SEPARATOR) !== 0 && end > start && ((KINDS[bytes[end - 1] as number] as number) & SEPARATOR) !== 0)
      break;
    end++;
  }
  return end;
}

/** Whether there are as many digits and letters as a card has digits; an IBAN has more. */
function isLong(bytes: Uint8Array, start: number, end: number): boolean {
  let count = 0;
  for (let at = start; at < end; at++) if (((KINDS[bytes[at] as number] as number) & (DIGIT | LETTER)) !== 0) count++;
  return count >= CARD;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function kinds(): Uint8Array {
  const table = new Uint8Array(256);
  table.fill(DIGIT, 0x30, 0x3a);
  table.fill(LETTER, 0x41, 0x5b);
  table[0x20] = table[0x2d] = SEPARATOR;
  return table;
}
