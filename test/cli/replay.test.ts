import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { botRules, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { until } from '../support/until.ts';

const CLI = join(import.meta.dirname, '../../dist/cli/sallyport.js');
const sallyport = (words: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...words], { env: { PATH: process.env['PATH'] } }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });

let origin: Origin;
let gate: TestGate;
beforeAll(async () => {
  const ca = await TestCa.create();
  origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
  gate = await startGate({
    allow: ['GET https://api.test/ok/**', 'GET https://api.test/old/**'],
    pins: [`api.test:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
  });
  for (const path of ['/ok/1', '/ok/2', '/old/1', '/old/2?token=value', '/new/1', '/a/../b'])
    await (await ask(gate, 'api.test:443', `GET ${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`)).close();
  await until(() => gate.events().filter((event) => event.kind === 'outcome').length === 6, 'six outcomes');
});
afterAll(async () => {
  await gate.close();
  await origin.close();
});

function rules(name: string, allow: readonly string[]): string {
  const folder = join(gate.folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'a.yaml'), botRules({ allow }));
  return folder;
}
const audit = (): string => join(gate.folder, 'state/audit');

describe('sallyport replay', () => {
  it('says what other rules would change, as a table and as JSON', async () => {
    const next = rules('next', ['GET https://api.test/ok/**', 'GET https://api.test/new/**']);
    const file = join(gate.folder, 'report.json');
    const { code, out } = await sallyport(['replay', audit(), '--rules', next, '--json', file]);
    expect(out).toBe(`count  agent  before  after  capability  reason            for example
2      bot    allow   deny               path-not-allowed  GET https://api.test:443/old/1
1      bot    deny    allow              path-not-allowed  GET https://api.test:443/new/1

6 requests replayed, 3 would change
`);
    expect(code).toBe(1);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      replayed: 6,
      unknown: 0,
      changes: [{ count: 2 }, { count: 1 }],
    });
  });

  it('changes nothing under the rules that decided', async () => {
    const same = rules('same', ['GET https://api.test/ok/**', 'GET https://api.test/old/**']);
    const { code, out } = await sallyport(['replay', audit(), '--rules', same]);
    expect([code, out]).toEqual([0, '6 requests replayed, 0 would change\n']);
  });

  it('knows what it cannot know', async () => {
    const reading = rules('reading', [
      'GET https://api.test/ok/**',
      '{ host: api.test, paths: [/old/**], query: { token: x } }',
    ]);
    const { out } = await sallyport(['replay', audit(), '--rules', reading]);
    expect(out).toContain('6 requests replayed, 0 would change; 2 unknown, for a rule reads what is not on record');
  });

  it('says in one line what it cannot read', async () => {
    const same = rules('same', ['GET https://api.test/ok/**']);
    const odd = join(gate.folder, 'odd.jsonl');
    writeFileSync(odd, '{"kind":"outcome"\n');
    for (const [words, message] of [
      [[join(gate.folder, 'none')], /none cannot be read: ENOENT\n$/],
      [[join(gate.folder, 'same')], /holds no audit log/],
      [[odd], /odd\.jsonl:1: not an audit event/],
    ] as const) {
      const { code, err } = await sallyport(['replay', ...words, '--rules', same]);
      expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    }
  });
});

describe('sallyport lint', () => {
  it('says what a change lets agents do, and what nobody used', async () => {
    const before = rules('before', ['GET https://api.test/ok/**']);
    const after = rules('after', [
      'GET https://api.test/ok/**',
      'GET https://api.test/unused',
      'POST https://pastebin.com/api',
    ]);
    const file = join(gate.folder, 'lint.json');
    const { code, out } = await sallyport(['lint', after, '--against', before, '--audit', audit(), '--json', file]);
    const since = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);
    expect(out.replaceAll(since, 'DAY'))
      .toBe(`after/a.yaml:8:9: over-broad: POST https://pastebin.com/api is a place to leave data for others
after/a.yaml:7:9: reach: bot gains GET https://api.test/unused
after/a.yaml:8:9: reach: bot gains POST https://pastebin.com/api
after/a.yaml:7:9: unused: GET https://api.test/unused allowed nothing since DAY
after/a.yaml:8:9: unused: POST https://pastebin.com/api allowed nothing since DAY
5 found
`);
    expect(code).toBe(1);
    expect((JSON.parse(readFileSync(file, 'utf8')) as object[]).length).toBe(5);
  });

  it('has nothing to say of rules that are as they should be, and one line for what it cannot use', async () => {
    const same = rules('same', ['GET https://api.test/ok/**']);
    expect(await sallyport(['lint', same, '--against', same, '--audit', audit()])).toMatchObject({
      code: 0,
      out: 'nothing found\n',
    });
    expect((await sallyport(['lint', same, '--unused-for', 'x'])).code).toBe(2);
    expect(await sallyport(['lint', same, '--against', join(gate.folder, 'none')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('the rules folder does not exist') as string,
    });
  });
});
