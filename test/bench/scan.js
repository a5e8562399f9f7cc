// How fast the scanner is: against V8's own expressions tried in turn and against Hyperscan (where it can be built), in one
// run; under a flood of half matches; how fast answers are read; what a hostile agent costs its neighbour, and what a body of
// 2 GB costs in memory. What scanning costs a gate: `npm run bench -- post-32 --peers sallyport-unscanned --turns`.
//   npm run build && bash scripts/bench-tools.sh && node test/bench/scan.js [engine] [answers] [neighbour] [large]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadDetectors } from '../../dist/policy/load.js';
import { BudgetExceeded } from '../../dist/scan/budget.js';
import { compileEngine, warm } from '../../dist/scan/engine.js';
import { textReadersOf } from '../../dist/scan/readers/list.js';
import { Scanner } from '../../dist/scan/scanner.js';
import { AnswerText } from '../../dist/scan/text/answer-text.js';
import { Screen } from '../../dist/scan/text/screen.js';
import { ScreenedText } from '../../dist/scan/text/screened-text.js';
import { agent, loginOf, openStage, quantiles, startGate, startOrigin } from './gates.js';

const FLOODS = {
  keywords: 'datadog api_key= twilio secret= ',
  'half tokens': 'ghp_abcdefgh eyJhbGciOiJIUzI1NiJ9.eyJ ',
  'URLs with passwords': 'https://a:b ',
  escapes: '%25%25%25\\u0041\\x41&#65;=41',
  'Base64 words': 'dGhpc0lzQmFzZTY0QWdhaW4 ',
  'zlib beginnings': '\x78\x9c\x4b\x4c\x4a\x06\x01',
  'one digit': '7',
  'curl command lines': 'curl -H "authorization: bearer -d @.aws/credentials ',
};

const root = join(import.meta.dirname, '../..');
const asked = process.argv.slice(2);
if (asked[0] === 'flood') await flood(asked.slice(1));
const all = loadDetectors(join(root, 'rules/detectors'));
const ofText = ({ family }) => family === 'injected-instructions';
const detectors = all.filter((each) => !ofText(each));
const engine = compileEngine(detectors);
warm(engine);
const wanted = (name) => asked.length === 0 || asked.includes(name);
if (wanted('engine')) await engines();
if (wanted('answers')) answers();
if (wanted('neighbour')) await neighbour();
if (wanted('large')) await large();
process.exit(0);

