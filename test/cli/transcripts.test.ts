import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startOrigin, type Origin } from '../support/origin.ts';
import { PROGRAM, killPrograms, startProgram, type Program } from '../support/program.ts';
import { until } from '../support/until.ts';

const home = mkdtempSync(join(tmpdir(), 'sallyport-transcripts-'));
const RULES = `version: 1
agents:
  local: { identity: { networks: [127.0.0.1] }, capabilities: [api] }
capabilities:
  api: { audit: transcript, endpoints: ["* http://api.test/**"] }
`;
let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin({
    answer: (_request, response) => {
      const head = { 'content-type': 'text/plain', 'content-encoding': 'gzip' };
      response.writeHead(200, head).end(gzipSync('the answer\u001b[2J'));
    },
  });
});
afterAll(async () => {
  killPrograms();
  await origin.close();
  rmSync(home, { recursive: true });
});

function audit(...words: string[]): { readonly code: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, 'audit', ...words], {
    cwd: home,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

async function start(recipient: string, ...words: string[]): Promise<Program> {
  const pin = `--upstream-pin=api.test:80=127.0.0.1:${origin.port}`;
  return startProgram(home, RULES, [pin, `--audit-transcript-recipient=${recipient}`, ...words]);
}

it('are made by a gate that cannot read them, and shown to who has the key', async () => {
  const made = audit('identity', '--out', 'auditor.key');
  expect(made.out).toMatch(/^age1[a-z0-9]{58}\n$/);
  expect(statSync(join(home, 'auditor.key')).mode & 0o777).toBe(0o600);
  expect(audit('identity', '--out', 'auditor.key')).toMatchObject({
    code: 2,
    err: expect.stringContaining('EEXIST') as string,
  });
  // What we make is what age reads.
  expect(execFileSync('age-keygen', ['-y', join(home, 'auditor.key')], { encoding: 'utf8' })).toBe(made.out);

  mkdirSync(join(home, 'rules'));
  writeFileSync(join(home, 'rules/a.yaml'), RULES);
  const check = spawnSync(process.execPath, [PROGRAM, 'check'], { cwd: home, encoding: 'utf8' });
  expect([check.status, check.stdout]).toEqual([
    0,
    expect.stringMatching(/^rules\/a\.yaml:5:10: note: "audit: transcript" loads where .*\n.*\n\nok: 1 agent/),
  ]);

  const gate = await start(made.out.trim(), '--workers=2');
  await gate.get('http://api.test/a?b=c', 'X-Said: by the agent\r\n');
  const text = (): string =>
    gate
      .segments()
      .map((each) => each.text)
      .join('');
  await until(() => text().includes('"kind":"transcript"'), 'a transcript');
  // What is still being written when it is told to stop is written all the same.
  await gate.get('http://api.test/last');
  gate.signal('SIGTERM');
  expect(await gate.ended()).toBe(0);
  expect(
    text()
      .split('\n')
      .filter((line) => line.includes('"kind":"transcript"')),
  ).toHaveLength(2);
  expect(audit('verify').code).toBe(0);

  const [first] = JSON.parse(
    `[${audit('search', '--json', '--agent', 'local').out.trim().split('\n').join(',')}]`,
  ) as Array<{ exchange: string }>;
  const exchange = first?.exchange ?? '';
  const shown = audit('show', exchange, '--identity', 'auditor.key');
  expect(shown.out).toContain('> GET /a?b=c http/1.1\nhost: api.test\nX-Said: by the agent');
  // Its coding is undone, and it cannot move anybody's cursor.
  expect(shown.out).toContain('< 200 OK');
  expect(shown.out).toMatch(/\n\[\d+ bytes\]\nthe answer\\u001b\[2J\n$/);
  expect(audit('show', exchange).out).toContain('objects');

  const har = JSON.parse(audit('export', '--format', 'har', '--identity', 'auditor.key').out) as {
    log: { entries: Array<{ request: { headers: object[] }; response: { content: object } }> };
  };
  expect(har.log.entries).toHaveLength(2);
  expect(har.log.entries.find(({ request }) => request.headers.length > 1)).toMatchObject({
    request: { headers: expect.arrayContaining([{ name: 'X-Said', value: 'by the agent' }]) as object },
    response: { content: { mimeType: 'text/plain', text: 'the answer\u001b[2J' } },
  });
});

it('are refused to another key, and where a file was changed', () => {
  const [first] = JSON.parse(
    `[${audit('search', '--json', '--agent', 'local').out.trim().split('\n').join(',')}]`,
  ) as Array<{ exchange: string }>;
  const exchange = first?.exchange ?? '';
  audit('identity', '--out', 'other.key');
  expect(audit('show', exchange, '--identity', 'other.key')).toMatchObject({
    code: 2,
    err: expect.stringContaining(
      'the transcript cannot be read: it is not encrypted to any of these identities',
    ) as string,
  });
  expect(audit('show', exchange, '--identity', 'none.key').err).toContain('none.key cannot be read: ENOENT');
  const folder = join(home, 'state/transcripts');
  for (const day of readdirSync(folder))
    for (const name of readdirSync(join(folder, day))) writeFileSync(join(folder, day, name), 'else');
  expect(audit('show', exchange, '--identity', 'auditor.key').err).toContain('is not what was kept: it was changed');
});

it('go with the segments that speak of them', async () => {
  const recipient = /age1\w+/.exec(readFileSync(join(home, 'auditor.key'), 'utf8'))?.[0] ?? '';
  const folder = join(home, 'state/transcripts');
  mkdirSync(join(folder, '2020-01-01'));
  // A later start begins a segment behind all others.
  const gate = await start(recipient);
  gate.signal('SIGTERM');
  await gate.ended();
  const today = readdirSync(folder).filter((day) => day !== '2020-01-01');
  expect(audit('prune', '--older-than', '1ms', '--dry-run').out).toContain(
    'would remove the transcripts of 2020-01-01',
  );
  expect(audit('prune', '--older-than', '1ms').out).toContain('removed the transcripts of 2020-01-01');
  expect(readdirSync(folder)).toEqual(today);
});
