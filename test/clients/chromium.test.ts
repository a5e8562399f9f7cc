import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOKEN } from '../support/gate.ts';
import { openStage, type ClientStage } from './stage.ts';

let stage: ClientStage;
let browser: Browser;

beforeAll(async () => {
  stage = await openStage({
    serve: (request, response) => {
      response.setHeader('Content-Type', request.url?.endsWith('.js') === true ? 'text/javascript' : 'text/html');
      if (request.url?.endsWith('.js') === true)
        response.end("document.querySelector('p').textContent = 'script ran';");
      else response.end('<!doctype html><title>Through the gate</title><p>page</p><script src="/ok/app.js"></script>');
    },
  });
  // Chromium trusts what is in its user's NSS database, and no variable.
  const database = join(stage.environment['HOME'] ?? '', '.pki/nssdb');
  mkdirSync(database, { recursive: true });
  execFileSync('certutil', ['-d', `sql:${database}`, '-N', '--empty-password']);
  execFileSync('certutil', ['-d', `sql:${database}`, '-A', '-t', 'C,,', '-n', 'gate', '-i', stage.gate.gate.caFile]);
  browser = await chromium.launch({
    executablePath: execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
    env: { PATH: stage.environment['PATH'] ?? '', HOME: stage.environment['HOME'] ?? '' },
    proxy: { server: `http://127.0.0.1:${stage.gate.port}`, username: 'bot', password: TOKEN },
  });
});
afterAll(async () => {
  await browser.close();
  await stage.close();
});

describe('Chromium', () => {
  it('loads an allowed page and its script, trusting the leaf', async () => {
    const page = await browser.newPage();
    const response = await page.goto('https://site.test/ok/');
    expect(response?.status()).toBe(200);
    await page.waitForFunction("document.querySelector('p').textContent === 'script ran'");
    expect(await page.title()).toBe('Through the gate');
    await page.close();
  });

  it('shows the refusal of another page', async () => {
    const page = await browser.newPage();
    const response = await page.goto('https://site.test/private');
    expect([response?.status(), response?.headers()['sallyport-reason']]).toEqual([403, 'path-not-allowed']);
    expect(await page.textContent('body')).toContain('/private is not allowed on site.test');
    await page.close();
  });
});
