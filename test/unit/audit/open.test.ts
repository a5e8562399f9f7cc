import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { GENESIS } from '../../../src/audit/chain.ts';
import type { AuditLog } from '../../../src/audit/log.ts';
import { Tampered } from '../../../src/audit/notary.ts';
import { openAuditLog, type OpenAuditOptions } from '../../../src/audit/open.ts';
import { knownKeys, rotateAuditKey } from '../../../src/audit/sinks/audit-keys.ts';
import { verifyLane } from '../../../src/audit/verify-log.ts';
import { verifySegment } from '../../../src/audit/verify.ts';
import type { IntentEvent } from '../../../src/model/audit-event.ts';
import { until } from '../../support/until.ts';

const root = mkdtempSync(join(tmpdir(), 'sallyport-open-'));
afterAll(() => rmSync(root, { recursive: true }));

const troubles: unknown[] = [];
let time = Date.parse('2026-01-01T00:00:00Z');
function open(folder: string, lane: number, lanes: number, more: Partial<OpenAuditOptions> = {}): AuditLog {
  time += 1000;
  const onState = (error: unknown): void => {
    if (error !== null) throw error;
  };
  return openAuditLog({
    folder,
    keys: join(root, 'keys'),
    lane,
    lanes,
    instance: `i${lane}`,
    version: '0',
    clock: () => time,
    defer: setImmediate,
    onState,
    onTrouble: (error) => troubles.push(error),
    ...more,
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

const textsIn = (folder: string): string[] =>
  readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));

/** What is wrong with a log of one lane, by the keys of the gate. */
function problemsIn(folder: string): unknown[] {
  const names = readdirSync(folder).sort();
  const { segments } = verifyLane(names, (name) => [readFileSync(join(folder, name))], knownKeys(join(root, 'keys')));
  return segments.flatMap((each) => [each.problem, each.break]).filter((each) => each !== null);
}

it('begins each segment with its key and what it continues, and ends it with a checkpoint', () => {
  const folder = join(root, 'c');
  for (let start = 0; start < 3; start++) open(folder, 1, 1).close();
  expect(problemsIn(folder)).toEqual([]);
  for (const text of textsIn(folder)) {
    const [first, , last] = text.trimEnd().split('\n');
    expect(first).toContain('"kind":"segment","lane":1,"origin":"sallyport-');
    expect(last).toContain('"reason":"shutdown"');
  }
});

it('goes on in a new segment and takes along what is under way, so that a crash later does not forget it', () => {
  const folder = join(root, 'd');
  const audit = open(folder, 1, 1);
  audit.note(intent('x1'));
  audit.readUnderWay(() => [JSON.parse(intent('x1')) as IntentEvent]);
  time += 1000;
  audit.rotate();
  audit.note(intent('x2'));
  audit.flush();
  // It dies: nothing is closed. The next start finds both.
  open(folder, 1, 1).close();
  expect(problemsIn(folder)).toEqual([]);
  expect(textsIn(folder).map(interruptedIn)).toEqual([[], [], ['x1', 'x2']]);
});

it('puts no segment before the one it continues when the clock is set back', () => {
  const folder = join(root, 'e');
  const before = time;
  open(folder, 1, 1).close();
  time -= 86_400_000;
  const audit = open(folder, 1, 1);
  audit.rotate();
  audit.close();
  time = before;
  expect(readdirSync(folder)).toHaveLength(3);
  expect(problemsIn(folder)).toEqual([]);
});

it('goes on with a new key in a new segment once the key has changed', async () => {
  const folder = join(root, 'f');
  const audit = open(folder, 1, 1, { checkpoint: { events: 1, milliseconds: 60_000 } });
  audit.note('{"n":1}');
  audit.flush();
  rotateAuditKey(join(root, 'keys'));
  await until(() => readdirSync(folder).length === 2 || (audit.note('{"n":2}'), audit.flush(), false), 'a new segment');
  audit.close();
  expect(problemsIn(folder)).toEqual([]);
  const [one, two] = textsIn(folder).map((text) => /"key":"([^"]+)"/.exec(text)?.[1]);
  expect(one).not.toBe(two);
});

it('says that what is on disk was changed, and goes on in another segment', async () => {
  const folder = join(root, 'g');
  const audit = open(folder, 1, 1, { checkpoint: { events: 4, milliseconds: 60_000 } });
  audit.note('{"n":1}');
  audit.flush();
  const [name = ''] = readdirSync(folder);
  writeFileSync(join(folder, name), readFileSync(join(folder, name), 'utf8').replace('"n":1', '"n":7'));
  audit.note('{"n":2}');
  audit.note('{"n":3}');
  audit.flush();
  await until(() => readdirSync(folder).length === 2, 'another segment');
  audit.close();
  expect(textsIn(folder)[1]).toContain('{"action":"changed","detail":"');
  expect(problemsIn(folder)[0]).toMatch(/the seal does not fit/);
  expect(troubles.some((each) => each instanceof Tampered)).toBe(true);
  expect(troubles.at(-1)).toMatchObject({ message: 'the end of an audit segment could not be signed' });
});

it('writes a segment again that was deleted under it, and says so', () => {
  const folder = join(root, 'h');
  const audit = open(folder, 1, 1);
  audit.note('{"n":1}');
  audit.flush();
  rmSync(folder, { recursive: true });
  audit.note('{"n":2}');
  audit.flush();
  audit.close();
  const [text = ''] = textsIn(folder);
  expect(text).toContain('{"n":1}');
  expect(text).toContain('{"n":2}');
  expect(text).toContain('{"action":"restored",');
  expect(problemsIn(folder)).toEqual([]);
});

it('goes on with the key it has where its folder has none any more, or cannot be read', async () => {
  const folder = join(root, 'i');
  const keys = join(root, 'keys-i');
  const audit = open(folder, 1, 1, { keys, checkpoint: { events: 1, milliseconds: 60_000 } });
  const made = knownKeys(keys);
  const [secret = ''] = readdirSync(keys).filter((name) => name.endsWith('.pem'));
  const before = troubles.length;
  for (const spoil of [() => writeFileSync(join(keys, secret), 'no key'), () => rmSync(keys, { recursive: true })]) {
    spoil();
    audit.note('{"n":1}');
    audit.flush();
    await new Promise((resolve) => setImmediate(resolve));
    audit.rotate();
  }
  audit.close();
  expect(troubles.length).toBeGreaterThan(before);
  const names = readdirSync(folder).sort();
  const { segments } = verifyLane(names, (name) => [readFileSync(join(folder, name))], made);
  expect(segments.map((each) => [each.problem, each.break])).toEqual(names.map(() => [null, null]));
  expect(names.length).toBe(3);
});

it('names the file it was written to again where another took its place', () => {
  const folder = join(root, 'j');
  const audit = open(folder, 1, 1);
  audit.note('{"n":1}');
  audit.flush();
  const [name = ''] = readdirSync(folder);
  rmSync(join(folder, name));
  writeFileSync(join(folder, name), '');
  audit.note('{"n":2}');
  audit.flush();
  audit.rotate();
  audit.close();
  rmSync(join(folder, name));
  expect(problemsIn(folder)).toEqual([]);
  expect(readdirSync(folder)).toHaveLength(2);
});
