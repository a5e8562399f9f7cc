// What limits cost a request (none, in memory, in Redis), and whether gates that share a Redis keep to one limit.
//   npm run build && bash scripts/test-tools.sh && node test/bench/limits.js [cost] [exact]
import { agent, busiest, freePort, load, openStage, startGate, startOrigin, startRedis } from './gates.js';

const GATES = 3;
const WORKERS = 2;
const CLIENTS = 50;
const asked = process.argv.slice(2);
const stage = openStage('limits');
const arrivals = [];
const origin = await startOrigin(() => arrivals.push(performance.now()));
const redisPort = await freePort();
await startRedis(stage, redisPort);
const redis = `redis://127.0.0.1:${redisPort}`;
const gate = (name, limits, store, workers = 1) =>
  startGate(stage, name, {
    rules: agent('bot', `limits: ${limits}`),
    originPort: origin.port,
    flags: ['--store-url', store, '--workers', String(workers)],
  });
try {
  if (asked.length === 0 || asked.includes('cost')) await cost();
  if (asked.length === 0 || asked.includes('exact')) await exact();
} finally {
  stage.close();
}
process.exit(0);

/** Rounds in turn, so that a machine that changes its mind changes it for all. */
async function cost() {
  const gates = {
    none: await gate('none', '{}', 'memory'),
    memory: await gate('memory', '{ requests: 1000000/minute, concurrency: 100 }', 'memory'),
    redis: await gate('redis', '{ requests: 1000000/minute, concurrency: 100 }', redis),
  };
  const results = Object.fromEntries(Object.keys(gates).map((name) => [name, []]));
  for (const { port } of Object.values(gates)) await load([port], 1000, 32);
  for (let round = 0; round < 3; round++)
    for (const [name, { port }] of Object.entries(gates)) results[name].push(await load([port], 4000, 32));
  for (const [name, rounds] of Object.entries(results)) {
    const { perSecond, p50, p99 } = rounds.sort((a, b) => a.perSecond - b.perSecond)[1];
    console.log(`limits ${name}: ${perSecond.toFixed(0)} req/s, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  }
  for (const { child } of Object.values(gates)) child.kill('SIGKILL');
}

/** 50 clients ask three gates of two workers each 100,000 times for what a thousand a minute may have. */
async function exact() {
  const gates = [];
  for (let i = 0; i < GATES; i++) gates.push(await gate(`exact-${i}`, '{ requests: 1000/minute }', redis, WORKERS));
  const ports = gates.map(({ port }) => port);
  arrivals.length = 0;
  const began = performance.now();
  let sum = 0;
  for (let rounds = 0; rounds <= 100 && (sum < 100_000 || performance.now() - began < 125_000); rounds++)
    sum += (await load(ports, 5000, CLIENTS)).done;
  const times = arrivals.map((at) => at - began).sort((a, b) => a - b);
  // Requests are admitted by the clock of Redis and seen by the origin's: a window is that much shorter here.
  const most = busiest(times, 60_000 - 100);
  const first = times.filter((at) => at < 60_000).length;
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(
    `exactness: ${GATES} gates x ${WORKERS} workers: ${sum} asked, ${times.length} admitted in ${seconds} s; most in any minute ${most}, in the first minute ${first}`,
  );
}
