// Two workers against one. Each worker is given the same small share of a core (a cgroup's CPU quota, which takes root), so that the
// load and the origin have room beside them on a machine of two cores: what is measured is whether workers add up.
//   npm run build && node test/bench/workers.js [share of a core in percent]
import { mkdirSync, readFileSync, rmdirSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { agent, load, openStage, startGate, startOrigin } from './gates.js';

const SHARE = Number(process.argv[2] ?? 15) / 100;
const PERIOD = 10_000;
const ROUNDS = 3;
const stage = openStage('workers');
const origin = await startOrigin();
const groups = [];

/** Holds a process to its share, in either version of cgroups. */
function hold(pid, name) {
  const unified = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const group = join(unified ? '/sys/fs/cgroup' : '/sys/fs/cgroup/cpu', `sallyport-bench-${process.pid}-${name}`);
  mkdirSync(group);
  groups.push(group);
  if (unified) writeFileSync(join(group, 'cpu.max'), `${PERIOD * SHARE} ${PERIOD}`);
  else {
    writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD));
    writeFileSync(join(group, 'cpu.cfs_quota_us'), String(PERIOD * SHARE));
  }
  writeFileSync(join(group, 'cgroup.procs'), String(pid));
}

const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);

async function gate(name, workers, limits) {
  const rules = agent('bot', `limits: ${limits}`);
  const flags = ['--workers', String(workers)];
  const started = await startGate(stage, name, { rules, originPort: origin.port, flags });
  const pids = workers === 1 ? [started.child.pid] : childrenOf(started.child.pid);
  pids.forEach((pid, index) => hold(pid, `${name}-${index}`));
  return started;
}

try {
  for (const [what, limits] of [
    ['no limits', '{}'],
    ['limits in memory', '{ requests: 1000000/minute, concurrency: 100 }'],
  ]) {
    const key = what.replaceAll(' ', '-');
    const gates = { one: await gate(`one-${key}`, 1, limits), two: await gate(`two-${key}`, 2, limits) };
    const results = { one: [], two: [] };
    for (const { port } of Object.values(gates)) await load([port], 3000, 32);
    for (let round = 0; round < ROUNDS; round++)
      for (const [name, { port }] of Object.entries(gates)) results[name].push(await load([port], 5000, 32));
    const middle = (name) => results[name].map(({ perSecond }) => perSecond).sort((a, b) => a - b)[1];
    const [one, two] = [middle('one'), middle('two')];
    console.log(
      `${what}: one worker ${one.toFixed(0)} req/s, two ${two.toFixed(0)} req/s: ${(two / one).toFixed(2)} times (each worker ${SHARE * 100} % of a core)`,
    );
    for (const { child } of Object.values(gates)) child.kill('SIGTERM');
    await Promise.all(Object.values(gates).map(({ child }) => new Promise((done) => child.on('exit', done))));
  }
} finally {
  stage.close();
  for (const group of groups) rmdirSync(group);
}
process.exit(0);
