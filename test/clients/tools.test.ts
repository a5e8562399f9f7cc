import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, run, type ClientStage } from './stage.ts';

let stage: ClientStage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

describe('curl', () => {
  it.each(['--http2', '--http1.1'])('%s is allowed', async (version) => {
    expect(await run(stage, 'curl', ['-sS', version, 'https://site.test/ok/curl'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('"/ok/curl"') as string,
    });
  });
  it.each([
    ['--http2', /HTTP\/2 403 \r\n[\s\S]*sallyport-reason: path-not-allowed/],
    ['--http1.1', /HTTP\/1\.1 403 path-not-allowed\r\n/],
  ])('%s is refused, and shows why', async (version, head) => {
    const { out } = await run(stage, 'curl', ['-sSi', version, 'https://site.test/no']);
    expect(out).toMatch(head);
    expect(out).toContain('"detail": "/no is not allowed on site.test"');
  });
});

describe('java', () => {
  const get = (url: string) => run(stage, 'java', [join(import.meta.dirname, 'Get.java'), url]);
  it('is allowed', async () => {
    expect(await get('https://site.test/ok/java')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^200 null\n[\s\S]*"\/ok\/java"/) as string,
    });
  });
  it('is refused, and shows why', async () => {
    const { out } = await get('https://site.test/no');
    expect(out).toMatch(/^403 path-not-allowed\n[\s\S]*"detail": "\/no is not allowed on site\.test"/);
  });
});

describe('wget', () => {
  // GnuTLS reads no variable for its roots: wget is told the file.
  const trust = (): string => `--ca-certificate=${stage.bundle}`;
  it('is allowed', async () => {
    expect(await run(stage, 'wget', ['-qO-', trust(), 'https://site.test/ok/wget'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('"/ok/wget"') as string,
    });
  });
  it('is refused, and shows why', async () => {
    const { code, err } = await run(stage, 'wget', ['-O-', trust(), 'https://site.test/no']);
    expect(code).toBe(8);
    expect(err).toMatch(/403 path-not-allowed/);
  });
});

/** Each prints status and body of a GET; a refusal must be readable in it. */
const PYTHON: Record<string, string> = {
  urllib:
    'import sys, urllib.request, urllib.error\ntry:\n  r = urllib.request.urlopen(sys.argv[1]); print(r.status, r.read().decode())\nexcept urllib.error.HTTPError as e:\n  print(e.code, e.reason, e.read().decode())',
  requests: 'import sys, requests\nr = requests.get(sys.argv[1]); print(r.status_code, r.text)',
  httpx: 'import sys, httpx\nr = httpx.get(sys.argv[1]); print(r.status_code, r.text)',
};
const VENV = join(import.meta.dirname, '../../node_modules/.cache/python');

describe.each(Object.keys(PYTHON))('Python %s', (name) => {
  const python = existsSync(join(VENV, 'bin/python')) ? join(VENV, 'bin/python') : 'python3';
  it('is allowed, and refused with the reason', async (context) => {
    const installed = await run(stage, python, ['-c', `import ${name}`]);
    if (installed.code !== 0 && name !== 'urllib') {
      context.skip(`${name} could not be installed: pip cannot reach its index`);
      return;
    }
    const good = await run(stage, python, ['-c', PYTHON[name] ?? '', `https://site.test/ok/${name}`]);
    expect([good.err, good.out]).toEqual(['', expect.stringContaining(`"/ok/${name}"`)]);
    const bad = await run(stage, python, ['-c', PYTHON[name] ?? '', 'https://site.test/no']);
    expect(bad.out).toMatch(/403[\s\S]*"reason": "path-not-allowed"/);
  });
});
