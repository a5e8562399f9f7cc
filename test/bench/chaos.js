// Gates and Redis killed and started again at random, under load, for minutes: is the limit ever passed, is any exchange unrecorded, does
// anything hang? Three gates of two workers on one Redis that keeps its counters on disk.
//   npm run build && bash scripts/test-tools.sh && node test/bench/chaos.js [minutes] [seed]
import { readFileSync, readdirSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import { join } from 'node:path';
import { agent, ask, busiest, dials, freePort, listening, openStage, startGate, until } from './gates.js';

const MINUTES = Number(process.argv[2] ?? 5);
const SEED = Number(process.argv[3] ?? Date.now() % 1e6);
const GATES = 3;
const CLIENTS = 24;
const LIMIT = 200;
const WINDOW = 10_000;
/** An answer that takes longer hangs: longer than any time-out of the gate on this path. */
const HANG = 20_000;
const random = randomOf(SEED);
const stage = openStage('chaos');

/** By path: when the origin saw it. Every path is asked for once. */
const seen = new Map();
const origin = createServer((incoming, answer) => {
  incoming.resume();
  const again = seen.has(incoming.url);
  seen.set(incoming.url, performance.now());
  if (again) counts.twice++;
  // Answers take their time, so that there is something to interrupt.
  setTimeout(() => answer.end('ok'), random() * 400);
});
const counts = {
  asked: 0,
  hung: 0,
  twice: 0,
  statuses: {},
  gateKills: 0,
  workerKills: 0,
  redisKills: 0,
  redisPauses: 0,
};
const originPort = await listening(origin);
const redisPort = await freePort();
const ports = [];
for (let i = 0; i < GATES; i++) ports.push(await freePort());
let redis = await startRedis();
const gates = [];
for (let i = 0; i < GATES; i++) gates.push(await start(i));

const began = performance.now();
const end = began + MINUTES * 60_000;
const connections = new Agent({ keepAlive: true, maxSockets: CLIENTS });
try {
  await Promise.all([mayhem(), ...Array.from({ length: CLIENTS }, (_, index) => client(index))]);
  report();
} finally {
  stage.close();
}
process.exit(process.exitCode ?? 0);

async function client(index) {
  for (let turn = 0; performance.now() < end; turn++) {
    const path = `/c${index}-${turn}`;
    counts.asked++;
    const status = await ask(ports[(index + turn) % GATES], connections, 'bot', path, { timeout: HANG });
    counts.statuses[status] = (counts.statuses[status] ?? 0) + 1;
    if (status === -1) counts.hung++;
    // Nobody answers, or nobody has room: asked again in a while.
    if (status !== 200) await pause(5 + random() * 20);
  }
}

async function mayhem() {
  while (performance.now() < end) {
    await pause(500 + random() * 3000);
    const dice = random();
    if (dice < 0.35) await killGate();
    else if (dice < 0.65) await killWorker();
    else if (dice < 0.85) await killRedis();
    else await pauseRedis();
  }
}

async function killGate() {
  counts.gateKills++;
  const index = Math.floor(random() * GATES);
  gates[index].child.kill('SIGKILL');
  await new Promise((done) => gates[index].child.once('exit', done));
  // Its workers end with it, and let go of the port.
  await until(async () => !(await dials(ports[index])));
  gates[index] = await start(index);
}

async function killWorker() {
  const { pid } = gates[Math.floor(random() * GATES)].child;
  const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  if (workers.length === 0) return;
  counts.workerKills++;
  process.kill(Number(workers[Math.floor(random() * workers.length)]), 'SIGKILL');
}

async function killRedis() {
  counts.redisKills++;
  redis.kill('SIGKILL');
  await new Promise((done) => redis.once('exit', done));
  await pause(random() * 1500);
  redis = await startRedis();
}

async function pauseRedis() {
  counts.redisPauses++;
  redis.kill('SIGSTOP');
  await pause(random() * 2000);
  redis.kill('SIGCONT');
}

/** What it has counted is on disk before it answers: a Redis that forgets would give new budgets. */
async function startRedis() {
  const words = [
    '--port',
    redisPort,
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'yes',
    '--appendfsync',
    'always',
  ];
  const child = stage.start('redis-server', [...words.map(String), '--dir', stage.folder], { stdio: 'ignore' });
  await until(() => dials(redisPort));
  return child;
}

function start(index) {
  return startGate(stage, `gate-${index}`, {
    rules: agent('bot', `limits: { requests: ${LIMIT}/10s }`),
    originPort,
    proxy: `127.0.0.1:${ports[index]}`,
    flags: ['--workers', '2', '--store-url', `redis://127.0.0.1:${redisPort}`],
  });
}

function report() {
  const times = [...seen.values()].sort((a, b) => a - b);
  // Admitted by the clock of Redis, seen by the origin's: what was on its way when everything stood still arrives late.
  const most = busiest(times, WINDOW - 100);
  const { intents, outcomes, interrupted } = recorded();
  const unrecorded = [...seen.keys()].filter((path) => !intents.has(path));
  const open = [...intents.values()].filter((id) => !outcomes.has(id) && !interrupted.has(id));
  const { asked, hung, twice, statuses, gateKills, workerKills, redisKills, redisPauses } = counts;
  console.log(
    `${MINUTES} minutes, seed ${SEED}: ${asked} asked (${Object.entries(statuses)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', ')})
killed: ${gateKills} gates, ${workerKills} workers, ${redisKills} times Redis; Redis paused ${redisPauses} times
seen by the origin: ${seen.size}, ${twice} twice; most in any ${WINDOW / 1000} s: ${most} of ${LIMIT}
on record: ${intents.size} intents, ${interrupted.size} interrupted; seen and unrecorded: ${unrecorded.length}; neither ended nor called interrupted: ${open.length} (under way at the end)
hung: ${hung}`,
  );
  if (most > LIMIT || unrecorded.length > 0 || hung > 0 || twice > 0) process.exitCode = 1;
}

/** Exchanges on record: intents by path, the others by id. */
function recorded() {
  const [intents, outcomes, interrupted] = [new Map(), new Set(), new Set()];
  for (let index = 0; index < GATES; index++) {
    const folder = join(stage.folder, `gate-${index}`, 'state/audit');
    for (const name of readdirSync(folder))
      for (const line of readFileSync(join(folder, name), 'utf8').split('\n')) {
        if (!line.endsWith('}') || !line.includes('"exchange"')) continue;
        const event = JSON.parse(line);
        if (event.kind === 'intent') intents.set(event.path, event.exchange);
        else (event.kind === 'outcome' ? outcomes : interrupted).add(event.exchange);
      }
  }
  return { intents, outcomes, interrupted };
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
