// What a quiet agent feels of a noisy one: its p99 alone, and beside a thousand stalled tunnels, half heads, a flood above its limit,
// and a flood of handshakes. The gate has one core; the noise, with an origin of its own, shares the other with the quiet agent and its
// origin, which go first there: what is measured is the gate, not who else wants the processor.
//   npm run build && node test/bench/fairness.js [seconds]
import { execFileSync, spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { readFileSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { agent, ask, freePort, load, loginOf, openStage, quantiles, startGate, startOrigin } from './gates.js';

const MANY = 1000;
/** The quiet agent asks so often, in milliseconds. */
const PACE = 5;

const NOISES = {
  /** Tunnels in which nothing is ever said. */
  'stalled-tunnels': async ({ port }) => {
    for (let i = 0; i < MANY; i++) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.write(
        `CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nProxy-Authorization: ${loginOf('noisy')}\r\n\r\n`,
      );
      socket.on('close', () => undefined).resume();
    }
    await forever();
  },
  /** Heads that never end, a byte a second. */
  'half-heads': async ({ port }) => {
    for (let i = 0; i < MANY; i++) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.write('GET http://api.test/ HTTP/1.1\r\nX-Slow: ');
      const drip = setInterval(() => socket.write('x'), 1000);
      socket.on('close', () => clearInterval(drip)).resume();
    }
    await forever();
  },
  /** Two hundred clients of an agent that may have eight exchanges at once. */
  'above-its-limit': async ({ port, noisyPort }) => (await serve(noisyPort)) || load([port], 1e9, 200, { as: 'noisy' }),
  /** The same without a limit: as much as it can. */
  flood: async ({ port, noisyPort }) => (await serve(noisyPort)) || load([port], 1e9, 200, { as: 'free' }),
  /** TLS handshakes one after the other on fifty connections, each with a full key exchange. */
  handshakes: async ({ port, ca }) => {
    const once = () =>
      new Promise((done) => {
        const socket = connect(port, '127.0.0.1').on('error', done);
        socket.write(
          `CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nProxy-Authorization: ${loginOf('noisy')}\r\n\r\n`,
        );
        socket.once('data', () => {
          const tls = connectTls({ socket, ca, servername: 'api.test' }, () => done(tls.destroy()));
          tls.on('error', () => done(socket.destroy()));
        });
      });
    const one = async () => {
      for (;;) await once();
    };
    await Promise.all(Array.from({ length: 50 }, one));
  },
};

const [first, noise, given] = process.argv.slice(2);
if (first === '--noise') {
  setPriority(10);
  await NOISES[noise](JSON.parse(given));
} else await measure(Number(first ?? 8) * 1000);
process.exit(0);

async function measure(milliseconds) {
  const stage = openStage('fairness');
  try {
    pin(process.pid, 1);
    setPriority(-15);
    const origin = await startOrigin();
    const noisyPort = await freePort();
    const rules = `${agent('quiet').replace('api.test', 'quiet.test')}${agent('free')}${agent('noisy', 'limits: { concurrency: 8 }').replace('allow: [', 'allow: ["* https://api.test/**", ')}`;
    const gate = await startGate(stage, 'gate', {
      rules,
      originPort: noisyPort,
      flags: ['api.test:443', 'quiet.test:80'].flatMap((target, index) => [
        '--upstream-pin',
        `${target}=127.0.0.1:${[noisyPort, origin.port][index]}`,
      ]),
    });
    pin(gate.child.pid, 0);
    setPriority(gate.child.pid, 0);
    const ca = readFileSync(join(gate.home, 'certs/ca.crt'), 'utf8');
    await steady(gate.port, 1000);
    tell('alone', await steady(gate.port, milliseconds));
    for (const name of Object.keys(NOISES)) {
      const words = [import.meta.filename, '--noise', name, JSON.stringify({ port: gate.port, ca, noisyPort })];
      const noisy = spawn(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
      await new Promise((done) => setTimeout(done, 2000));
      tell(name, await steady(gate.port, milliseconds));
      noisy.kill('SIGKILL');
      await new Promise((done) => setTimeout(done, 1000));
    }
    tell('alone again', await steady(gate.port, milliseconds));
  } finally {
    stage.close();
  }
}

/** The quiet agent: a request every few milliseconds, whatever became of the one before. */
async function steady(port, milliseconds) {
  const connections = new Agent({ keepAlive: true, maxSockets: 64 });
  const times = [];
  const asked = [];
  let failed = 0;
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    const began = performance.now();
    asked.push(
      ask(port, connections, 'quiet', '/', { timeout: 10_000, host: 'quiet.test' }).then((status) => {
        times.push(performance.now() - began);
        if (status !== 200) failed++;
      }),
    );
    await new Promise((done) => setTimeout(done, PACE));
  }
  await Promise.all(asked);
  connections.destroy();
  return { ...quantiles(times), failed };
}

function tell(what, { p50, p99, most, done, failed }) {
  console.log(
    `${what}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, worst ${most.toFixed(1)} ms (${done} asked, ${failed} failed)`,
  );
}

/** The main thread of a process on one core; where its collector runs is for the system to say. */
function pin(pid, core) {
  execFileSync('taskset', ['-p', '-c', String(core), String(pid)], { stdio: 'ignore' });
}

/** The noise's own origin. */
function serve(port) {
  return new Promise((done) => createServer((_request, answer) => answer.end('ok')).listen(port, '127.0.0.1', done));
}

function forever() {
  return new Promise(() => setInterval(() => undefined, 1000));
}
