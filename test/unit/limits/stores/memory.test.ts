import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Demand, Grant } from '../../../../src/limits/store.ts';
import { JournalFile } from '../../../../src/limits/stores/journal.ts';
import { MemoryStore } from '../../../../src/limits/stores/memory.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-memory-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DEMANDS: Demand[] = [
  { kind: 'event', key: 'a/few/60000', limit: 2, window: 60_000 },
  { kind: 'event', key: 'a/many/60000', limit: 2000, window: 60_000 },
  { kind: 'amount', key: 'a/bytes/60000', limit: 1000, window: 60_000, amount: 400, least: 400, group: 'upload' },
  { kind: 'member', key: 'a/hosts/60000', limit: 2, window: 60_000, member: 'x' },
  { kind: 'place', key: 'a/live/0', limit: 1, lifetime: 60_000 },
];
let now = 1_700_000_000_000;
const open = (name: string): MemoryStore => {
  const path = join(folder, name);
  const journal = new JournalFile({ path, defer: (run) => run(), onState: () => undefined });
  return new MemoryStore({ clock: () => now, journal });
};

it('MemoryStore counts on where a process that was killed stopped; only places are free again', async () => {
  const first = open('crash');
  for (const id of ['r0', 'r1']) {
    const given = await first.reserve(id, DEMANDS);
    expect(given.ok).toBe(true);
    if (given.ok) await first.giveBack(id, [{ grant: given.grants[4] as Grant, amount: 1 }]);
  }
  await first.reserve('r2', DEMANDS.slice(4));
  // Not closed: as if it had been killed.
  const second = open('crash');
  expect(await second.reserve('r3', DEMANDS.slice(0, 1))).toMatchObject({ ok: false, wait: 60_000 });
  expect(await second.reserve('r3', DEMANDS.slice(2, 3))).toMatchObject({ ok: false, left: 200 });
  expect((await second.reserve('r3', DEMANDS.slice(3))).ok).toBe(true);
  now += 60_000;
  const third = open('crash');
  expect((await third.reserve('r4', DEMANDS.slice(0, 1))).ok).toBe(true);
});

it('MemoryStore remembers over a crash what was taken back', async () => {
  const first = open('back');
  const given = await first.reserve('r0', DEMANDS);
  if (given.ok)
    await first.giveBack(
      'r0',
      given.grants.map((grant) => ({ grant, amount: grant.amount })),
    );
  const second = open('back');
  for (const id of ['r1', 'r2']) {
    const again = await second.reserve(id, DEMANDS);
    expect(again.ok).toBe(true);
    if (again.ok) await second.giveBack(id, [{ grant: again.grants[4] as Grant, amount: 1 }]);
  }
});

it('MemoryStore keeps its journal short', async () => {
  const store = open('long');
  const path = join(folder, 'long');
  for (let i = 0; i < 60_000; i++) {
    now += 100;
    await store.reserve(`r${i}`, [
      { kind: 'event', key: 'a/many/60000', limit: 100_000, window: 60_000 },
      DEMANDS[3] as Demand,
    ]);
  }
  await store.close();
  const left = new JournalFile({ path, defer: (run) => run(), onState: () => undefined }).read();
  expect(left.length).toBeLessThan(200);
});

it('MemoryStore does not let a clock that is set back make room', async () => {
  const store = new MemoryStore({ clock: () => now, journal: null });
  await store.reserve('r0', [{ kind: 'event', key: 'a/x/60000', limit: 1, window: 60_000 }]);
  now -= 3_600_000;
  expect((await store.reserve('r1', [{ kind: 'event', key: 'a/x/60000', limit: 1, window: 60_000 }])).ok).toBe(false);
  now += 3_600_000;
});
