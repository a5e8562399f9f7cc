// What every row of the bench stands on: the origin, the proxies, their accounting. All on 127.0.0.1.
import { spawn, execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import { CONTENTS } from './contents.js';

const here = import.meta.dirname;
const root = resolve(here, '../..');
const { caCertificate, leafCertificate, distinguishedName, keyIdentifier } = await import(
  join(root, 'dist/tls/certificate.js')
);

/** The proxy runs on the first core, origin and load on the second. */
export const PROXY_CORE = '0';
export const LOAD_CORE = '1';
export const HOST = 'origin.bench';
const DAY = 86_400_000;
const MEBIBYTE = 1024 * 1024;

/** A file of so many times the same bytes. */
function writeMany(path, bytes, count) {
  const file = openSync(path, 'w');
  for (let i = 0; i < count; i++) writeSync(file, bytes);
  closeSync(file);
}

export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export async function freePort() {
  const server = createServer();
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

export async function untilOpen(port, child) {
  for (let i = 0; i < 300; i++) {
    if (child.exitCode !== null) throw new Error(`a process ended with ${child.exitCode}`);
    try {
      execFileSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`], { stdio: 'ignore' });
      return;
    } catch {
      await sleep(100);
    }
  }
  throw new Error(`nothing listens on ${port}`);
}

/** Starts a program on a core; it is ended with the bench. */
export function pinned(core, command, args, options = {}) {
  return spawn('taskset', ['-c', core, command, ...args], {
    stdio: ['ignore', options.log ?? 'ignore', options.log ?? 'ignore', ...(options.ipc ? ['ipc'] : [])],
    ...options,
  });
}

/**
 * Makes the machine's memory real: a virtual machine gets its pages from the host when they are first touched, 2.5 µs a KiB
 * here, and whoever writes a log pays for it. Once touched they stay; so they are touched before anything is measured.
 */
function touchMemory(folder) {
  const file = join(folder, 'touch');
  const block = Buffer.alloc(1024 * 1024, 1);
  const descriptor = openSync(file, 'w');
  for (let i = 0; i < 2048; i++) writeSync(descriptor, block);
  closeSync(descriptor);
  rmSync(file);
}

/** A folder with an origin CA, nginx on TLS, and the files it serves. */
export async function openStage() {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-bench-'));
  execFileSync('chmod', ['755', folder]);
  touchMemory(folder);
  const validity = { from: new Date(Date.now() - DAY), to: new Date(Date.now() + 30 * DAY) };
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = distinguishedName('Bench', 'Bench Origin CA');
  const caPem = caCertificate({ name, publicKey: ca.publicKey, privateKey: ca.privateKey, validity });
  const issuer = { key: ca.privateKey, subject: name, keyIdentifier: keyIdentifier(ca.publicKey) };
  writeFileSync(join(folder, 'origin-ca.pem'), caPem);
  writeFileSync(join(folder, 'origin.pem'), leafCertificate(issuer, { dns: HOST }, leaf.publicKey, validity) + caPem);
  writeFileSync(join(folder, 'origin.key'), leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const port = await freePort();
  const www = join(folder, 'www');
  mkdirSync(www);
  writeFileSync(join(www, '1k'), 'x'.repeat(1024));
  for (const [name, make] of Object.entries(CONTENTS)) writeMany(join(www, `100m.${name}`), make(MEBIBYTE), 100);
  execFileSync('truncate', ['-s', '400M', join(www, '400m')]);
  execFileSync('chmod', ['-R', 'a+rX', www]);
  writeFileSync(
    join(folder, 'nginx.conf'),
    readFileSync(join(here, 'peers/nginx.conf'), 'utf8')
      .replaceAll('@FOLDER@', folder)
      .replaceAll('@PORT@', String(port)),
  );
  const origin = pinned(LOAD_CORE, 'nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')]);
  await untilOpen(port, origin);
  const sinkPort = await freePort();
  const sink = pinned(LOAD_CORE, process.execPath, [join(here, 'sink.js'), folder, String(sinkPort)]);
  await untilOpen(sinkPort, sink);
  const talkPort = await freePort();
  const talk = pinned(LOAD_CORE, process.execPath, [join(here, 'talk.js'), folder, String(talkPort)], {
    stdio: 'inherit',
  });
  await untilOpen(talkPort, talk);
  return {
    folder,
    port,
    sinkPort,
    talkPort,
    originCa: join(folder, 'origin-ca.pem'),
    close: () => {
      origin.kill('SIGTERM');
      sink.kill('SIGTERM');
      talk.kill('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs one job of the load generator on the load core; `around` gets to see the proxy while it is measured. */
export async function load(job, around = {}) {
  const child = pinned(LOAD_CORE, process.execPath, [join(here, 'load.js'), JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  child.on('message', (message) => (message === 'begin' ? around.begin?.() : around.end?.()));
  let output = '';
  child.stdout.on('data', (bytes) => (output += bytes));
  const code = await new Promise((done) => child.on('exit', done));
  if (code !== 0) throw new Error(`the load generator ended with ${code}`);
  return JSON.parse(output);
}

/** CPU seconds a process and its threads have used, and its resident memory, from the kernel's accounting. */
export function usage(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, rss: kib('VmRSS') / 1024, peak: kib('VmHWM') / 1024 };
}

/** The process and all below it, for peers that fork. */
export function family(pid) {
  const children = existsSync(`/proc/${pid}/task/${pid}/children`)
    ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
    : [];
  return [pid, ...children.flatMap(family)];
}

export function familyUsage(pid) {
  return family(pid)
    .map(usage)
    .reduce((sum, each) => ({ cpu: sum.cpu + each.cpu, rss: sum.rss + each.rss, peak: sum.peak + each.peak }), {
      cpu: 0,
      rss: 0,
      peak: 0,
    });
}
