import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { TOKEN_HASH, startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { until } from '../support/until.ts';

const CLI = join(import.meta.dirname, '../../dist/cli/sallyport.js');
const sallyport = (words: readonly string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...words], { env: { PATH: process.env['PATH'] } }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });

/** What may be a secret, built from pieces. */
const KEY = ['xK8fQ2mZp1', 'LrT9vBw4Yd6H'].join('');
const ASKED = ['/v1/issues/1', '/v1/issues/2', '/v1/issues/3', '/v1/me', `/hooks/${KEY}`, '/known/1', '/denied/1'];

let ca: TestCa;
let origin: Origin;
let gate: TestGate;
beforeAll(async () => {
  ca = await TestCa.create();
  origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
  gate = await startGate({
    mode: 'observe',
    allow: ['GET https://api.test/known/**'],
    deny: ['* https://api.test/denied/**'],
    pins: [`api.test:443=127.0.0.1:${origin.port}`, `other.test:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
  });
  for (const path of ASKED) await request(path);
  // The floor is enforced in every mode.
  await request('/a/../b');
  await until(() => outcomes() === ASKED.length + 1, 'all outcomes');
});
afterAll(async () => {
  await gate.close();
  await origin.close();
});

async function request(path: string, to: TestGate = gate): Promise<string | null> {
  const client = await ask(to, 'api.test:443', `GET ${path} HTTP/1.1\r\nHost: api.test\r\n\r\n`);
  await client.close();
  return client.reason;
}
const outcomes = (): number => gate.events().filter((event) => event.kind === 'outcome').length;
const audit = (): string => join(gate.folder, 'state/audit');
const rules = (): string => join(gate.folder, 'rules');

describe('sallyport learn', () => {
  it('drafts a file that passes check --strict and lets the same requests through once it is in force', async () => {
    const out = join(gate.folder, 'learned.yaml');
    const { code, out: said } = await sallyport(['learn', audit(), '--rules', rules(), '--agent', 'bot', '--out', out]);
    expect([code, said]).toEqual([0, `${out}: 3 rules from 5 requests\n`]);
    const draft = readFileSync(out, 'utf8');
    expect(draft).not.toContain(KEY);
    expect(draft.replaceAll(/\d{4}-\d\d-\d\d(?: \d\d:\d\dZ)?/g, 'TIME').replaceAll('TIME to TIME', 'TIME')).toBe(`\
# Drafted by \`sallyport learn\` from what agents did. Read every rule before it is in force: what was asked for is not
# always what should be allowed.
# Left out, 1 request: allowed already
# Left out, 1 request: a deny rule refuses it
# Left out, 1 request: refused: path-malformed
version: 1
capabilities:
  # 5 requests, TIME. To grant it, add "bot.learned" to the capabilities of bot.
  bot.learned:
    description: What bot did on TIME
    endpoints:
      # 1 request, TIME
      # *: what stood here may be a secret, and is not shown
      - GET https://api.test/hooks/*
      # 3 requests, TIME
      # *: 3 identifiers, 1, 2, 3
      - GET https://api.test/v1/issues/*
      # 1 request, TIME
      - GET https://api.test/v1/me
`);
    expect(await sallyport(['check', out, '--strict'])).toMatchObject({ code: 0 });

    const agents = `version: 1\nagents:\n  bot: { identity: { token: "${TOKEN_HASH}" }, capabilities: [bot.learned] }\n`;
    const enforcing = await startGate({
      rules: { 'agents.yaml': agents, 'learned.yaml': draft },
      pins: [`api.test:443=127.0.0.1:${origin.port}`],
      upstreamCa: ca.certificate,
    });
    const reasons = await Promise.all([...ASKED, '/v1/issues/4', '/v1/users'].map((path) => request(path, enforcing)));
    await enforcing.close();
    const none = 'path-not-allowed';
    expect(reasons).toEqual([null, null, null, null, null, none, none, null, none]);
  });

  it('never overwrites a file', async () => {
    const out = join(gate.folder, 'mine.yaml');
    writeFileSync(out, 'mine');
    expect(await sallyport(['learn', audit(), '--rules', rules(), '--out', out])).toMatchObject({
      code: 2,
      err: `sallyport: --out: ${out} cannot be written: EEXIST\n`,
    });
    expect(readFileSync(out, 'utf8')).toBe('mine');
  });

  it('follows a running gate until its time is over or it is told to stop', async () => {
    const out = join(gate.folder, 'followed.yaml');
    const words = ['learn', audit(), '--rules', rules(), '--follow', '--out', out];
    const child = spawn(process.execPath, [CLI, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    let said = '';
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    await until(() => said.includes('Ctrl-C'), 'the command to begin');
    const before = outcomes();
    await request('/later/1');
    await until(() => outcomes() === before + 1, 'the outcome');
    expect(existsSync(out)).toBe(false);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(readFileSync(out, 'utf8')).toContain('GET https://api.test/later/1');
    const timed = await sallyport(['learn', audit(), '--rules', rules(), '--follow', '--for', '300ms']);
    expect(timed.code).toBe(0);
    expect(timed.out).toContain('GET https://api.test/later/1');
  });

  it('says what it left out where there is nothing to allow', async () => {
    const { code, out } = await sallyport(['learn', audit(), '--rules', rules(), '--agent', 'nobody']);
    expect([code, out]).toEqual([1, 'nothing to allow: the log holds no request of the kind\n']);
    const all = join(gate.folder, 'all');
    mkdirSync(all, { recursive: true });
    writeFileSync(
      join(all, 'a.yaml'),
      `version: 1\nagents:\n  bot: { identity: { token: "${TOKEN_HASH}" }, allow: ["* https://api.test/**"] }\n`,
    );
    const nothing = await sallyport(['learn', audit(), '--rules', all]);
    expect(nothing.code).toBe(1);
    expect(nothing.out).toMatch(
      /^nothing to allow; requests that were left out:\n {2}\d+: allowed already\n {2}1: refused: path-malformed\n$/,
    );
  });

  it.each([
    [['--names', '1'], '--names: "1" is not a number above 1'],
    [['--for', '1h'], '--for says how long to --follow'],
    [['--follow', '--for', 'soon'], '--for: "soon" is not a duration such as 30m'],
  ])('refuses %j with one line', async (words, message) => {
    const { code, err } = await sallyport(['learn', audit(), '--rules', rules(), ...words]);
    expect([code, err]).toEqual([2, `sallyport: ${message}\n`]);
  });

  it('reads past what a crash left unfinished', async () => {
    const torn = join(gate.folder, 'torn.jsonl');
    writeFileSync(torn, `${gate.auditText()}{"address":null,"agent":"bot","by`);
    expect((await sallyport(['learn', torn, '--rules', rules()])).code).toBe(0);
    writeFileSync(torn, `{"kind":"outcome"\n`);
    expect((await sallyport(['learn', torn, '--rules', rules()])).err).toBe(
      `sallyport: ${torn}:1: not an audit event; write the name of a segment as the gate wrote it\n`,
    );
  });
});
