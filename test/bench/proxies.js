// The proxies under test, each started fresh on the proxy core: the gate with everything on, and its peers configured fairly.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HOST, PROXY_CORE, freePort, pinned, sleep, untilOpen } from './stage.js';

const here = import.meta.dirname;
const root = resolve(here, '../..');

async function sallyport(stage, { nodeFlags = [], flags = [], scan = 'default' } = {}) {
  const folder = join(stage.folder, `gate-${process.hrtime.bigint()}`);
  mkdirSync(join(folder, 'rules'), { recursive: true });
  const token = ['bench', 'agent'].join('-');
  const hash = createHash('sha256').update(token).digest('hex');
  writeFileSync(
    join(folder, 'rules/bench.yaml'),
    `version: 1\nagents:\n  bench:\n    identity: { token: "sha256:${hash}" }\n    capabilities: [bench]\n    scan: ${scan}\ncapabilities:\n  bench:\n    endpoints:\n      - GET https://${HOST}:${stage.port}/**\n      - POST https://${HOST}:${stage.port}/**\n      - POST https://${HOST}:${stage.sinkPort}/upload\n      - GET https://${HOST}:${stage.sinkPort}/events\n      - GET https://*.many.bench:${stage.port}/**\n      - POST https://${HOST}:${stage.talkPort}/bench.Echo/*\n      - { host: ${HOST}, port: ${stage.talkPort}, methods: [GET], paths: [/ws], websocket: {} }\n`,
  );
  const ready = join(folder, 'ready.json');
  const pins = [stage.port, stage.sinkPort, stage.talkPort].flatMap((port) => [
    '--upstream-pin',
    `**:${port}=127.0.0.1:${port}`,
  ]);
  const child = pinned(
    PROXY_CORE,
    process.env.GATE_NODE ?? process.execPath,
    [
      ...(process.env.BENCH_NODE_FLAGS ?? '').split(' ').filter(Boolean),
      ...nodeFlags,
      join(root, 'dist/cli/sallyport.js'),
      'start',
      '--listen-proxy=127.0.0.1:0',
      '--listen-admin=127.0.0.1:0',
      `--rules=${join(folder, 'rules')}`,
      `--certs=${join(folder, 'certs')}`,
      `--state=${join(folder, 'state')}`,
      `--upstream-ca=${stage.originCa}`,
      '--log-level=warn',
      `--ready-file=${ready}`,
      ...pins,
      ...flags,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  for (let i = 0; i < 200 && !existsSync(ready); i++) await sleep(50);
  const { proxy } = JSON.parse(readFileSync(ready, 'utf8'));
  return {
    child,
    proxy,
    auth: `Basic ${Buffer.from(`bench:${token}`).toString('base64')}`,
    ca: join(folder, 'certs/ca.crt'),
  };
}

/** The same that waits for its disk, and one that records nothing: what the audit log costs. One that scans nothing. */
const onDisk = (stage) => sallyport(stage, { flags: ['--audit-durability=disk'] });
const unaudited = (stage) => sallyport(stage, { nodeFlags: ['--import', join(here, 'peers/no-audit.js')] });
const unscanned = (stage) => sallyport(stage, { scan: 'off' });

/** One that takes every event to a sink, and one that exports every trace, to a collector on a core of its own. */
function delivering(stage) {
  const folder = join(stage.folder, 'sinks');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'all.yaml'), 'kind: ocsf\nfile: ../sink.jsonl\n');
  return sallyport(stage, { flags: [`--audit-sinks=${folder}`] });
}

async function traced(stage) {
  const port = await freePort();
  const program = `require('http').createServer((q, a) => q.resume().on('end', () => a.end('{}'))).listen(${port}, '127.0.0.1'); setTimeout(() => process.exit(), 600000)`;
  const collector = pinned(1 - PROXY_CORE, process.execPath, ['-e', program], { stdio: 'ignore' });
  await untilOpen(port, collector);
  const gate = await sallyport(stage, { flags: [`--traces-url=http://127.0.0.1:${port}/`] });
  gate.child.once('exit', () => collector.kill());
  return gate;
}

async function squid(stage) {
  const port = await freePort();
  const { folder } = stage;
  if (!existsSync(join(folder, 'squid-ca.pem'))) {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '30',
        '-subj',
        '/CN=Squid CA',
        '-keyout',
        join(folder, 'squid-ca.key'),
        '-out',
        join(folder, 'squid-ca.pem'),
      ],
      { stdio: 'ignore' },
    );
    execFileSync('/usr/lib/squid/security_file_certgen', ['-c', '-s', join(folder, 'squid-ssl-db'), '-M', '16MB'], {
      stdio: 'ignore',
    });
    writeFileSync(join(folder, 'hosts'), `127.0.0.1 ${HOST}\n`);
  }
  const user = process.getuid?.() === 0 ? 'proxy' : process.env.USER;
  const file = join(folder, 'squid.conf');
  writeFileSync(
    file,
    readFileSync(join(here, 'peers/squid.conf'), 'utf8')
      .replaceAll('@FOLDER@', folder)
      .replaceAll('@PROXY@', String(port))
      .replaceAll('@USER@', user),
  );
  execFileSync('bash', [
    '-c',
    `chmod 755 ${folder}; touch ${folder}/squid-access.log ${folder}/squid-cache.log; chown -R ${user} ${folder}/squid* || true; chmod a+r ${folder}/squid-ca.key`,
  ]);
  const child = pinned(PROXY_CORE, 'squid', ['-N', '-f', file], { stdio: ['ignore', 'ignore', 'ignore'] });
  await untilOpen(port, child);
  return { child, proxy: `127.0.0.1:${port}`, auth: null, ca: join(folder, 'squid-ca.pem') };
}

async function mitmproxy(stage) {
  const port = await freePort();
  const folder = join(stage.folder, 'mitmproxy');
  const child = pinned(
    PROXY_CORE,
    'mitmdump',
    [
      '--listen-host',
      '127.0.0.1',
      '-p',
      String(port),
      '-q',
      '-s',
      join(here, 'peers/mitmproxy.py'),
      '--set',
      `confdir=${folder}`,
      '--set',
      `ssl_verify_upstream_trusted_ca=${stage.originCa}`,
      '--set',
      'connection_strategy=lazy',
      // As shipped it holds a body whole; streaming is what the others do.
      '--set',
      'stream_large_bodies=1m',
    ],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  await untilOpen(port, child);
  return { child, proxy: `127.0.0.1:${port}`, auth: null, ca: join(folder, 'mitmproxy-ca-cert.pem') };
}

async function httpMitmProxy(stage) {
  const port = await freePort();
  const child = pinned(
    PROXY_CORE,
    process.env.GATE_NODE ?? process.execPath,
    [join(here, 'peers/http-mitm-proxy.js'), String(port), stage.folder],
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  await untilOpen(port, child);
  const ca = join(stage.folder, 'hmp/certs/ca.pem');
  for (let i = 0; i < 100 && !existsSync(ca); i++) await sleep(100);
  return { child, proxy: `127.0.0.1:${port}`, auth: null, ca };
}

/** No proxy at all: the ceiling of origin and load generator. */
async function direct(stage) {
  return { child: null, proxy: null, auth: null, ca: stage.originCa };
}

export const PROXIES = {
  direct,
  sallyport,
  'sallyport-disk': onDisk,
  'sallyport-unaudited': unaudited,
  'sallyport-unscanned': unscanned,
  'sallyport-sinks': delivering,
  'sallyport-traced': traced,
  squid,
  mitmproxy,
  'http-mitm-proxy': httpMitmProxy,
};
