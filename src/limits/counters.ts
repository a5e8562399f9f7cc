import type { Demand, Grant, Reserved, Return } from './store.ts';
import {
  EXACT,
  addExact,
  addPart,
  distinctRoom,
  exactRoom,
  liveRoom,
  partOf,
  partsRoom,
  removeExact,
  type DistinctState,
  type ExactState,
  type LiveState,
  type PartsState,
  type Room,
} from './window.ts';

/** Every counter by its key. Plain data: it can be written down and read again. */
export interface Counters {
  readonly exact: Map<string, ExactState>;
  readonly parts: Map<string, PartsState>;
  readonly distinct: Map<string, DistinctState>;
  readonly live: Map<string, LiveState>;
}

export function noCounters(): Counters {
  return { exact: new Map(), parts: new Map(), distinct: new Map(), live: new Map() };
}

/** Gives everything that is demanded, or nothing: what was looked at is changed only once all of it has room. */
export function reserve(counters: Counters, now: number, id: string, demands: readonly Demand[]): Reserved {
  const rooms: Room[] = [];
  for (const demand of demands) {
    const room = roomFor(counters, now, id, demand);
    if (room.wait > 0) return { ok: false, demand, left: room.left, wait: room.wait };
    rooms.push(room);
  }
  const amounts = sharedAmounts(demands, rooms);
  return { ok: true, grants: demands.map((demand) => give(counters, now, id, demand, amounts)) };
}

/** Takes back what was given, as if it had not been. */
export function giveBack(counters: Counters, id: string, returns: readonly Return[]): void {
  for (const { grant, amount } of returns) {
    const { demand, mark, at } = grant;
    const { key, kind } = demand;
    if (kind === 'place') counters.live.get(key)?.leases.delete(id);
    else if (kind === 'member') restore(counters.distinct.get(key), demand.member, at, mark);
    else if (kind === 'event' && demand.limit <= EXACT) removeExact(state(counters.exact, key, emptyExact), id);
    else addPart(state(counters.parts, key, emptyParts), mark, -amount);
  }
}

/** Says that places are still taken. */
export function renew(counters: Counters, now: number, id: string, demands: readonly Demand[]): void {
  for (const demand of demands)
    if (demand.kind === 'place') state(counters.live, demand.key, emptyLive).leases.set(id, now + demand.lifetime);
}

function roomFor(counters: Counters, now: number, id: string, demand: Demand): Room {
  const { key, limit, kind } = demand;
  if (kind === 'place') {
    const live = state(counters.live, key, emptyLive);
    const room = liveRoom(live, limit, now);
    return live.leases.has(id) ? { ...room, wait: 0 } : room;
  }
  const { window } = demand;
  if (kind === 'member')
    return distinctRoom(state(counters.distinct, key, emptyDistinct), limit, window, now, demand.member);
  if (kind === 'event' && limit <= EXACT) return exactRoom(state(counters.exact, key, emptyExact), limit, window, now);
  return partsRoom(state(counters.parts, key, emptyParts), limit, window, now, kind === 'event' ? 1 : demand.least);
}

/** The bytes that every demand of a group has. */
function sharedAmounts(demands: readonly Demand[], rooms: readonly Room[]): Map<string, number> {
  const amounts = new Map<string, number>();
  demands.forEach((demand, index) => {
    if (demand.kind !== 'amount') return;
    const most = Math.min(demand.amount, (rooms[index] as Room).left);
    amounts.set(demand.group, Math.min(most, amounts.get(demand.group) ?? Infinity));
  });
  return amounts;
}

function give(
  counters: Counters,
  now: number,
  id: string,
  demand: Demand,
  amounts: ReadonlyMap<string, number>,
): Grant {
  const { key, kind } = demand;
  if (kind === 'place') {
    state(counters.live, key, emptyLive).leases.set(id, now + demand.lifetime);
    return { demand, amount: 1, mark: now, at: now };
  }
  if (kind === 'member') {
    const { uses } = state(counters.distinct, key, emptyDistinct);
    const before = uses.get(demand.member) ?? -1;
    uses.set(demand.member, Math.max(before, now));
    return { demand, amount: 1, mark: before, at: now };
  }
  if (kind === 'event' && demand.limit <= EXACT) {
    addExact(state(counters.exact, key, emptyExact), now, id);
    return { demand, amount: 1, mark: now, at: now };
  }
  const amount = kind === 'event' ? 1 : (amounts.get(demand.group) ?? 0);
  const part = partOf(now, demand.window);
  addPart(state(counters.parts, key, emptyParts), part, amount);
  return { demand, amount, mark: part, at: now };
}

/** A member is forgotten, or was last used when it was before; unless somebody has used it since. */
function restore(distinct: DistinctState | undefined, member: string, at: number, before: number): void {
  if (distinct?.uses.get(member) !== at) return;
  if (before === -1) distinct.uses.delete(member);
  else distinct.uses.set(member, before);
}

const emptyExact = (): ExactState => ({ entries: [] });
const emptyParts = (): PartsState => ({ parts: new Map() });
const emptyDistinct = (): DistinctState => ({ uses: new Map() });
const emptyLive = (): LiveState => ({ leases: new Map() });

function state<T>(states: Map<string, T>, key: string, make: () => T): T {
  let found = states.get(key);
  if (found === undefined) states.set(key, (found = make()));
  return found;
}
