import { luhn } from './luhn.ts';

/** Ranges of issuers (ISO/IEC 7812) with the lengths their cards have. First digits from, to, lengths. */
const ISSUERS: ReadonlyArray<readonly [number, number, readonly number[]]> = [
  [34, 34, [15]],
  [37, 37, [15]],
  [300, 305, [14]],
  [36, 36, [14]],
  [38, 39, [14]],
  [3528, 3589, [16]],
  [4, 4, [13, 16, 19]],
  [2221, 2720, [16]],
  [51, 55, [16]],
  [50, 50, [16]],
  [56, 58, [16]],
  [6011, 6011, [16]],
  [622, 622, [16, 19]],
  [63, 63, [16]],
  [644, 659, [16]],
  [67, 67, [16]],
  [81, 81, [16]],
];

/** Groups as cards are printed; a number without any is one group. */
const GROUPINGS = new Set(['4-4-4-4', '4-6-5', '4-6-4', '4-4-4-4-3', '4-4-4-1']);

/**
 * A payment card: an issuer's range and length, the check digit, groups as they are printed, and not one of the numbers that
 * documentation and test systems use.
 */
export function card(text: string): boolean {
  const digits = text.replace(/[^0-9]/g, '');
  const groups = text.split(/[^0-9]+/).filter((group) => group !== '');
  if (groups.length > 1 && !GROUPINGS.has(groups.map((group) => group.length).join('-'))) return false;
  if (!isIssued(digits) || !luhn(digits)) return false;
  // Few different digits: counters, padding, test numbers such as 4111 1111 1111 1111.
  return new Set(digits).size >= 5;
}

function isIssued(digits: string): boolean {
  return ISSUERS.some(([from, to, lengths]) => {
    if (!lengths.includes(digits.length)) return false;
    const prefix = Number(digits.slice(0, String(from).length));
    return prefix >= from && prefix <= to;
  });
}
