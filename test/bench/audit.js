// How fast the audit log is written, and verified.
//   npm run build && node test/bench/audit.js [events]
// What it costs requests: npm run bench -- keepalive-32 --peers sallyport-disk,sallyport-unaudited
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { openAuditLog } from '../../dist/audit/open.js';
import { CLI } from './gates.js';

const EVENTS = Number(process.argv[2] ?? 1_000_000);
const TOGETHER = 32;
const folder = mkdtempSync(join(tmpdir(), 'sallyport-audit-bench-'));
const time = '2026-01-01T00:00:00.000Z';
const intent = (n) =>
  `{"agent":"support-bot","exchange":"sallyport-1a2b3c4d-${n}","kind":"intent","method":"GET","path":"/v1/projects/42/pulls","target":"https://api.example.com:443","time":"${time}"}`;
const outcome = (n) =>
  `{"address":"192.0.2.7","agent":"support-bot","bytes":{"received":1024,"sent":0},"capability":"api.read","decision":"allow","exchange":"sallyport-1a2b3c4d-${n}","host":"api.example.com","inspected":true,"kind":"outcome","method":"GET","microseconds":1834,"mode":"enforce","outcome":"delivered","path":"/v1/projects/42/pulls","policy":"28580bd68e4d0bb0","port":443,"protocol":"http/1.1","query":[{"length":4,"name":"state"},{"length":2,"name":"page"}],"rule":"rules/support.yaml:12: GET https://api.example.com/** (api.read)","scheme":"https","source":"10.1.2.3","status":200,"time":"${time}"}`;

try {
  for (const durability of ['os', 'disk']) await write(durability);
  for (const words of [[], ['--chain']]) verify(words);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

/** So many exchanges at a time, each with an event that is waited for and one that is not. */
async function write(durability) {
  const log = openAuditLog({
    folder: join(folder, durability, 'audit'),
    keys: join(folder, durability, 'keys'),
    lane: 1,
    lanes: 1,
    instance: 'bench',
    version: '0',
    clock: Date.now,
    defer: setImmediate,
    durability,
    onState: (error) => error !== null && console.error(error),
    onTrouble: (error) => console.error(error),
    rotate: { bytes: 128 * 1024 * 1024, milliseconds: Infinity },
  });
  const events = durability === 'disk' ? EVENTS / 10 : EVENTS;
  let next = 0;
  const cpu = process.cpuUsage();
  const began = performance.now();
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      while (next < events) {
        const n = (next += 2);
        await log.append(intent(n), null);
        log.note(outcome(n));
      }
    }),
  );
  log.close();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `written (${durability}, ${TOGETHER} at a time, signed): ${(events / seconds).toFixed(0)} events/s, ${((user + system) / events).toFixed(2)} µs of CPU each on both threads`,
  );
}

function verify(words) {
  const at = join(folder, 'os/audit');
  const bytes = readdirSync(at).reduce((sum, name) => sum + statSync(join(at, name)).size, 0);
  const began = performance.now();
  const out = execFileSync(process.execPath, [CLI, 'audit', 'verify', at, ...words], { encoding: 'utf8' });
  const seconds = (performance.now() - began) / 1000;
  console.log(out.trimEnd().split('\n').at(-1));
  console.log(
    `verified${words.length === 0 ? ', chain and trees' : ', chain'}: ${(EVENTS / seconds).toFixed(0)} events/s, ${(bytes / 1e6 / seconds).toFixed(0)} MB/s, on one core`,
  );
}
