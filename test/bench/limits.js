// What limits cost a request (none, in memory, in Redis), and whether three gates that share a Redis keep to one limit.
//   npm run build && bash scripts/test-tools.sh && node test/bench/limits.js [cost] [exact]
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { connect, createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const CLI = resolve(import.meta.dirname, '../../dist/cli/sallyport.js');
const TOKEN = ['bench', 'token'].join('-');
const LOGIN = `Basic ${Buffer.from(`bot:${TOKEN}`).toString('base64')}`;
const CLIENTS = 50;
const asked = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'sallyport-limits-'));
const children = [];

const arrivals = [];
const origin = createServer((incoming, answer) => {
  incoming.resume();
  arrivals.push(performance.now());
  answer.end('ok');
});
const originPort = await listening(origin);
const redisPort = await freePort();
children.push(
  spawn('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', folder], {
    stdio: 'ignore',
  }),
);
await until(() => dials(redisPort));
try {
  if (asked.length === 0 || asked.includes('cost')) await cost();
  if (asked.length === 0 || asked.includes('exact')) await exact();
} finally {
  for (const child of children) child.kill('SIGKILL');
  origin.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

/** Rounds in turn, so that a machine that changes its mind changes it for all. */
async function cost() {
  const gates = {
    none: await startGate('none', '{}', 'memory'),
    memory: await startGate('memory', '{ requests: 1000000/minute, concurrency: 100 }', 'memory'),
    redis: await startGate('redis', '{ requests: 1000000/minute, concurrency: 100 }', `redis://127.0.0.1:${redisPort}`),
  };
  const results = Object.fromEntries(Object.keys(gates).map((name) => [name, []]));
  for (const gate of Object.values(gates)) await load([gate], 1000, 32);
  for (let round = 0; round < 3; round++)
    for (const [name, gate] of Object.entries(gates)) results[name].push(await load([gate], 4000, 32));
  for (const [name, rounds] of Object.entries(results)) {
    const { perSecond, p50, p99 } = rounds.sort((a, b) => a.perSecond - b.perSecond)[1];
    console.log(`limits ${name}: ${perSecond.toFixed(0)} req/s, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  }
}

/** 50 clients ask three gates 100,000 times for what a thousand a minute may have. */
async function exact() {
  const gates = [];
  for (let i = 0; i < 3; i++)
    gates.push(await startGate(`exact-${i}`, '{ requests: 1000/minute }', `redis://127.0.0.1:${redisPort}`));
  arrivals.length = 0;
  const began = performance.now();
  let sum = 0;
  for (let rounds = 0; sum < 100_000 || performance.now() - began < 125_000; rounds++) {
    const { done } = await load(gates, 5000, CLIENTS);
    sum += done;
    if (rounds > 100) break;
  }
  const times = arrivals.map((at) => at - began).sort((a, b) => a - b);
  // Requests are admitted by the clock of Redis and seen by the origin's: a window is that much shorter here.
  const most = busiest(times, 60_000 - 100);
  const first = times.filter((at) => at < 60_000).length;
  console.log(
    `exactness: ${sum} asked, ${times.length} admitted in ${((performance.now() - began) / 1000).toFixed(0)} s; most in any minute ${most}, in the first minute ${first}`,
  );
}

function busiest(times, window) {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to++) {
    while (times[from] <= times[to] - window) from++;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

async function load(gates, milliseconds, clients) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const end = performance.now() + milliseconds;
  const times = [];
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < end) {
        const began = performance.now();
        await ask(gates[client % gates.length], agent);
        times.push(performance.now() - began);
      }
    }),
  );
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(times.length * share)];
  return { done: times.length, perSecond: (times.length / milliseconds) * 1000, p50: at(0.5), p99: at(0.99) };
}

function ask(port, agent) {
  return new Promise((done, fail) => {
    const headers = { Host: 'api.test', 'Proxy-Authorization': LOGIN };
    const sent = request({ host: '127.0.0.1', port, agent, path: 'http://api.test/', headers }, (answer) => {
      answer.resume();
      answer.on('end', done);
    });
    sent.on('error', fail);
    sent.end();
  });
}

async function startGate(name, limits, store) {
  const home = join(folder, name);
  const file = (each) => join(home, each);
  mkdirSync(home);
  const hash = createHash('sha256').update(TOKEN).digest('hex');
  writeFileSync(
    file('rules.yaml'),
    `version: 1\nagents:\n  bot: { identity: { token: "sha256:${hash}" }, limits: ${limits}, allow: ["GET http://api.test/**"] }\n`,
  );
  const flags = [
    '--listen-proxy',
    '127.0.0.1:0',
    '--listen-admin',
    '127.0.0.1:0',
    '--rules',
    'rules.yaml',
    '--log-level',
    'error',
  ];
  const more = ['--store-url', store, '--upstream-pin', `api.test:80=127.0.0.1:${originPort}`, '--ready-file', 'ready'];
  children.push(
    spawn(process.execPath, [CLI, 'start', ...flags, ...more], { cwd: home, stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  await until(() => statSync(file('ready'), { throwIfNoEntry: false }) !== undefined);
  return Number(
    JSON.parse(readFileSync(file('ready'), 'utf8'))
      .proxy.split(':')
      .at(-1),
  );
}

function listening(server) {
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));
}

async function freePort() {
  const server = createTcp();
  const port = await listening(server);
  await new Promise((done) => server.close(done));
  return port;
}

function dials(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', () => done(false));
  });
}

async function until(look) {
  for (let tries = 0; tries < 400; tries++) {
    if (await look()) return;
    await new Promise((done) => setTimeout(done, 25));
  }
  throw new Error('waited in vain');
}
