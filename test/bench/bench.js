// The bench: ratios against peers in one run (design: docs/performance.md).
//   npm run bench                                       every row, every peer
//   npm run bench -- keepalive-32 --peers squid         some rows, some peers
//   npm run bench -- --rounds 1 --seconds 2             a quick look
//   npm run bench -- post-32 --turns --rounds 10 --seconds 2 --warmup 0.5   proxies stay up and are asked in turns: what the
//                                                       machine does meanwhile hits all of them, and small differences show
import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PROXIES } from './proxies.js';
import { HOST, familyUsage, load, openStage, sleep } from './stage.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'string', default: 'squid,mitmproxy,http-mitm-proxy' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    warmup: { type: 'string', default: '2' },
    turns: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});

const keepalive = (connections) => ({
  unit: 'req/s',
  better: 'more',
  job: { mode: 'keepalive', connections },
  figure: (r) => r.perSecond,
});
const bulk = (direction, content, connections) => ({
  unit: 'MB/s',
  better: 'more',
  job: { mode: 'bulk', direction, content, connections },
  figure: (r) => r.megabytesPerSecond,
});
/** Of the peers, mitmproxy alone inspects HTTP/2. */
const http2 = (mode, connections, streams) => ({
  unit: 'req/s',
  better: 'more',
  job: { mode, connections, streams },
  only: ['direct', 'sallyport', 'mitmproxy'],
  figure: (r) => r.perSecond,
});
const ROWS = {
  'keepalive-1': keepalive(1),
  'keepalive-32': keepalive(32),
  'keepalive-128': keepalive(128),
  // Bodies of 1 KiB of JSON, no two alike: `--peers sallyport-unscanned` tells what scanning costs.
  'post-32': {
    ...keepalive(32),
    job: { mode: 'keepalive', connections: 32, bodies: 512 },
    // It asks what our own scanner costs. Squid does not keep its connections through these.
    only: ['direct', 'sallyport', 'sallyport-unscanned'],
  },
  // One body again and again, as an agent that polls sends it.
  'post-32-same': {
    ...keepalive(32),
    job: { mode: 'keepalive', connections: 32, bodies: 1 },
    only: ['direct', 'sallyport', 'sallyport-unscanned'],
  },
  'http2-32': http2('http2', 1, 32),
  'http2-32-connections': http2('http2', 32, 1),
  'grpc-unary': { ...http2('grpc', 1, 32), port: 'talkPort' },
  'websocket-echo': {
    unit: 'messages/s',
    better: 'more',
    job: { mode: 'websocket', connections: 32 },
    port: 'talkPort',
    // Squid would have to be told to let connections be upgraded, and would read nothing of them.
    only: ['direct', 'sallyport', 'mitmproxy', 'http-mitm-proxy'],
    figure: (r) => r.perSecond,
  },
  'sse-event': {
    unit: 'ms',
    better: 'less',
    job: { mode: 'events' },
    port: 'sinkPort',
    figure: (r) => r.median,
  },
  'connect-full': {
    unit: 'conn/s',
    better: 'more',
    job: { mode: 'connects', connections: 8, resume: false },
    figure: (r) => r.perSecond,
  },
  'connect-resumed': {
    unit: 'conn/s',
    better: 'more',
    job: { mode: 'connects', connections: 8, resume: true },
    figure: (r) => r.perSecond,
  },
  download: bulk('download', 'noise', 1),
  'download-log': bulk('download', 'log', 1),
  upload: { ...bulk('upload', 'noise', 8), port: 'sinkPort' },
  'upload-log': { ...bulk('upload', 'log', 8), port: 'sinkPort' },
  'first-sight': {
    unit: 'ms',
    better: 'less',
    job: { mode: 'firstSight', hosts: 200 },
    only: ['sallyport', 'http-mitm-proxy'],
    figure: (r) => r.median,
  },
  'slow-reader': {
    unit: 'MiB grown',
    better: 'less',
    job: { mode: 'slowReader', seconds: 5 },
    memory: true,
    figure: (r) => r.grown,
  },
  'idle-1000': {
    unit: 'MiB',
    better: 'less',
    job: { mode: 'idle', connections: 1000, seconds: 5 },
    memory: true,
    figure: (r) => r.rss,
  },
};

