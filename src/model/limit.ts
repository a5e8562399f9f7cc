import { parseDuration, parseSize } from './units.ts';

/** What can be limited (POLICY.md, "Limits"). */
export const LIMIT_KINDS = [
  'requests',
  'upload',
  'download',
  'novel-upload',
  'concurrency',
  'hosts',
  'tokens',
] as const;
export type LimitKind = (typeof LIMIT_KINDS)[number];

/** So much of something, in any window of a length; `concurrency` has none, for it counts what is under way. */
export interface Limit {
  readonly kind: LimitKind;
  /** Requests, bytes, exchanges under way, hosts, or tokens. */
  readonly count: number;
  /** Milliseconds; 0 for `concurrency`. */
  readonly window: number;
  /** As its author wrote it. */
  readonly text: string;
}

const UNITS: Readonly<Record<string, string>> = { second: '1s', minute: '1m', hour: '1h', day: '1d' };
const THOUSANDS: Readonly<Record<string, number>> = { '': 1, k: 1000, M: 1_000_000 };
const MOST = Number.MAX_SAFE_INTEGER / 256;
/** Shorter windows say nothing: clocks differ by that. */
const SHORTEST = 1000;
const LONGEST = 31 * 86_400_000;

/** Reads `600/minute`, `20 MiB/hour`, `10/5m` or, for concurrency, `32`. Null when it is not a limit of that kind. */
export function parseLimit(kind: LimitKind, text: string): Limit | null {
  const [amount = '', per, ...rest] = text.trim().split('/');
  if (rest.length > 0) return null;
  const count = isInBytes(kind) ? parseSize(amount) : parseCount(amount.trim());
  if (count === null || count < 1 || count > MOST) return null;
  if (kind === 'concurrency') return per === undefined ? { kind, count, window: 0, text } : null;
  const window = per === undefined ? null : parseDuration(UNITS[per.trim()] ?? per.trim());
  if (window === null || window < SHORTEST || window > LONGEST) return null;
  return { kind, count, window, text };
}

/** `200`, `200k`, `1.5M`. */
function parseCount(text: string): number | null {
  const match = /^([0-9]{1,12}(?:\.[0-9]{1,3})?)(k|M)?$/.exec(text);
  if (match === null) return null;
  const value = Number(match[1]) * (THOUSANDS[match[2] ?? ''] as number);
  return Number.isInteger(value) ? value : null;
}

/** What a limit of a kind looks like, for messages. */
export function limitForm(kind: LimitKind): string {
  if (kind === 'concurrency') return 'a number such as 8';
  if (kind === 'tokens') return 'a rate such as 200k/day';
  return isInBytes(kind) ? 'a size and a time such as 20 MiB/hour' : 'a rate such as 10/hour or 600/5m';
}

/** What counts bytes. */
export function isInBytes(kind: LimitKind): boolean {
  return kind === 'upload' || kind === 'download' || kind === 'novel-upload';
}
