import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { GENESIS } from '../../../src/audit/chain.ts';
import type { AuditLog } from '../../../src/audit/log.ts';
import { openAuditLog } from '../../../src/audit/open.ts';
import { verifySegment } from '../../../src/audit/verify.ts';

const root = mkdtempSync(join(tmpdir(), 'sallyport-open-'));
afterAll(() => rmSync(root, { recursive: true }));

let time = Date.parse('2026-01-01T00:00:00Z');
function open(folder: string, lane: number, lanes: number): AuditLog {
  time += 1000;
  const onState = (error: unknown): void => {
    if (error !== null) throw error;
  };
  return openAuditLog({
    folder,
    lane,
    lanes,
    instance: `i${lane}`,
    version: '0',
    clock: () => time,
    defer: setImmediate,
    onState,
  });
}

const intent = (exchange: string): string =>
  `{"agent":"bot","exchange":"${exchange}","kind":"intent","method":"GET","path":"/","target":"t","time":"then"}`;

/** A process that begins an exchange and dies. */
function dies(folder: string, lane: number, lanes: number, exchange: string): void {
  const audit = open(folder, lane, lanes);
  audit.note(intent(exchange));
  audit.close();
}

const interruptedIn = (text: string): string[] =>
  [...text.matchAll(/"exchange":"([^"]*)","kind":"interrupted"/g)].map((match) => match[1] as string);

it('continues the chain of its own lane, and says what its predecessor left without an end', () => {
  const folder = join(root, 'a');
  for (const lane of [1, 2]) dies(folder, lane, 2, `x${lane}`);
  for (const lane of [1, 2]) open(folder, lane, 2).close();
  const texts = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8')) as [string, string, string, string];
  for (const [first, second] of [
    [texts[0], texts[2]],
    [texts[1], texts[3]],
  ] as const) {
    const before = verifySegment(first, GENESIS);
    expect(before.ok).toBe(true);
    expect(verifySegment(second, before.last)).toMatchObject({ ok: true, problem: null });
  }
  expect(texts.map(interruptedIn)).toEqual([[], [], ['x1'], ['x2']]);
  expect(texts[2]).toContain('"began":"then"');
});

it('says it for lanes that nobody writes any more', () => {
  const folder = join(root, 'b');
  for (const lane of [1, 2, 3]) dies(folder, lane, 3, `x${lane}`);
  open(folder, 1, 1).close();
  const last = readdirSync(folder).sort().at(-1) as string;
  expect(interruptedIn(readFileSync(join(folder, last), 'utf8'))).toEqual(['x1', 'x2', 'x3']);
});
