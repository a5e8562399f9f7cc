import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { JournalFile, type Change } from '../../../../src/limits/stores/journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-journal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const CHANGES: Change[] = [
  ['event', 'a/60000', 'r1', 1000],
  ['part', 'b/60000', 17, 4096],
  ['member', 'c/60000', 'https://a.test:443', 2000],
];
let made = 0;
const journal = (defer: (run: () => void) => void = (run) => run(), states: unknown[] = []): JournalFile =>
  new JournalFile({ path: join(folder, `${++made}.jsonl`), defer, onState: (error) => states.push(error) });

it('JournalFile reads what it wrote, and leaves out a line that was under way', () => {
  const file = journal();
  expect(file.read()).toEqual([]);
  file.replace([CHANGES[0] as Change]);
  file.append(CHANGES.slice(1));
  file.close();
  expect(file.read()).toEqual(CHANGES);
  writeFileSync(join(folder, `${made}.jsonl`), '["event","a/6', { flag: 'a' });
  expect(file.read()).toEqual(CHANGES);
});

it('JournalFile writes what one turn brings together, once', () => {
  const runs: Array<() => void> = [];
  const file = journal((run) => runs.push(run));
  file.replace([]);
  for (const change of CHANGES) file.append([change]);
  expect([runs.length, readFileSync(join(folder, `${made}.jsonl`), 'utf8')]).toEqual([1, '']);
  runs[0]?.();
  expect(file.read()).toEqual(CHANGES);
  file.close();
});

it.each(['nonsense', '{"a":1}', '["event","a",1,2]', '["part","a","b",1]', '["other","a","b",1]'])(
  'JournalFile does not take %s for its own',
  (line) => {
    const file = journal();
    writeFileSync(join(folder, `${made}.jsonl`), `${JSON.stringify(CHANGES[0])}\n${line}\n`);
    expect(() => file.read()).toThrow(`${made}.jsonl:2 is not what the gate wrote there`);
  },
);

it('JournalFile says once that it cannot write, and once that it can again', () => {
  const states: unknown[] = [];
  const path = join(folder, 'gone', 'x.jsonl');
  writeFileSync(join(folder, 'gone'), '');
  const file = new JournalFile({ path, defer: (run) => run(), onState: (error) => states.push(error) });
  file.replace([]);
  file.replace([]);
  rmSync(join(folder, 'gone'));
  file.replace(CHANGES);
  file.close();
  expect(states).toEqual([expect.objectContaining({ code: 'EEXIST' }), null]);
});
