import { expect, it } from 'vitest';
import { StoreError, type CounterStore, type Demand, type Grant } from '../../../../src/limits/store.ts';
import { FallbackStore } from '../../../../src/limits/stores/fallback.ts';
import { MemoryStore } from '../../../../src/limits/stores/memory.ts';

const DEMANDS: Demand[] = [{ kind: 'event', key: 'a/60000', limit: 1, window: 60_000 }];

it('FallbackStore counts alone while the shared store is away, for so long and no longer', async () => {
  let now = 1_000_000;
  let away = false;
  const memory = new MemoryStore({ clock: () => now, journal: null });
  const failing = <T>(call: () => Promise<T>): Promise<T> => (away ? Promise.reject(new StoreError('away')) : call());
  const shared: CounterStore = {
    whenReady: () => Promise.resolve(),
    reserve: (id, demands) => failing(() => memory.reserve(id, demands)),
    giveBack: (id, returns) => failing(() => memory.giveBack(id, returns)),
    renew: (id, demands) => failing(() => memory.renew(id, demands)),
    close: () => Promise.resolve(),
  };
  const local = new MemoryStore({ clock: () => now, journal: null });
  const store = new FallbackStore({ shared, local, grace: 1000, clock: () => now });
  await store.whenReady();
  expect((await store.reserve('r0', DEMANDS)).ok).toBe(true);
  away = true;
  const alone = await store.reserve('r1', DEMANDS);
  expect(alone.ok).toBe(true);
  expect((await store.reserve('r2', DEMANDS)).ok).toBe(false);
  // What this gate gave, it takes back itself.
  if (alone.ok)
    await store.giveBack(
      'r1',
      alone.grants.map((grant: Grant) => ({ grant, amount: 1 })),
    );
  expect((await store.reserve('r3', DEMANDS)).ok).toBe(true);
  now += 1000;
  await expect(store.reserve('r4', DEMANDS)).rejects.toThrow(StoreError);
  away = false;
  expect((await store.reserve('r5', DEMANDS)).ok).toBe(false);
  away = true;
  expect((await store.reserve('r6', DEMANDS)).ok).toBe(false);
  await store.close();
});
