import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, run, type ClientStage } from './stage.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-git-'));
let stage: ClientStage;

/** git's own server, as CGI (git-http-backend(1)). */
function backend(request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const program = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend');
  const child = spawn(program, {
    env: {
      GIT_PROJECT_ROOT: join(folder, 'repos'),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: path,
      QUERY_STRING: query,
      REQUEST_METHOD: request.method ?? '',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    },
  });
  request.pipe(child.stdin);
  let head = Buffer.alloc(0);
  child.stdout.on('data', (bytes: Buffer) => {
    if (response.headersSent) return void response.write(bytes);
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf('\r\n\r\n');
    if (end === -1) return;
    const fields = head
      .toString('latin1', 0, end)
      .split('\r\n')
      .map((line) => line.split(': ') as [string, string]);
    const status = Number(fields.find(([name]) => name === 'Status')?.[1]?.split(' ')[0] ?? 200);
    response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== 'Status')));
    response.write(head.subarray(end + 4));
  });
  child.stdout.on('end', () => response.end());
}

beforeAll(async () => {
  const work = join(folder, 'work');
  const git = (...args: string[]): void =>
    void execFileSync(
      'git',
      ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main', ...args],
      { cwd: work, stdio: 'ignore' },
    );
  mkdirSync(work, { recursive: true });
  git('init');
  writeFileSync(join(work, 'file.txt'), 'through the gate\n');
  git('add', '.');
  git('commit', '-m', 'first');
  git('clone', '--bare', work, join(folder, 'repos/team/open.git'));
  git('clone', '--bare', work, join(folder, 'repos/team/closed.git'));
  stage = await openStage({ host: 'git.test', serve: backend, allow: ['GET,POST https://git.test/team/open.git/**'] });
});
afterAll(async () => {
  await stage.close();
  rmSync(folder, { recursive: true });
});

describe('git', () => {
  it('clones what is allowed', async () => {
    const result = await run(stage, 'git', ['clone', 'https://git.test/team/open.git', 'copy']);
    expect([result.code, readFileSync(join(stage.folder, 'copy/file.txt'), 'utf8')]).toEqual([0, 'through the gate\n']);
  });

  it('is refused another repository, and says 403', async () => {
    const result = await run(stage, 'git', ['clone', 'https://git.test/team/closed.git', 'other']);
    expect(result.code).toBe(128);
    expect(result.err).toMatch(/403/);
    expect(await stage.gate.outcome((event) => event.reason === 'path-not-allowed')).toMatchObject({
      reason: 'path-not-allowed',
      path: '/team/closed.git/info/refs',
    });
  });
});
