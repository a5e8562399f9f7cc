import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, run, type ClientStage } from './stage.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-npm-'));
let stage: ClientStage;

beforeAll(async () => {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'tiny', version: '1.0.0', main: 'index.js' }));
  writeFileSync(join(folder, 'index.js'), "module.exports = 'through the gate';\n");
  execFileSync('npm', ['pack', '--silent'], { cwd: folder });
  const tarball = readFileSync(join(folder, 'tiny-1.0.0.tgz'));
  const dist = {
    tarball: 'https://npm.test/tiny/-/tiny-1.0.0.tgz',
    integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
  };
  const packument = {
    name: 'tiny',
    'dist-tags': { latest: '1.0.0' },
    versions: { '1.0.0': { name: 'tiny', version: '1.0.0', main: 'index.js', dist } },
  };
  stage = await openStage({
    host: 'npm.test',
    allow: ['GET https://npm.test/tiny/**'],
    serve: (request, response) => {
      if (request.url === '/tiny')
        response.setHeader('Content-Type', 'application/json').end(JSON.stringify(packument));
      else response.end(tarball);
    },
  });
});
afterAll(async () => {
  await stage.close();
  rmSync(folder, { recursive: true });
});

describe('npm', () => {
  const install = (name: string) => {
    const cwd = join(stage.folder, `with-${name}`);
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'package.json'), '{}');
    return run(
      stage,
      'npm',
      [
        'install',
        name,
        '--registry',
        'https://npm.test/',
        '--no-audit',
        '--no-fund',
        '--cache',
        join(stage.folder, 'cache'),
        '--fetch-retries',
        '0',
      ],
      { cwd },
    );
  };

  it('installs what is allowed', async () => {
    const result = await install('tiny');
    expect([result.code, result.code === 0 ? '' : result.err]).toEqual([0, '']);
    expect(readFileSync(join(stage.folder, 'with-tiny/node_modules/tiny/index.js'), 'utf8')).toContain(
      'through the gate',
    );
  });

  it('is refused another package, and says why', async () => {
    const result = await install('secret');
    expect(result.code).toBe(1);
    expect(result.err).toMatch(/403 path-not-allowed/);
  });
});
