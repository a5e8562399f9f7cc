// Real gates, a real Redis, a plain origin and a plain load, for the benches that ask what several of them do together.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { connect, createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const CLI = resolve(import.meta.dirname, '../../dist/cli/sallyport.js');
const TOKEN = ['bench', 'token'].join('-');

export const loginOf = (agent) => `Basic ${Buffer.from(`${agent}:${TOKEN}-${agent}`).toString('base64')}`;
export const hashOf = (agent) => `sha256:${createHash('sha256').update(`${TOKEN}-${agent}`).digest('hex')}`;
/** An agent in rules: `agent('bot', 'limits: { requests: 10/minute }')`. */
export const agent = (name, more = '') =>
  `  ${name}: { identity: { token: "${hashOf(name)}" }, allow: ["GET http://api.test/**"]${more === '' ? '' : `, ${more}`} }\n`;

/** A place for everything one bench starts, and its end. */
export function openStage(name) {
  const folder = mkdtempSync(join(tmpdir(), `sallyport-${name}-`));
  const children = new Set();
  const start = (command, words, options) => {
    const child = spawn(command, words, options);
    children.add(child);
    child.on('exit', () => children.delete(child));
    return child;
  };
  const close = () => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  return { folder, start, close };
}

/** Answers `ok`; tells `seen` of each request. */
export async function startOrigin(seen = () => undefined) {
  const server = createServer((incoming, answer) => {
    incoming.resume();
    seen(incoming);
    answer.end('ok');
  });
  return { server, port: await listening(server) };
}

export async function startRedis(stage, port) {
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', stage.folder];
  const child = stage.start('redis-server', words, { stdio: 'ignore' });
  await until(() => dials(port));
  return child;
}

/** Starts a gate in a home of its own and waits until it serves. */
export async function startGate(stage, name, { rules, originPort, flags = [], proxy = '127.0.0.1:0' }) {
  const home = join(stage.folder, name);
  const ready = join(home, 'ready');
  mkdirSync(home, { recursive: true });
  rmSync(ready, { force: true });
  writeFileSync(join(home, 'rules.yaml'), `version: 1\nagents:\n${rules}`);
  const words = ['--listen-proxy', proxy, '--listen-admin', '127.0.0.1:0', '--rules', 'rules.yaml'];
  const more = [
    '--upstream-pin',
    `api.test:80=127.0.0.1:${originPort}`,
    '--ready-file',
    'ready',
    '--log-level',
    'fatal',
  ];
  const child = stage.start(process.execPath, [CLI, 'start', ...words, ...more, ...flags], {
    cwd: home,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await until(() => child.exitCode !== null || statSync(ready, { throwIfNoEntry: false }) !== undefined);
  const said = JSON.parse(readFileSync(ready, 'utf8'));
  const portOf = (address) => Number(address.split(':').at(-1));
  return { child, home, port: portOf(said.proxy), admin: portOf(said.admin) };
}

/** So many clients, each asking again when it was answered. `tell` hears of each answer, or of what went wrong. */
export async function load(
  ports,
  milliseconds,
  clients,
  { as = 'bot', tell = () => undefined, path = () => '/' } = {},
) {
  const connections = new Agent({ keepAlive: true, maxSockets: clients });
  const end = performance.now() + milliseconds;
  const times = [];
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < end) {
        const began = performance.now();
        tell(await ask(ports[client % ports.length], connections, as, path()));
        times.push(performance.now() - began);
      }
    }),
  );
  connections.destroy();
  return { ...quantiles(times), perSecond: (times.length / milliseconds) * 1000 };
}

export function quantiles(times) {
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? NaN;
  return { done: times.length, p50: at(0.5), p99: at(0.99), most: times.at(-1) ?? NaN };
}

/** Status of the answer; 0 where there was none. */
export function ask(port, connections, as, path, { timeout = 0, host = 'api.test' } = {}) {
  return new Promise((done) => {
    const headers = { Host: host, 'Proxy-Authorization': loginOf(as) };
    const options = { host: '127.0.0.1', port, agent: connections, path: `http://${host}${path}`, headers, timeout };
    const sent = request(options, (answer) => {
      answer.resume();
      answer.on('end', () => done(answer.statusCode)).on('error', () => done(0));
      answer.on('close', () => done(0));
    });
    sent.on('error', () => done(0));
    sent.on('timeout', () => done(sent.destroy() && -1));
    sent.end();
  });
}

export function listening(server) {
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));
}

export async function freePort() {
  const server = createTcp();
  const port = await listening(server);
  await new Promise((done) => server.close(done));
  return port;
}

export function dials(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}

export async function until(look) {
  for (let tries = 0; tries < 800; tries++) {
    if (await look()) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error('waited in vain');
}

/** Most events in any window of a length, of times in order. */
export function busiest(times, window) {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while (times[from] <= times[to] - window) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}