/** The same inputs each time: no clock, no chance. */
function inputs() {
  const read = (name) => readFileSync(join(root, name));
  const repeat = (bytes, size) =>
    Buffer.concat(Array.from({ length: Math.ceil(size / bytes.length) }, () => bytes)).subarray(0, size);
  const text = read('docs/performance.md');
  const log = Buffer.from(
    Array.from(
      { length: 500 },
      (_, i) =>
        `2026-01-01T00:00:${String(i % 60).padStart(2, '0')}Z INFO [app] request ${i} took ${(i * 7) % 90} ms, trace ${(i * 2654435761).toString(16)}\n`,
    ).join(''),
  );
  let seed = 1;
  const noise = Buffer.alloc(1 << 20);
  for (let i = 0; i < noise.length; i++) noise[i] = (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 16;
  const messages = Array.from({ length: 40 }, (_, i) => ({
    role: i % 2 ? 'user' : 'assistant',
    content: text.toString('latin1', i * 200, i * 200 + 2500),
  }));
  const order = {
    id: 12345,
    items: Array.from({ length: 12 }, (_, i) => ({ sku: `A-${i}`, qty: i, note: 'please ship with the blue box' })),
  };
  return {
    'URL, 207 B': Buffer.from(
      '/v1/projects/acme-prod/repos/web-frontend/pulls?state=open&per_page=50&page=3&sort=updated&direction=desc&labels=bug,regression&assignee=octocat&since=2026-01-01T00:00:00Z&q=fix+login+redirect+loop+on+safari',
    ),
    'JSON, 1 KiB': Buffer.from(JSON.stringify(order)).subarray(0, 1024),
    'chat, 100 KiB': Buffer.from(JSON.stringify({ model: 'm', messages })),
    'log, 1 MiB': repeat(log, 1 << 20),
    'source, 1 MiB': repeat(read('src/proxy/websocket.ts'), 1 << 20),
    'lock file': read('package-lock.json'),
    'noise, 1 MiB': noise,
    'Base64 of text, 1 MiB': Buffer.from(repeat(text, 786_432).toString('base64')),
    'Base64 of noise, 1 MiB': Buffer.from(noise.subarray(0, 786_432).toString('base64')),
  };
}

function measure(run, bytes, milliseconds = 800) {
  for (const end = performance.now() + milliseconds / 3; performance.now() < end;) run();
  let rounds = 0;
  const began = performance.now();
  while (performance.now() - began < milliseconds) {
    run();
    rounds++;
  }
  const time = performance.now() - began;
  return { rate: (bytes * rounds) / 1000 / time, microseconds: (time / rounds) * 1000 };
}

async function engines() {
  const scanner = new Scanner(engine, Buffer.alloc(32, 1));
  const cases = inputs();
  const peers = hyperscan(cases);
  const expressions = detectors.flatMap(({ pattern }) => {
    try {
      return pattern === null ? [] : [new RegExp(pattern.replace(/\(\?i:/g, '(?:'), 'g')];
    } catch {
      return [];
    }
  });
  const rows = [];
  for (const [name, bytes] of Object.entries(cases)) {
    const ours = measure(() => scanner.wholeBytes(bytes), bytes.length);
    const small = bytes.subarray(0, 65_536).toString('latin1');
    const v8 = measure(
      () => {
        for (const each of expressions) for (const match of small.matchAll(each)) void match;
      },
      small.length,
      300,
    );
    const peer = peers.get(name);
    rows.push([
      name,
      `${ours.rate.toFixed(0)} MB/s`,
      `${ours.microseconds.toFixed(1)} µs`,
      peer === undefined ? '–' : `${peer.toFixed(0)} MB/s`,
      peer === undefined ? '–' : (ours.rate / peer).toFixed(2),
      `${v8.rate.toFixed(2)} MB/s`,
      (ours.rate / v8.rate).toFixed(0),
    ]);
  }
  console.log(
    '| input | ours, all decoders | a scan | Hyperscan, none | ratio | V8 in turn | ratio |\n|---|---|---|---|---|---|---|',
  );
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
  for (const [name, flood] of Object.entries(floods())) {
    const reader = new Scanner(engine, Buffer.alloc(32, 1));
    const began = performance.now();
    let outcome = 'read';
    try {
      reader.wholeBytes(flood);
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) throw error;
      outcome = 'refused';
    }
    console.log(`flood of ${name}: ${(flood.length / 1000 / (performance.now() - began)).toFixed(1)} MB/s, ${outcome}`);
  }
}

/** What is dearest to look at: half matches, escapes in escapes, compressed streams that begin and lead nowhere. */
function floods(size = 4_000_000) {
  const of = (text) => Buffer.from(text.repeat(Math.ceil(size / text.length)), 'latin1');
  return Object.fromEntries(Object.entries(FLOODS).map(([name, text]) => [name, of(text)]));
}

/** MB/s by input; empty where Hyperscan cannot be had. */
function hyperscan(cases) {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-hyperscan-'));
  try {
    const binary = join(folder, 'hyperscan');
    const built = spawnSync('gcc', ['-O2', '-o', binary, join(root, 'test/bench/peers/hyperscan.c'), '-lhs'], {
      stdio: 'ignore',
    });
    if (built.status !== 0) return new Map();
    writeFileSync(
      join(folder, 'patterns'),
      detectors.flatMap(({ pattern }) => (pattern === null ? [] : [pattern])).join('\n'),
    );
    const names = Object.keys(cases);
    names.forEach((name, index) => writeFileSync(join(folder, String(index)), cases[name]));
    const { stdout } = spawnSync(binary, ['patterns', ...names.map((_, index) => String(index))], {
      cwd: folder,
      encoding: 'utf8',
    });
    const lines = stdout.split('\n');
    console.log(`Hyperscan: ${lines[0]}`);
    return new Map(
      lines
        .slice(1)
        .filter((line) => line !== '')
        .map((line) => [names[Number(line.split(' ')[0])], Number(line.split(' ')[1])]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How fast answers are read for instructions, and how fast it is told that most need not be. */
function answers() {
  const text = compileEngine(all.filter(ofText));
  warm(text);
  const idle = [];
  const source = {
    take: () => idle.pop() ?? new Scanner(text, Buffer.alloc(32, 1), textReadersOf),
    give: (scanner) => idle.push(scanner),
    screen: Screen.of(all.filter(ofText)),
  };
  const cases = inputs();
  const page = `<html><body>${readFileSync(join(root, 'docs/performance.md'), 'utf8')
    .split('\n')
    .map((line) => `<p class="line" style="margin: 0">${line}</p>`)
    .join('\n')}</body></html>`;
  const events = Array.from({ length: 2000 }, (_, i) => {
    const content = ['This ', 'is ', 'what ', 'a model ', 'says. '][i % 5];
    return `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content } }] })}\n\n`;
  }).join('');
  const forms = {
    'JSON, 1 KiB': ['json', cases['JSON, 1 KiB']],
    'lock file': ['json', cases['lock file']],
    'chat, 100 KiB': ['json', cases['chat, 100 KiB']],
    'log, 1 MiB': ['text', cases['log, 1 MiB']],
    'source, 1 MiB': ['text', cases['source, 1 MiB']],
    page: ['text', Buffer.from(page)],
    'deltas of a model': ['events', Buffer.from(events)],
  };
  console.log('| answer | as the gate does | an answer | read in any case |\n|---|---|---|---|');
  for (const [name, [form, bytes]] of Object.entries(forms)) {
    const reading = (Text) =>
      measure(() => {
        const reader = new Text(form, source);
        for (let at = 0; at < bytes.length; at += 65_536) reader.push(bytes.subarray(at, at + 65_536));
        reader.end();
      }, bytes.length);
    const { rate, microseconds } = reading(ScreenedText);
    const read = reading(AnswerText);
    console.log(`| ${name} | ${rate.toFixed(0)} MB/s | ${microseconds.toFixed(1)} µs | ${read.rate.toFixed(0)} MB/s |`);
  }
}

/**
 * What an agent that sends the dearest bodies it can costs another, which sends small requests: against one that sends as many
 * harmless ones of the same size. The flood is sent by a process of its own.
 */
async function neighbour() {
  const stage = openStage('neighbour');
  const origin = await startOrigin();
  try {
    const both = [agent('bot'), agent('mallory')].join('').replaceAll('GET http', 'POST http');
    const { port } = await startGate(stage, 'gate', { rules: both, originPort: origin.port });
    const small = inputs()['JSON, 1 KiB'];
    const beside = async (text) => {
      const flood = stage.start(process.execPath, [import.meta.filename, 'flood', String(port), text], {
        stdio: 'ignore',
      });
      await post(port, small, 1500, 4);
      const seen = await post(port, small, 4000, 4);
      flood.kill('SIGKILL');
      await new Promise((done) => flood.once('exit', done));
      return seen;
    };
    await post(port, small, 1500, 4);
    const harmless = await beside('all is well, row 17; ');
    console.log(`beside harmless bodies: p50 ${harmless.p50.toFixed(2)} ms, p99 ${harmless.p99.toFixed(2)} ms`);
    for (const [name, text] of Object.entries(FLOODS)) {
      const { p50, p99 } = await beside(text);
      console.log(
        `beside a flood of ${name}: p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (${(p99 / harmless.p99).toFixed(1)} ×)`,
      );
    }
  } finally {
    stage.close();
  }
}

/** Sends bodies of 64 KiB made of a text until it is ended: 50 a second, one after another. */
async function flood([port, text]) {
  const body = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)), 'latin1').subarray(0, 65_536);
  for (;;) {
    await post(Number(port), body, 1, 1, 'mallory', true);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** A body of 2 GB, scanned on its way: how fast, and how much memory the gate ever took. */
async function large() {
  const stage = openStage('large');
  let received = 0;
  const origin = createServer((incoming, answer) => {
    incoming.on('data', (bytes) => (received += bytes.length));
    incoming.on('end', () => answer.end('ok'));
  });
  await new Promise((done) => origin.listen(0, '127.0.0.1', done));
  try {
    const rules = agent('bot').replace('GET http', 'POST http');
    const { port, child } = await startGate(stage, 'gate', { rules, originPort: origin.address().port });
    const highest = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
    const piece = inputs()['log, 1 MiB'];
    const send = (pieces) =>
      new Promise((done, failed) => {
        const headers = { Host: 'api.test', 'Proxy-Authorization': loginOf('bot'), 'Content-Type': 'text/plain' };
        const options = { host: '127.0.0.1', port, method: 'POST', path: 'http://api.test/large', headers };
        const sent = request(options, (answer) => answer.resume().on('end', () => done(answer.statusCode)));
        sent.on('error', failed);
        let left = pieces;
        const go = () => {
          while (left-- > 0) if (!sent.write(piece)) return void sent.once('drain', go);
          sent.end();
        };
        go();
      });
    await send(64);
    const before = highest();
    const began = performance.now();
    const status = await send(2048);
    const seconds = (performance.now() - began) / 1000;
    console.log(
      `2 GiB of text: ${status}, ${(received / 1e9).toFixed(2)} GB in all at the origin, ${((2048 * piece.length) / 1e6 / seconds).toFixed(0)} MB/s; highest RSS ${before.toFixed(0)} MB after 64 MiB, ${highest().toFixed(0)} MB after 2 GiB`,
    );
  } finally {
    stage.close();
  }
}

/** Requests with 1 KiB of JSON, scanned and not. */
async function post(port, body, milliseconds, clients = 32, as = 'bot', refused = false) {
  const connections = new Agent({ keepAlive: true, maxSockets: clients });
  const headers = {
    Host: 'api.test',
    'Proxy-Authorization': loginOf(as),
    'Content-Type': 'application/json',
    'Content-Length': body.length,
  };
  const once = () =>
    new Promise((done, failed) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          agent: connections,
          method: 'POST',
          path: 'http://api.test/orders?page=1&state=open',
          headers,
        },
        (answer) => {
          answer.resume();
          answer.on('end', () =>
            answer.statusCode === 200 || refused ? done() : failed(new Error(`status ${answer.statusCode}`)),
          );
        },
      );
      sent.on('error', failed);
      sent.end(body);
    });
  const times = [];
  const end = performance.now() + milliseconds;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < end) {
        const began = performance.now();
        await once();
        times.push(performance.now() - began);
      }
    }),
  );
  connections.destroy();
  return { ...quantiles(times), perSecond: (times.length / milliseconds) * 1000 };
}
