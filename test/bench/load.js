// Load generator: prebuilt bytes on raw sockets, through CONNECT and TLS. Run as a process of its own, pinned to a core.
// Usage: node load.js '{"mode":"keepalive","proxy":"host:port"|null,"auth":string|null,"connections":32,"seconds":5,"warmup":2,…}'
// Prints one line of JSON.
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { readFileSync } from 'node:fs';
import { CONTENTS } from './contents.js';

const job = JSON.parse(process.argv[2] ?? '{}');
// One context for all connections: making one costs more than a handshake.
const secureContext = createSecureContext({ ca: readFileSync(job.ca) });
const target = { host: job.host, port: job.port };
const sessions = new Map();

/** A TLS connection to the target, through the proxy where there is one. */
function open(host = target.host, options = {}) {
  return new Promise((resolve, reject) => {
    const secure = (socket) => {
      const tls = connectTls({
        socket,
        secureContext,
        // The tests verify; here it would only slow the load generator down.
        rejectUnauthorized: false,
        servername: host,
        ALPNProtocols: [options.protocol ?? 'http/1.1'],
        ...(options.resume ? { session: sessions.get(host) } : {}),
      });
      if (options.resume) tls.on('session', (session) => sessions.set(host, session));
      tls.once('secureConnect', () => resolve(tls));
      tls.once('error', reject);
    };
    if (job.proxy === null) {
      const socket = connectTcp({ host: '127.0.0.1', port: target.port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => secure(socket));
      return;
    }
    const [proxyHost, proxyPort] = job.proxy.split(':');
    const socket = connectTcp({ host: proxyHost, port: Number(proxyPort), noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      const auth = job.auth === null ? '' : `Proxy-Authorization: ${job.auth}\r\n`;
      socket.write(`CONNECT ${host}:${target.port} HTTP/1.1\r\nHost: ${host}:${target.port}\r\n${auth}\r\n`);
      let head = '';
      const onData = (bytes) => {
        head += bytes.toString('latin1');
        if (!head.includes('\r\n\r\n')) return;
        socket.off('data', onData);
        socket.pause();
        if (/^HTTP\/1\.[01] 200/.test(head)) secure(socket);
        else reject(new Error(`CONNECT answered ${head.split('\r\n')[0]}`));
      };
      socket.on('data', onData);
    });
  });
}

const request = (host, path, method = 'GET') =>
  Buffer.from(
    `${method} ${path} HTTP/1.1\r\nHost: ${host}${target.port === 443 ? '' : `:${target.port}`}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`,
    'latin1',
  );

/** Reads one answer and returns its size in bytes: head, and a body of Content-Length. */
function firstAnswer(socket) {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (bytes) => {
      text += bytes.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? NaN);
      if (Number.isNaN(length)) return reject(new Error(`no Content-Length in ${text.slice(0, end)}`));
      if (!text.startsWith('HTTP/1.1 200')) return reject(new Error(text.slice(0, 400)));
      if (text.length < end + 4 + length) return;
      socket.off('data', onData);
      resolve(text.length);
    };
    socket.on('data', onData);
    socket.once('error', reject);
  });
}

/**
 * Warm-up, then the seconds that count. `start` sets loops going and returns the promise of their end; they ask `run` whether
 * to stop and tell it what they did.
 */
async function measured(start, patience = null) {
  const run = { counting: false, stop: false, done: 0, bytes: 0, latencies: [] };
  const ended = start(run);
  await sleep(job.warmup * 1000);
  run.counting = true;
  process.send?.('begin');
  const before = performance.now();
  await sleep(job.seconds * 1000);
  run.counting = false;
  process.send?.('end');
  const seconds = (performance.now() - before) / 1000;
  run.stop = true;
  await (patience === null ? ended : Promise.race([ended, sleep(patience)]));
  return { ...run, seconds };
}

/** One thing after another until it is enough. */
async function repeat(run, act) {
  while (!run.stop) {
    const started = performance.now();
    await act();
    if (!run.counting) continue;
    run.done++;
    run.latencies.push(performance.now() - started);
  }
}

