/**
 * Sliding windows: never more than N in any window of length W, the half-open (t − W, t]. Pure; times are whole milliseconds
 * given by the caller. `stores/script.ts` says the same in Lua, and a test holds the two to the same answers.
 */

/** Up to this many, every event is remembered by its time. */
export const EXACT = 1000;
/** Beyond, a window is counted in so many parts: less than 1 % too cautious, never too generous. */
export const PARTS = 128;

/** Events by time, oldest first. */
export interface ExactState {
  readonly entries: Array<{ readonly at: number; readonly id: string }>;
}

/** Amounts by part of a window: part `floor(t × PARTS / W)`. */
export interface PartsState {
  readonly parts: Map<number, number>;
}

/** When members were used last. */
export interface DistinctState {
  readonly uses: Map<string, number>;
}

/** What is under way, and when it is given up for lost. */
export interface LiveState {
  readonly leases: Map<string, number>;
}

/** Whether there is room, and if not, in how many milliseconds there will be. */
export interface Room {
  /** How much more there is room for. */
  readonly left: number;
  /** 0 where there is room. */
  readonly wait: number;
}

/** Drops what is older than the window and says how many more events it takes. */
export function exactRoom({ entries }: ExactState, limit: number, window: number, now: number): Room {
  let old = 0;
  while (old < entries.length && (entries[old] as { at: number }).at <= now - window) old++;
  if (old > 0) entries.splice(0, old);
  const left = Math.max(0, limit - entries.length);
  if (left > 0) return { left, wait: 0 };
  const blocking = entries[entries.length - limit] as { at: number };
  return { left, wait: blocking.at + window - now };
}

export function addExact({ entries }: ExactState, now: number, id: string): void {
  let index = entries.length;
  // Clocks may step back: entries stay in order all the same.
  while (index > 0 && (entries[index - 1] as { at: number }).at > now) index--;
  entries.splice(index, 0, { at: now, id });
}

/** Takes an event back as if it had never been. */
export function removeExact({ entries }: ExactState, id: string): void {
  const index = entries.findIndex((entry) => entry.id === id);
  if (index !== -1) entries.splice(index, 1);
}

/** The part of a window that a time falls into. */
export function partOf(now: number, window: number): number {
  return Math.floor((now * PARTS) / window);
}

/** Drops old parts and says how much more fits; `wait` is for `least`. */
export function partsRoom({ parts }: PartsState, limit: number, window: number, now: number, least: number): Room {
  const oldest = partOf(now, window) - PARTS;
  let sum = 0;
  for (const [part, amount] of parts) {
    if (part < oldest) parts.delete(part);
    else sum += amount;
  }
  const left = Math.max(0, limit - sum);
  if (left >= least) return { left, wait: 0 };
  for (const part of [...parts.keys()].sort((a, b) => a - b)) {
    sum -= parts.get(part) as number;
    // A part is out of every window that begins behind it.
    if (limit - sum >= least) return { left, wait: Math.ceil(((part + PARTS + 1) * window) / PARTS) - now };
  }
  // More than there ever is room for.
  return { left, wait: window };
}

export function addPart({ parts }: PartsState, part: number, amount: number): void {
  const sum = (parts.get(part) ?? 0) + amount;
  if (sum > 0) parts.set(part, sum);
  else parts.delete(part);
}

/** Drops members that were not used in the window; one that is known needs no room. */
export function distinctRoom(
  { uses }: DistinctState,
  limit: number,
  window: number,
  now: number,
  member: string,
): Room {
  let oldest = Infinity;
  for (const [name, at] of uses) {
    if (at <= now - window) uses.delete(name);
    else oldest = Math.min(oldest, at);
  }
  const left = Math.max(0, limit - uses.size);
  if (left > 0 || uses.has(member)) return { left, wait: 0 };
  const wait = [...uses.values()].sort((a, b) => a - b)[uses.size - limit] as number;
  return { left, wait: wait + window - now };
}

/** Drops leases that were given up, and says how many more there may be. */
export function liveRoom({ leases }: LiveState, limit: number, now: number): Room {
  for (const [id, expires] of leases) if (expires <= now) leases.delete(id);
  const left = Math.max(0, limit - leases.size);
  // When something under way ends is nobody's to know.
  return { left, wait: left > 0 ? 0 : 1000 };
}
