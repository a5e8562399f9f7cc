// From the command, or from the request that was one too many, to the last byte: three gates that share a Redis, 200 live tunnels
// each, halted together, again and again.
//   npm run build && bash scripts/test-tools.sh && node test/bench/kill.js [rounds] [kill|quarantine]
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const dist = resolve(import.meta.dirname, '../../dist');
const load = (name) => import(join(dist, name));
const [{ startGate }, { loadConfig }, { makeLog }, { askGate }, { readToken }] = await Promise.all(
  ['main', 'config/load', 'telemetry/log', 'control/client', 'control/token'].map((name) => load(`${name}.js`)),
);

const GATES = 3;
const TUNNELS = 200;
const ROUNDS = Number(process.argv[2] ?? 20);
const QUARANTINE = process.argv[3] === 'quarantine';
const TOKEN = ['bench', 'token'].join('-');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-kill-'));
const listening = (server) => new Promise((done) => server.listen(0, '127.0.0.1', () => done(server.address().port)));

/** Sends a byte every ten milliseconds: a tunnel that lives. */
const origin = createServer((socket) => {
  const beat = setInterval(() => socket.write('x'), 10);
  socket.on('error', () => undefined).on('close', () => clearInterval(beat));
});
const originPort = await listening(origin);
const free = createServer();
const redisPort = await listening(free);
await new Promise((done) => free.close(done));
const redis = spawn(
  'redis-server',
  ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', folder],
  {
    stdio: 'ignore',
  },
);
await new Promise((done) => setTimeout(done, 500));

const gates = [];
for (let i = 0; i < GATES; i++) {
  const home = mkdtempSync(join(folder, 'gate-'));
  const hash = createHash('sha256').update(TOKEN).digest('hex');
  writeFileSync(
    join(home, 'rules.yaml'),
    `version: 1\nagents:\n  bot: { identity: { token: "sha256:${hash}" }, allow: ["* tcp://raw.test:4000"], quarantine: { denials: 2/1s, for: 1h } }\n`,
  );
  const flags = new Map(
    Object.entries({
      'listen.proxy': '127.0.0.1:0',
      'listen.admin': '127.0.0.1:0',
      rules: 'rules.yaml',
      'store.url': `redis://127.0.0.1:${redisPort}`,
      'upstream.pins': `raw.test:4000=127.0.0.1:${originPort}`,
    }).map(([key, value]) => [key, [value]]),
  );
  const config = loadConfig({ file: null, environment: {}, flags, workingFolder: home });
  const gate = await startGate(config, makeLog({ level: 'silent', format: 'json' }));
  const [host, port] = gate.admin.split(':');
  const access = { host, port: Number(port), token: readToken(config.state) };
  gates.push({ gate, proxy: Number(gate.proxy.split(':').at(-1)), access });
}

const login = Buffer.from(`bot:${TOKEN}`).toString('base64');
function openTunnel({ proxy }) {
  return new Promise((done, fail) => {
    const socket = connect(proxy, '127.0.0.1');
    const tunnel = { socket, last: 0, closed: null };
    tunnel.closed = new Promise((ended) => socket.on('close', ended));
    socket.on('error', () => undefined);
    socket.write(
      `CONNECT raw.test:4000 HTTP/1.1\r\nHost: raw.test:4000\r\nProxy-Authorization: Basic ${login}\r\n\r\n`,
    );
    let seen = 0;
    socket.on('data', () => {
      tunnel.last = performance.now();
      if (++seen === 3) done(tunnel);
    });
    socket.on('close', () => seen < 3 && fail(new Error('a tunnel was refused')));
  });
}

/** Asks for what is not allowed; resolves when it has been refused. */
function offend({ proxy }) {
  return new Promise((done) => {
    const socket = connect(proxy, '127.0.0.1');
    socket.write(
      `GET http://strange.test/ HTTP/1.1\r\nHost: strange.test\r\nProxy-Authorization: Basic ${login}\r\n\r\n`,
    );
    socket.once('data', () => done(socket.destroy())).on('error', done);
  });
}

const stop = QUARANTINE
  ? offend
  : ({ access }) => askGate(access, 'POST', '/kill', { kind: 'agent', name: 'bot', reason: 'bench', by: 'bench' });

const times = [];
try {
  for (let round = 0; round < ROUNDS; round++) {
    const tunnels = [];
    for (const each of gates)
      for (let i = 0; i < TUNNELS; i += 50)
        tunnels.push(...(await Promise.all(Array.from({ length: 50 }, () => openTunnel(each)))));
    const gate = gates[round % GATES];
    // The first denial of two.
    if (QUARANTINE) await offend(gates[(round + 1) % GATES]);
    const began = performance.now();
    await stop(gate);
    await Promise.all(tunnels.map((tunnel) => tunnel.closed));
    times.push(Math.max(...tunnels.map((tunnel) => tunnel.last)) - began);
    await askGate(gate.access, 'POST', '/revive', { kind: 'agent', name: 'bot', reason: 'bench', by: 'bench' });
    for (const each of gates)
      while ((await askGate(each.access, 'GET', '/halts')).length > 0)
        await new Promise((done) => setTimeout(done, 10));
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(times.length * share))].toFixed(0);
  console.log(
    `${GATES} gates, ${TUNNELS} tunnels each, ${ROUNDS} rounds: last byte ${at(0.5)} ms after the ${QUARANTINE ? 'request that was one too many' : 'command'}, p99 ${at(0.99)} ms`,
  );
} finally {
  for (const { gate } of gates) gate.close();
  redis.kill();
  origin.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