function rate({ done, seconds, latencies }) {
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? null;
  return { perSecond: done / seconds, done, p50: at(0.5), p99: at(0.99) };
}

/** Orders as an agent might send them, 1 KiB each: names, numbers, a sentence or two. */
function orders(count) {
  const words = 'please ship the blue box with care and leave it at the door of our old house by noon'.split(' ');
  let seed = 7;
  const chance = (most) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 12) % most;
  return Array.from({ length: count }, (_, number) => {
    const items = [];
    const text = () => JSON.stringify({ order: 10_000 + number, agent: 'bench', items });
    while (text().length < 1000)
      items.push({
        sku: `${'ABCDEFGH'[chance(8)]}-${chance(1000)}`,
        quantity: chance(20),
        price: chance(10_000) / 100,
        note: Array.from({ length: 4 + chance(8) }, () => words[chance(words.length)]).join(' '),
      });
    return text();
  });
}

/** What is asked, one after another: the same each time, or with a body that is another each time. */
function requests() {
  if (job.bodies === undefined) return [request(target.host, '/1k')];
  const head = `POST /1k HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nUser-Agent: bench\r\nAccept: */*\r\n`;
  const type = 'Content-Type: application/json\r\n';
  return orders(job.bodies).map((body) =>
    Buffer.from(`${head}${type}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
  );
}

async function keepalive() {
  const all = requests();
  let asked = 0;
  const open1 = async () => {
    const socket = await open();
    socket.write(all[asked++ % all.length]);
    return { socket, size: await firstAnswer(socket) };
  };
  const ready = [];
  for (let i = 0; i < job.connections; i++) ready.push(await open1());
  const loop = ({ socket, size }, run) =>
    new Promise((resolve, reject) => {
      let seen = 0;
      let started = 0;
      // Answers may differ by a byte or two (dates, counters): an answer has come when nearly all of it has.
      const enough = size - 16;
      const next = () => {
        seen = 0;
        started = performance.now();
        socket.write(all[asked++ % all.length]);
      };
      // No promise a request here: this generator has to outrun the fastest proxy.
      socket.on('data', (chunk) => {
        seen += chunk.length;
        if (seen < enough) return;
        if (run.counting) {
          run.done++;
          run.latencies.push(performance.now() - started);
        }
        if (run.stop) {
          socket.destroy();
          resolve();
        } else next();
      });
      socket.on('error', reject);
      next();
    });
  return rate(await measured((run) => Promise.all(ready.map((each) => loop(each, run)))));
}

/** HTTP/2 sessions, through the proxy where there is one. */
async function sessionsOf(count) {
  const opened = [];
  for (let i = 0; i < count; i++) {
    const tls = await open(target.host, { protocol: 'h2' });
    if (tls.alpnProtocol !== 'h2') throw new Error('no HTTP/2');
    const session = connectHttp2(`https://${target.host}:${target.port}`, { createConnection: () => tls });
    session.on('error', () => undefined);
    opened.push(session);
  }
  return opened;
}

/** The bytes of one answer on a stream of its own. */
function askStream(session, headers, body) {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined });
    let size = 0;
    let status = 0;
    let text = '';
    stream.on('response', (head) => (status = head[':status']));
    stream.on('data', (bytes) => {
      size += bytes.length;
      if (status !== 200) text += bytes;
    });
    stream.on('trailers', () => (stream.trailed = true));
    stream.on('end', () => (status === 200 ? resolve({ size, stream }) : reject(new Error(`${status}: ${text}`))));
    stream.on('error', reject);
    if (body !== undefined) stream.end(body);
  });
}

/** Requests on `streams` streams at once of each of `connections` HTTP/2 connections. */
async function http2() {
  const ask = async (session) => {
    const { size } = await askStream(session, { ':path': '/1k' });
    if (size !== 1024) throw new Error(`an answer of ${size} bytes`);
  };
  return overHttp2(ask);
}

