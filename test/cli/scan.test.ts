import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { ask } from '../support/client.ts';
import { startGate } from '../support/gate.ts';
import { startOrigin } from '../support/origin.ts';
import { fillIn } from '../support/samples.ts';
import { eventually } from '../support/until.ts';

const CLI = join(import.meta.dirname, '../../dist/cli/sallyport.js');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-scan-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(
  words: readonly string[],
  input = '',
  env: Record<string, string> = {},
): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync('node', [CLI, ...words], {
    cwd: folder,
    input,
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

const GITHUB = fillIn('ghp_{{AN:36}}', 21);
const VALUE = ['correct', 'horse', 'battery', 'staple'].join('-');

describe('sallyport scan', () => {
  it('says what was found, where, through which decoders, and never shows it', () => {
    const body = JSON.stringify({
      a: [{ note: `see ${GITHUB}` }],
      b: Buffer.from(`token ${GITHUB}`).toString('base64'),
    });
    const { code, out, err } = run(['scan', '--type', 'application/json', '--time'], body);
    expect(code).toBe(1);
    expect(out).toContain('/a/0/note  critical  secrets  github-pat\n');
    expect(out).toContain('/b  critical  secrets  github-pat  through base64\n');
    expect(out).toContain('see ghp_************');
    expect(out).not.toContain(GITHUB.slice(4, 12));
    expect(out).not.toContain(GITHUB.slice(-6));
    expect(err).toMatch(/bytes in .* ms/);
    expect(err).toMatch(/bytes read base64/);
  });

  it('reads URLs and header lines as such, and says nothing of what is harmless', () => {
    expect(run(['scan', '--as', 'url'], `/q?a=1&note=${GITHUB}\n`).out).toContain('query parameter note');
    expect(run(['scan', '--as', 'header'], `Accept: */*\r\nX-Note: ${GITHUB}\r\n`).out).toContain('header x-note');
    expect(run(['scan'], 'nothing to see here')).toEqual({ code: 0, out: '', err: '' });
  });

  it('walks through a folder, and prints JSON where asked', () => {
    mkdirSync(join(folder, 'tree/deep'), { recursive: true });
    writeFileSync(join(folder, 'tree/deep/env'), `TOKEN=${GITHUB}\n`);
    writeFileSync(join(folder, 'tree/fine.txt'), 'fine');
    const { code, out } = run(['scan', '--json', 'tree']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ file: 'tree/deep/env', detector: 'github-pat', offset: 6, length: 40 });
  });

  it('refuses what cannot be read with one line', () => {
    expect(run(['scan', 'nowhere'])).toEqual({ code: 2, out: '', err: 'sallyport: nowhere cannot be read: ENOENT\n' });
    expect(run(['scan', '--as', 'x']).code).toBe(2);
  });
});

describe('sallyport secrets', () => {
  it('registers, lists and removes; what is kept is no part of the value', () => {
    expect(
      run(['secrets', 'register', '--name', 'db', '--from-env', 'DB', '--belongs-to', 'db.test'], '', { DB: VALUE })
        .code,
    ).toBe(0);
    expect(run(['secrets', 'list']).out).toMatch(/^db {2}value {2}\S+ {2}belongs to db\.test\n$/);
    const path = join(folder, 'state/registered.json');
    expect(readFileSync(path, 'utf8')).not.toContain('horse');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(run(['scan'], `x=${Buffer.from(VALUE).toString('hex')}`).out).toContain('value:db');
    expect(run(['secrets', 'remove', 'db']).code).toBe(0);
    expect(run(['scan'], `x=${VALUE}`).code).toBe(0);
  });

  it.each<readonly [readonly string[], string, string]>([
    [['--name', 'x', '--stdin'], 'short', 'would be found by chance'],
    [['--name', 'x', '--stdin'], 'aaaaaaaaaaaaaaaaaaaa', 'fewer than five different bytes'],
    [['--name', 'x'], '', 'one of --from-env, --file and --stdin'],
    [['--name', 'x', '--from-env', 'NOT_SET_HERE'], '', 'is not set'],
    [['--name', 'a b', '--stdin'], VALUE, '"a b" is not 1 to 100 letters'],
    [['--name', 'x', '--file', 'nowhere'], '', 'nowhere cannot be read: ENOENT'],
  ])('refuses %j', (words, input, message) => {
    const { code, err } = run(['secrets', 'register', ...words], input);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err.trim().split('\n')).toHaveLength(1);
  });

  it('does not take a file that was tampered with for one that holds nothing', () => {
    writeFileSync(join(folder, 'state/registered.json'), '{}');
    expect(run(['secrets', 'list']).err).toContain('is not what was written there');
    rmSync(join(folder, 'state/registered.json'));
  });
});

describe('a canary', () => {
  it.each(['aws', 'github', 'database'])(
    'of kind %s is refused in observe mode and where scanning is off, in any encoding, by a gate that runs',
    async (kind) => {
      const ca = await TestCa.create();
      const origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
      const gate = await startGate({
        allow: ['* https://api.test/**'],
        mode: 'observe',
        more: '    scan: off\n',
        pins: [`api.test:443=127.0.0.1:${origin.port}`],
        upstreamCa: ca.certificate,
      });
      const planted = execFileSync(
        'node',
        [CLI, 'canary', 'create', '--kind', kind, '--state', join(gate.folder, 'state')],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      );
      const text = encodeURIComponent(Buffer.from(planted).toString('base64'));
      const request = `GET /steal?x=${text} HTTP/1.1\r\nHost: api.test\r\n\r\n`;
      await eventually(async () => {
        const client = await ask(gate, 'api.test:443', request);
        await client.close();
        return client.received.includes('Sallyport-Reason: registered-value-found');
      }, 'the refusal');
      const event = await gate.outcome(({ reason }) => reason === 'registered-value-found');
      expect(event.findings?.[0]).toMatchObject({ severity: 'critical', family: 'registered-values', action: 'deny' });
      const fine = await ask(gate, 'api.test:443', 'GET /fine HTTP/1.1\r\nHost: api.test\r\n\r\n');
      expect(fine.status).toBe(200);
      await fine.close();
      await gate.close();
      await origin.close();
    },
  );
});