const names = ['direct', 'sallyport', ...values.peers.split(',').filter(Boolean)];
const rows = positionals.length > 0 ? positionals : Object.keys(ROWS);
const stage = await openStage();
const results = {};
try {
  for (const row of rows) await runRow(row);
} finally {
  stage.close();
}
const text = table();
process.stdout.write(`\n${text}\n`);
if (values.out !== undefined) {
  mkdirSync(values.out, { recursive: true });
  writeFileSync(join(values.out, 'bench.json'), `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(values.out, 'bench.md'), `${text}\n`);
}
process.exit(0);

/** Rounds go through all proxies in turn, so that a slow minute of the machine hits each of them. */
async function runRow(row) {
  const spec = ROWS[row];
  if (spec === undefined) throw new Error(`no row "${row}"; there are ${Object.keys(ROWS).join(', ')}`);
  results[row] = {};
  const rounds = spec.memory ? 1 : Number(values.rounds);
  const up = new Map();
  try {
    if (values.turns) for (const name of names) if (isAsked(name, spec)) up.set(name, await warmedUp(name, spec));
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? names : [...names].reverse();
      for (const name of order) {
        if (!isAsked(name, spec)) continue;
        try {
          (results[row][name] ??= []).push(await measure(name, spec, up.get(name)));
        } catch (error) {
          (results[row][name] ??= []).push({ figure: null, error: error.message });
        }
        process.stderr.write(`${row} ${name}: ${JSON.stringify(results[row][name].at(-1))}\n`);
      }
    }
  } finally {
    for (const { child } of up.values()) if (child !== null) await ended(child);
  }
}

function isAsked(name, spec) {
  return spec.only?.includes(name) !== false && !(spec.memory && name === 'direct');
}

/** A proxy that stays up, and has done the work for a while. */
async function warmedUp(name, spec) {
  const proxy = await PROXIES[name](stage);
  await measure(name, spec, proxy, { seconds: 4, warmup: 0 });
  return proxy;
}

async function measure(name, spec, up, times = values) {
  const proxy = up ?? (await PROXIES[name](stage));
  const pid = proxy.child?.pid;
  try {
    const job = {
      host: HOST,
      port: stage[spec.port ?? 'port'],
      proxy: proxy.proxy,
      auth: proxy.auth,
      ca: proxy.ca,
      seconds: Number(times.seconds),
      warmup: Number(times.warmup),
      ...spec.job,
    };
    const at = {};
    const idle = pid === undefined ? null : familyUsage(pid);
    const watch = spec.job.mode === 'slowReader' ? sleep(4500).then(() => (at.end = familyUsage(pid))) : null;
    const result = await load(job, {
      begin: () => pid !== undefined && (at.begin = familyUsage(pid)),
      end: () => pid !== undefined && (at.end = familyUsage(pid)),
    });
    await watch;
    if (at.end !== undefined)
      Object.assign(result, { rss: at.end.rss, peak: at.end.peak, grown: at.end.peak - idle.rss, idleRss: idle.rss });
    if (at.begin !== undefined && at.end !== undefined && result.done > 0)
      result.cpuMicroseconds = ((at.end.cpu - at.begin.cpu) / result.done) * 1e6;
    return { figure: spec.figure(result), ...result };
  } finally {
    if (up === undefined && proxy.child !== null) await ended(proxy.child);
  }
}

async function ended(child) {
  if (child.exitCode !== null) return;
  const gone = new Promise((done) => child.on('exit', done));
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 3000);
  await gone;
  clearTimeout(late);
}

function median(list) {
  const sorted = list.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  return sorted.length === 0 ? null : sorted[Math.floor(sorted.length / 2)];
}

function table() {
  const head = `| row | unit | ${names.join(' | ')} | ratio to ${names.slice(2).join(' / ')} |`;
  const lines = [head, `|${'---|'.repeat(names.length + 3)}`];
  for (const row of rows) {
    const of = (name, key) => median((results[row][name] ?? []).map((each) => each[key]));
    const cell = (name) => {
      const figure = of(name, 'figure');
      if (figure === null) return '–';
      const p99 = of(name, 'p99');
      const cpu = of(name, 'cpuMicroseconds');
      const all = (results[row][name] ?? []).map((each) => each.figure).filter((value) => value !== null);
      const spread =
        all.length > 1 ? ` ±${Math.round(((Math.max(...all) - Math.min(...all)) / 2 / figure) * 100)} %` : '';
      return `${round(figure)}${spread}${p99 === null ? '' : `, p99 ${p99.toFixed(2)} ms`}${cpu === null ? '' : `, ${Math.round(cpu)} µs CPU`}`;
    };
    // Where the load generator without a proxy is not half as fast again as the best proxy, it is what was measured: the
    // proxies' own CPU time is then the only figure that compares them.
    const direct = of('direct', 'figure');
    const best = Math.max(...names.slice(1).map((name) => of(name, 'figure') ?? 0));
    const isVoid = ROWS[row].better === 'more' && direct !== null && direct < 1.5 * best;
    const ratios = names.slice(2).map((name) => {
      const key = isVoid ? 'cpuMicroseconds' : 'figure';
      const [mine, other] = [of('sallyport', key), of(name, key)];
      // What was asked in turns compares turn by turn.
      if (values.turns && mine !== null && other !== null) {
        const turns = results[row].sallyport.map((each, turn) => each[key] / results[row][name][turn][key]);
        return isVoid ? `void; CPU ${(1 / median(turns)).toFixed(2)} ×` : `${median(turns).toFixed(2)} ×`;
      }
      if (mine === null || other === null) return isVoid ? 'void' : '–';
      return isVoid ? `void; CPU ${(other / mine).toFixed(2)} ×` : `${(mine / other).toFixed(2)} ×`;
    });
    lines.push(`| ${row} | ${ROWS[row].unit} | ${names.map(cell).join(' | ')} | ${ratios.join(' / ')} |`);
  }
  return lines.join('\n');
}

function round(figure) {
  return figure >= 100 ? Math.round(figure).toLocaleString('en') : figure.toFixed(2);
}
