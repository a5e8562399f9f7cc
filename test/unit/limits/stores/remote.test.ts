import { expect, it } from 'vitest';
import { StoreError, type Demand } from '../../../../src/limits/store.ts';
import { MemoryStore } from '../../../../src/limits/stores/memory.ts';
import { RemoteStore, ServedStore } from '../../../../src/limits/stores/remote.ts';

const place = (limit: number): Demand => ({ kind: 'place', key: '{a}/live', limit, lifetime: 60_000 });
const event: Demand = { kind: 'event', key: '{a}/requests/60000', limit: 5, window: 60_000 };

it('ServedStore gives back the places of a process that died, and nothing else of it', async () => {
  const store = new MemoryStore({ clock: () => 1_700_000_000_000, journal: null });
  const [dead, alive] = [new ServedStore(store), new ServedStore(store)];
  for (const id of ['a', 'b']) await dead.answer({ what: 'reserve', id, demands: [place(3), event] });
  const ended = await dead.answer({ what: 'reserve', id: 'c', demands: [place(3), event] });
  expect(await alive.answer({ what: 'reserve', id: 'd', demands: [place(3)] })).toMatchObject({ ok: false });
  if (ended === null || !ended.ok) throw new Error('it was refused');
  const returns = ended.grants.slice(0, 1).map((grant) => ({ grant, amount: 1 }));
  await dead.answer({ what: 'give-back', id: 'c', returns });
  expect(await alive.answer({ what: 'reserve', id: 'c', demands: [place(3)] })).toMatchObject({ ok: true });
  await dead.release();
  for (const id of ['e', 'f'])
    expect(await alive.answer({ what: 'reserve', id, demands: [place(3)] })).toMatchObject({ ok: true });
  // The place of `c` is the other process's own by now.
  expect(await alive.answer({ what: 'reserve', id: 'g', demands: [place(3)] })).toMatchObject({ ok: false });
  // Three requests were counted, and stay so.
  for (const id of ['h', 'i'])
    expect(await alive.answer({ what: 'reserve', id, demands: [event] })).toMatchObject({ ok: true });
  expect(await alive.answer({ what: 'reserve', id: 'j', demands: [event] })).toMatchObject({ ok: false });
});

it('RemoteStore says that it cannot answer when the other process is gone', async () => {
  const store = new RemoteStore(() => Promise.reject(new Error('gone')));
  await expect(store.reserve('a', [event])).rejects.toThrow(StoreError);
});
