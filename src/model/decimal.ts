/** A decimal number exactly as written: 0.DIGITS × 10^exponent, the digits without zeros at either end; zero has none. */
interface Decimal {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

const FORM = /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]{1,9}))?$/;

function parse(text: string): Decimal | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  const all = whole + fraction;
  const digits = all.replace(/^0+/, '');
  const leading = all.length - digits.length;
  const trimmed = digits.replace(/0+$/, '');
  if (trimmed === '') return { negative: false, digits: '', exponent: 0 };
  return { negative: sign === '-', digits: trimmed, exponent: whole.length - leading + Number(power) };
}

/**
 * Compares two numbers in the notation of JSON without rounding either: negative, zero or positive as `a` is below, equal to
 * or above `b`. Null where one is no number, or one whose exponent has more than nine digits.
 */
export function compareDecimals(a: string, b: string): number | null {
  const [left, right] = [parse(a), parse(b)];
  if (left === null || right === null) return null;
  if (left.negative !== right.negative) return left.negative ? -1 : 1;
  const magnitude = compareMagnitudes(left, right);
  // Not -magnitude: equal is 0, and never -0.
  return left.negative ? 0 - magnitude : magnitude;
}

function compareMagnitudes(a: Decimal, b: Decimal): number {
  if (a.digits === '' || b.digits === '') return a.digits.length - b.digits.length;
  if (a.exponent !== b.exponent) return a.exponent - b.exponent;
  return a.digits === b.digits ? 0 : a.digits < b.digits ? -1 : 1;
}

/** Whether a number has no fraction, whatever its notation. */
export function isInteger(text: string): boolean {
  const decimal = parse(text);
  return decimal !== null && decimal.exponent >= decimal.digits.length;
}
