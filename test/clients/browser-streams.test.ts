import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { agentEnvironment, writeTrust } from '../../src/cli/environment.ts';
import { TestCa } from '../support/certificates.ts';
import { TOKEN, startGate, type TestGate } from '../support/gate.ts';
import { run, type ClientStage } from './stage.ts';

/** An origin with a page, an event stream and a WebSocket, for clients that hold connections open. */
let server: Server;
let websockets: WebSocketServer;
let gate: TestGate;
let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  const ca = await TestCa.create();
  const { certificate, key } = await ca.leaf(['site.test']);
  server = createServer({ cert: certificate, key }, (request, response) => {
    if (request.url === '/ok/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write('data: first\n\n');
      // The second event leaves when the first has been seen, so a proxy that holds events back never gets it.
      events.push(() => response.write('data: second\n\n'));
    } else if (request.url === '/ok/seen') {
      events.shift()?.();
      response.end('seen');
    } else response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>streams</title>');
  });
  const events: Array<() => void> = [];
  websockets = new WebSocketServer({ server });
  websockets.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data, binary) => socket.send(data as Buffer, { binary }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  gate = await startGate({
    allow: [
      'GET https://site.test/ok/**',
      '{ host: site.test, methods: [GET], paths: [/ws], websocket: { max: 1 KiB } }',
    ],
    pins: [`site.test:443=127.0.0.1:${(server.address() as AddressInfo).port}`],
    upstreamCa: ca.certificate,
  });
  folder = mkdtempSync(join(tmpdir(), 'sallyport-streams-'));
  mkdirSync(join(folder, 'home/.pki/nssdb'), { recursive: true });
  environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: join(folder, 'home'),
    LANG: 'C.UTF-8',
    ...agentEnvironment({
      proxyUrl: `http://bot:${TOKEN}@127.0.0.1:${gate.port}`,
      caFile: gate.gate.caFile,
      ...writeTrust(folder, gate.gate.caFile),
    }),
  };
});
afterAll(async () => {
  await gate.close();
  websockets.close();
  for (const socket of websockets.clients) socket.terminate();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

describe('Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    const database = `sql:${join(folder, 'home/.pki/nssdb')}`;
    execFileSync('certutil', ['-d', database, '-N', '--empty-password']);
    execFileSync('certutil', ['-d', database, '-A', '-t', 'C,,', '-n', 'gate', '-i', gate.gate.caFile]);
    browser = await chromium.launch({
      executablePath: execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim(),
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-sync'],
      env: { PATH: environment['PATH'] ?? '', HOME: environment['HOME'] ?? '' },
      proxy: { server: `http://127.0.0.1:${gate.port}`, username: 'bot', password: TOKEN },
    });
  });
  afterAll(() => browser.close());

  it('speaks HTTP/2 with the gate', async () => {
    const page = await browser.newPage();
    await page.goto('https://site.test/ok/');
    expect(await page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")).toBe('h2');
    await page.close();
  });

  it('EventSource gets each event as it is sent', async () => {
    const page = await browser.newPage();
    await page.goto('https://site.test/ok/');
    const seen = await page.evaluate(`new Promise((resolve) => {
      const seen = [];
      const source = new EventSource('/ok/events');
      source.onmessage = async ({ data }) => {
        seen.push(data);
        if (seen.length === 2) { source.close(); resolve(seen); } else await fetch('/ok/seen');
      };
    })`);
    expect(seen).toEqual(['first', 'second']);
    await page.close();
  });

  it('WebSocket is allowed where a rule says so, and nowhere else', async () => {
    const page = await browser.newPage();
    await page.goto('https://site.test/ok/');
    const talk = (path: string): Promise<unknown> =>
      page.evaluate(`new Promise((resolve) => {
        const socket = new WebSocket('wss://site.test${path}');
        socket.onopen = () => socket.send('from the browser');
        socket.onmessage = ({ data }) => { socket.close(); resolve(data); };
        socket.onerror = () => resolve('refused');
      })`);
    expect(await talk('/ws')).toBe('from the browser');
    expect(await talk('/ok/page')).toBe('refused');
    await page.close();
  });
});

describe('Python', () => {
  const venv = join(import.meta.dirname, '../../node_modules/.cache/python/bin/python');
  const python = (script: string) => run({ folder, environment } as ClientStage, venv, ['-c', script]);

  it('httpx speaks HTTP/2', async (context) => {
    if (!existsSync(venv) || (await python('import h2, httpx')).code !== 0)
      context.skip('httpx[http2] cannot be had here');
    const { out, err } = await python(
      "import httpx\nwith httpx.Client(http2=True) as c:\n  r = c.get('https://site.test/ok/'); print(r.http_version, r.status_code)\n  r = c.get('https://site.test/no'); print(r.status_code, r.headers['sallyport-reason'])",
    );
    expect([out, err]).toEqual(['HTTP/2 200\n403 path-not-allowed\n', '']);
  });

  it('websockets talks, and is told why not', async (context) => {
    if (!existsSync(venv) || (await python('import websockets')).code !== 0)
      context.skip('websockets cannot be had here');
    // Its asyncio client: the threaded one reads and writes one SSL object from two threads, and under load its opening
    // request is sometimes never sent (6 of 1,056 times with CPython 3.11, straight to a Node server).
    const { out, err } = await python(
      [
        'import asyncio',
        'from websockets.asyncio.client import connect',
        'from websockets.exceptions import InvalidStatus',
        'async def main():',
        "  async with connect('wss://site.test/ws') as s:",
        "    await s.send('from python'); print(await s.recv())",
        '  try:',
        "    await connect('wss://site.test/no')",
        '  except InvalidStatus as e:',
        "    print(e.response.status_code, e.response.headers['sallyport-reason'])",
        'asyncio.run(main())',
      ].join('\n'),
    );
    expect([out, err]).toEqual(['from python\n403 path-not-allowed\n', '']);
  });
});
