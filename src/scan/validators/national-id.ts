import { luhn } from './luhn.ts';

function digitsOf(text: string): string {
  return text.replace(/[^0-9]/g, '');
}

/** Sum of digits times weights. */
function weigh(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, index) => sum + weight * Number(digits[index] ?? 0), 0);
}

/** United States: numbers that are never given out are none (SSA, "SSN Randomization"). */
export function ssn(text: string): boolean {
  const digits = digitsOf(text);
  const area = Number(digits.slice(0, 3));
  if (digits.length !== 9 || area === 0 || area === 666 || area >= 900) return false;
  if (digits.slice(3, 5) === '00' || digits.slice(5) === '0000') return false;
  // Numbers that were printed as examples, and those of one digit.
  return digits !== '078051120' && digits !== '219099999' && digits !== '123456789' && new Set(digits).size > 2;
}

/** Canada: Luhn; 0 and 8 begin none. */
export function sin(text: string): boolean {
  const digits = digitsOf(text);
  return digits.length === 9 && !'08'.includes(digits[0] as string) && luhn(digits) && new Set(digits).size > 2;
}

/** United Kingdom, National Insurance (HMRC, NIM39110): prefixes that are not used are none. */
export function nino(text: string): boolean {
  const compact = text.replace(/[ -]/g, '').toUpperCase();
  if (!/^[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/.test(compact)) return false;
  return !['BG', 'GB', 'KN', 'NK', 'NT', 'TN', 'ZZ'].includes(compact.slice(0, 2)) && compact.slice(2, 8) !== '123456';
}

/** United Kingdom, NHS number: mod 11. */
export function nhs(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 10 || new Set(digits).size <= 2) return false;
  const check = 11 - (weigh(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11);
  return (check === 11 ? 0 : check) === Number(digits[9]) && check !== 10;
}

/** France, NIR: mod 97; Corsica's departments count as 19 and 18. */
export function nir(text: string): boolean {
  const compact = text.replace(/[ .-]/g, '').toUpperCase();
  if (!/^[12]\d{4}(?:\d{2}|2[AB])\d{8}$/.test(compact)) return false;
  const number = BigInt(compact.slice(0, 13).replace('2A', '19').replace('2B', '18'));
  return Number(97n - (number % 97n)) === Number(compact.slice(13));
}

/** Germany, tax id: ISO 7064 mod 11,10; exactly one digit stands twice or three times among the first ten. */
export function steuerId(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 11 || digits[0] === '0') return false;
  const counts = [...new Set(digits.slice(0, 10))].map((each) => digits.slice(0, 10).split(each).length - 1);
  if (counts.filter((count) => count > 1).length !== 1 || Math.max(...counts) > 3) return false;
  let product = 10;
  for (const digit of digits.slice(0, 10)) {
    const sum = (Number(digit) + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits[10]);
}

/** United States, ABA routing number: weights 3, 7, 1. */
export function abaRouting(text: string): boolean {
  const digits = digitsOf(text);
  const range = Number(digits.slice(0, 2));
  if (digits.length !== 9 || !(range <= 12 || (range >= 21 && range <= 32) || (range >= 61 && range <= 72)))
    return false;
  return weigh(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0 && new Set(digits).size > 2;
}

/** Spain, DNI and NIE: the letter is the number mod 23. */
export function dni(text: string): boolean {
  const compact = text.replace('-', '').toUpperCase();
  const digits = compact.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)));
  return 'TRWAGMYFPDXBNJZSQVHLCKE'[Number(digits) % 23] === compact.at(-1);
}

/** Netherlands, BSN: the eleven test. */
export function bsn(text: string): boolean {
  const digits = digitsOf(text);
  return digits.length === 9 && new Set(digits).size > 2 && weigh(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0;
}

/** Belgium: mod 97, of the number with a 2 before it for those born in this century. */
export function belgianNationalNumber(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 11 || Number(digits.slice(2, 4)) > 12 || Number(digits.slice(4, 6)) > 31) return false;
  const check = Number(digits.slice(9));
  const number = digits.slice(0, 9);
  return [number, `2${number}`].some((each) => 97 - (Number(each) % 97) === check);
}

/** Poland, PESEL: weights 1, 3, 7, 9; the month says the century. */
export function pesel(text: string): boolean {
  const digits = digitsOf(text);
  const month = Number(digits.slice(2, 4)) % 20;
  if (digits.length !== 11 || month === 0 || month > 12 || Number(digits.slice(4, 6)) > 31) return false;
  return weigh(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0;
}

/** Sweden: Luhn over the ten digits, behind a date. */
export function personnummer(text: string): boolean {
  const digits = digitsOf(text).slice(-10);
  const day = Number(digits.slice(4, 6)) % 60;
  return digits.length === 10 && Number(digits.slice(2, 4)) <= 12 && day > 0 && day <= 31 && luhn(digits);
}

/** Switzerland, AHV: the check digit of EAN-13. */
export function ean13(text: string): boolean {
  const digits = digitsOf(text);
  return digits.length === 13 && weigh(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0;
}

/** Brazil, CPF: two check digits, mod 11. */
export function cpf(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 11 || new Set(digits).size === 1) return false;
  return [9, 10].every((length) => {
    const weights = Array.from({ length }, (_, index) => length + 1 - index);
    const rest = (weigh(digits, weights) * 10) % 11;
    return (rest === 10 ? 0 : rest) === Number(digits[length]);
  });
}

/** Australia, tax file number: weighted, mod 11. */
export function tfn(text: string): boolean {
  const digits = digitsOf(text);
  return digits.length === 9 && new Set(digits).size > 2 && weigh(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0;
}

const D =
  '0123456789 1234067895 2340178956 3401289567 4012395678 5987604321 6598710432 7659821043 8765932104 9876543210'.split(
    ' ',
  );
const P = '0123456789 1576283094 5803796142 8916043527 9453126870 4286573901 2793806415 7046913258'.split(' ');

/** India, Aadhaar: Verhoeff's check digit. */
export function verhoeff(text: string): boolean {
  const digits = digitsOf(text);
  if (digits.length !== 12 || '01'.includes(digits[0] as string)) return false;
  let check = 0;
  [...digits].reverse().forEach((digit, index) => {
    const permuted = Number((P[index % 8] as string)[Number(digit)]);
    check = Number((D[check] as string)[permuted]);
  });
  return check === 0;
}
