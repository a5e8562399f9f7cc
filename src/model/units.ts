const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};
const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Bytes of `1 MiB`, `500KB` or `4096`; null when it is not a size. */
export function parseSize(text: string): number | null {
  return parseWith(text, SIZES, 1);
}

/** Milliseconds of `10s`, `5 m` or `250ms`; null when it is not a duration. A unit is required. */
export function parseDuration(text: string): number | null {
  return parseWith(text, DURATIONS, null);
}

function parseWith(text: string, units: Readonly<Record<string, number>>, bare: number | null): number | null {
  const match = /^([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Za-z]*)$/.exec(text.trim());
  if (match === null) return null;
  const unit = match[2] === '' ? bare : (units[match[2] ?? ''] ?? null);
  return unit === null ? null : Math.round(Number(match[1]) * unit);
}

/** So many in so long. */
export interface Rate {
  readonly count: number;
  /** Length of the window in milliseconds. */
  readonly window: number;
}

const WINDOWS: Readonly<Record<string, number>> = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** `600/minute`; null when it is not a rate. */
export function parseRate(text: string): Rate | null {
  const match = /^([1-9][0-9]{0,8}) ?\/ ?(second|minute|hour|day)$/.exec(text.trim());
  return match === null ? null : { count: Number(match[1]), window: WINDOWS[match[2] ?? ''] as number };
}
