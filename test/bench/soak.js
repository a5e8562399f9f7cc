// The soak: 1,000 distinct hosts on 1,000 idle tunnels, and load on 32 more connections, for ten minutes. Memory must level off.
//   npm run soak                       ten minutes
//   npm run soak -- --minutes 2
import { parseArgs } from 'node:util';
import { PROXIES } from './proxies.js';
import { HOST, familyUsage, load, openStage, sleep } from './stage.js';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const seconds = Number(values.minutes) * 60;
const stage = await openStage();
const gate = await PROXIES.sallyport(stage);
const base = { host: HOST, port: stage.port, proxy: gate.proxy, auth: gate.auth, ca: gate.ca, warmup: 1 };
const samples = [];
try {
  const before = familyUsage(gate.child.pid).rss;
  const idle = load({ ...base, mode: 'idle', connections: 1000, hosts: 1000, seconds: seconds + 20 });
  await sleep(15_000);
  const busy = load({ ...base, mode: 'keepalive', connections: 32, seconds });
  const every = Math.max(5, Math.round(seconds / 20));
  for (let at = 0; at < seconds; at += every) {
    await sleep(every * 1000);
    samples.push({ second: at + every, rss: Math.round(familyUsage(gate.child.pid).rss) });
    process.stderr.write(`${at + every} s: ${samples.at(-1).rss} MiB\n`);
  }
  const result = await busy;
  await idle;
  // The collector saws up and down: halves are compared by their medians.
  const median = (list) => list.map((each) => each.rss).sort((x, y) => x - y)[Math.floor(list.length / 2)];
  const middle = Math.floor(samples.length / 2);
  const [one, two] = [median(samples.slice(0, middle)), median(samples.slice(middle))];
  process.stdout.write(
    `start ${Math.round(before)} MiB; median of the first half ${one} MiB, of the second ${two} MiB; ${Math.round(result.perSecond)} req/s\n`,
  );
} finally {
  gate.child.kill('SIGTERM');
  stage.close();
}
process.exit(0);