/** Unary calls of gRPC: a message of 1 KiB there and back, and the status in the trailers. */
async function grpc() {
  const message = Buffer.concat([Buffer.from([0, 0, 0, 4, 0]), Buffer.alloc(1024, 'x')]);
  const headers = {
    ':method': 'POST',
    ':path': '/bench.Echo/Unary',
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  const ask = async (session) => {
    const { size, stream } = await askStream(session, headers, message);
    if (size !== message.length) throw new Error(`an answer of ${size} bytes`);
    if (stream.trailed !== true) throw new Error('an answer without trailers');
  };
  return overHttp2(ask);
}

async function overHttp2(ask) {
  const opened = await sessionsOf(job.connections);
  const loops = opened.flatMap((session) => Array.from({ length: job.streams }, () => session));
  const result = rate(await measured((run) => Promise.all(loops.map((session) => repeat(run, () => ask(session))))));
  for (const session of opened) session.destroy();
  return result;
}

/** Messages of 1 KiB that come back, one at a time on each of `connections` WebSockets. */
async function websocket() {
  // A mask of zeros leaves the bytes as they are; the frame is made once.
  const frame = Buffer.concat([Buffer.from([0x82, 0xfe, 4, 0, 0, 0, 0, 0]), Buffer.alloc(1024, 'x')]);
  const answer = 4 + 1024;
  const sockets = [];
  for (let i = 0; i < job.connections; i++) {
    const socket = await open();
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    const head = await new Promise((resolve) => socket.once('data', (bytes) => resolve(bytes.toString('latin1'))));
    if (!head.startsWith('HTTP/1.1 101')) throw new Error(head.split('\r\n')[0]);
    sockets.push(socket);
  }
  const echo = (socket) =>
    new Promise((resolve, reject) => {
      let seen = 0;
      const onData = (bytes) => {
        seen += bytes.length;
        if (seen < answer) return;
        socket.off('data', onData);
        resolve();
      };
      socket.on('data', onData);
      socket.once('close', () => reject(new Error('the WebSocket was closed')));
      socket.write(frame);
    });
  for (const socket of sockets) socket.setMaxListeners(0);
  const result = rate(await measured((run) => Promise.all(sockets.map((socket) => repeat(run, () => echo(socket))))));
  for (const socket of sockets) socket.destroy();
  return result;
}

/** How long an event of a stream is on its way, in milliseconds. */
async function events() {
  const socket = await open();
  socket.write(request(target.host, '/events'));
  const delays = [];
  const since = performance.now() + job.warmup * 1000;
  socket.on('data', (bytes) => {
    const now = process.hrtime.bigint();
    if (performance.now() < since) return;
    for (const [, sent] of bytes.toString('latin1').matchAll(/data: (\d+)/g))
      delays.push(Number(now - BigInt(sent)) / 1e6);
  });
  await sleep((job.warmup + job.seconds) * 1000);
  socket.destroy();
  delays.sort((a, b) => a - b);
  return {
    median: delays[Math.floor(delays.length / 2)],
    p99: delays[Math.floor(delays.length * 0.99)],
    done: delays.length,
  };
}

/** New connections, one request each, `connections` at a time. */
async function connects() {
  const bytes = request(target.host, '/1k');
  const one = async () => {
    const socket = await open(target.host, { resume: job.resume });
    socket.write(bytes);
    await firstAnswer(socket);
    socket.destroy();
  };
  return rate(await measured((run) => Promise.all(Array.from({ length: job.connections }, () => repeat(run, one)))));
}

/** Bytes a second of downloads or uploads, `connections` at a time. */
async function bulk() {
  const act = job.direction === 'download' ? downloadOne : uploadOne;
  const loop = async (run) => {
    const socket = await open();
    while (!run.stop) await act(socket, run);
    socket.destroy();
  };
  const { bytes, seconds } = await measured(
    (run) => Promise.all(Array.from({ length: job.connections }, () => loop(run).catch(() => undefined))),
    2000,
  );
  return { megabytesPerSecond: bytes / seconds / 1e6, done: bytes / 1e6 };
}

function downloadOne(socket, run) {
  socket.write(request(target.host, `/100m.${job.content}`));
  return new Promise((resolve, reject) => {
    let left = null;
    const onData = (chunk) => {
      if (run.counting) run.bytes += chunk.length;
      if (left === null) {
        const end = chunk.indexOf('\r\n\r\n');
        left = Number(/content-length: (\d+)/i.exec(chunk.toString('latin1', 0, end))?.[1]) - (chunk.length - end - 4);
      } else left -= chunk.length;
      if (left > 0 && !run.stop) return;
      socket.off('data', onData);
      resolve();
    };
    socket.on('data', onData);
    socket.once('error', reject);
  });
}

const PIECE = job.mode === 'bulk' ? CONTENTS[job.content](256 * 1024) : Buffer.alloc(0);

async function uploadOne(socket, run) {
  const size = 100 * 1024 * 1024;
  socket.write(`POST /upload HTTP/1.1\r\nHost: ${target.host}:${target.port}\r\nContent-Length: ${size}\r\n\r\n`);
  const answer = firstAnswer(socket).catch(() => null);
  for (let sent = 0; sent < size && !run.stop; sent += PIECE.length) {
    if (!socket.write(PIECE)) await new Promise((resolve) => socket.once('drain', resolve));
    if (run.counting) run.bytes += PIECE.length;
  }
  if (!run.stop) await answer;
}

/**
 * Time for CONNECT and TLS to hosts never seen before, against hosts seen a moment ago; then what another connection notices
 * while new hosts come one after another.
 */
async function firstSight() {
  const sort = (list) => list.sort((a, b) => a - b);
  const median = (list) => sort(list)[Math.floor(list.length / 2)];
  const timed = async (host) => {
    const before = performance.now();
    const socket = await open(host);
    const took = performance.now() - before;
    socket.destroy();
    return took;
  };
  const first = [];
  const again = [];
  // The first connections warm code paths up; they are not counted.
  for (let i = 0; i < job.hosts + 20; i++) {
    const host = `h${i}-${process.pid}.many.bench`;
    const one = await timed(host);
    const two = await timed(host);
    if (i >= 20) {
      first.push(one);
      again.push(two);
    }
  }
  const steady = await open();
  steady.setMaxListeners(0);
  const bytes = request(target.host, '/1k');
  /** What a connection at work notices while others connect to these hosts. */
  const noticed = async (hosts) => {
    const others = [];
    let stop = false;
    const watch = (async () => {
      while (!stop) {
        const before = performance.now();
        steady.write(bytes);
        await firstAnswer(steady);
        others.push(performance.now() - before);
      }
    })();
    for (const host of hosts) await timed(host);
    stop = true;
    await watch;
    return { median: median(others), p99: sort(others)[Math.floor(others.length * 0.99)], worst: Math.max(...others) };
  };
  const fresh = Array.from({ length: job.hosts }, (_, i) => `g${i}-${process.pid}.many.bench`);
  const othersAtFirst = await noticed(fresh);
  // The same handshakes again, without a host that is new: what of the above is the handshakes' own.
  const othersAgain = await noticed(fresh);
  steady.destroy();
  return {
    median: median(first),
    p99: sort(first)[Math.floor(first.length * 0.99)],
    againMedian: median(again),
    othersAtFirst,
    othersAgain,
  };
}

/** Asks for a large answer and does not read it; then says so and waits to be ended. */
async function slowReader() {
  const socket = await open();
  socket.write(request(target.host, '/400m'));
  await new Promise((resolve) => socket.once('data', resolve));
  socket.pause();
  await sleep(job.seconds * 1000);
  return {};
}

/** Opens idle tunnels, one request through each, and holds them. */
async function idle() {
  const sockets = [];
  const bytes = request(target.host, '/1k');
  for (let i = 0; i < job.connections; i++) {
    const socket = await open(job.hosts ? `h${i % job.hosts}.many.bench` : target.host);
    if (!job.hosts) {
      socket.write(bytes);
      await firstAnswer(socket);
    }
    sockets.push(socket);
  }
  process.send?.('begin');
  await sleep(job.seconds * 1000);
  process.send?.('end');
  for (const socket of sockets) socket.destroy();
  return { held: sockets.length };
}

function sleep(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const modes = { keepalive, http2, grpc, websocket, events, connects, bulk, firstSight, slowReader, idle };
const result = await modes[job.mode]();
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
