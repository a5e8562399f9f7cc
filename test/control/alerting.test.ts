import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { startOrigin } from '../support/origin.ts';
import { freePort } from '../support/parents.ts';
import { PROGRAM, killPrograms, startProgram, type Program } from '../support/program.ts';
import { eventually, until } from '../support/until.ts';

const DEPLOY = join(import.meta.dirname, '../../deploy');
const ALERTS = join(DEPLOY, 'prometheus/alerts.yaml');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-alerting-'));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  killPrograms();
  rmSync(folder, { recursive: true, force: true });
});

interface Rule {
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: { readonly summary?: string; readonly runbook?: string };
}
const groups = (parse(readFileSync(ALERTS, 'utf8')) as { groups: Array<{ rules: Rule[] }> }).groups;
const alerts = groups.flatMap(({ rules }) => rules).filter(({ alert }) => alert !== undefined);

const promtool = (...words: string[]): { code: number | null; out: string } => {
  const { status, stdout, stderr } = spawnSync('promtool', words, { encoding: 'utf8' });
  return { code: status, out: stdout + stderr };
};

describe('the alerts that ship', () => {
  it('are as Prometheus wants them, and each is tested with what sets it off', () => {
    expect(promtool('check', 'rules', ALERTS)).toMatchObject({ code: 0 });
    const tests = join(DEPLOY, 'prometheus/alerts.test.yaml');
    const { code, out } = promtool('test', 'rules', tests);
    expect([code, out]).toEqual([0, expect.stringContaining('SUCCESS')]);
    const tested = readFileSync(tests, 'utf8').split('alertname: ').slice(1);
    for (const { alert = '' } of alerts)
      expect(tested.some((each) => each.startsWith(`${alert}\n`) && /^[^\n]*\n\s+exp_alerts:\n/.test(each))).toBe(true);
  }, 60_000);

  it('say how bad it is, what it is, and what to do about it', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect([alert, labels?.severity]).toEqual([alert, expect.stringMatching(/^(critical|warning)$/)]);
      expect(annotations?.summary).toBeTruthy();
      const runbook = readFileSync(join(DEPLOY, '..', annotations?.runbook ?? 'none'), 'utf8');
      expect(runbook).toContain(alert);
    }
  });

  it('ask of metrics that there are', () => {
    const reference = readFileSync(join(DEPLOY, '../docs/reference/metrics.md'), 'utf8');
    for (const { expr } of groups.flatMap(({ rules }) => rules))
      for (const [name] of expr.matchAll(/sallyport_[a-z_]+/g))
        expect(reference).toContain(`\`${name.replace(/_bucket$/, '')}\``);
  });

  it('go to Alertmanager as it wants them', () => {
    const { status, stdout } = spawnSync('amtool', ['check-config', join(DEPLOY, 'alertmanager/alertmanager.yml')], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });
});

interface Alert {
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Where Alertmanager sends what it has to say. */
async function startReceiver(): Promise<{ readonly port: number; readonly alerts: Alert[]; readonly server: Server }> {
  const received: Alert[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (bytes: Buffer) => (text += bytes.toString()));
    request.on('end', () => {
      received.push(...(JSON.parse(text) as { alerts: Alert[] }).alerts);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, alerts: received, server };
}

function start(command: string, words: readonly string[]): ChildProcess {
  const child = spawn(command, words, { cwd: folder, stdio: 'ignore' });
  running.add(child);
  child.on('close', () => running.delete(child));
  return child;
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** Prometheus and Alertmanager as they ship, but for where they find each other. */
async function watch(gate: Program, receiver: number): Promise<{ readonly prometheus: string }> {
  const [prometheus, alertmanager] = [await freePort(), await freePort()];
  const config = (path: string): string => readFileSync(join(DEPLOY, path), 'utf8');
  const prometheusConfig = config('prometheus/prometheus.yml')
    .replace('rule_files: [alerts.yaml]', `rule_files: [${ALERTS}]`)
    .replace('alertmanager:9093', `127.0.0.1:${alertmanager}`)
    .replace('gate:8898', gate.admin);
  const alertmanagerConfig = config('alertmanager/alertmanager.yml').replace('receiver:9095', `127.0.0.1:${receiver}`);
  mkdirSync(join(folder, 'watch'));
  writeFileSync(join(folder, 'watch/prometheus.yml'), prometheusConfig);
  writeFileSync(join(folder, 'watch/alertmanager.yml'), alertmanagerConfig);
  start('prometheus-alertmanager', [
    `--config.file=${join(folder, 'watch/alertmanager.yml')}`,
    `--storage.path=${join(folder, 'watch/alertmanager')}`,
    `--web.listen-address=127.0.0.1:${alertmanager}`,
    '--cluster.listen-address=',
  ]);
  start('prometheus', [
    `--config.file=${join(folder, 'watch/prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'watch/prometheus')}`,
    `--web.listen-address=127.0.0.1:${prometheus}`,
  ]);
  await eventually(() => answers(`http://127.0.0.1:${alertmanager}/-/ready`), 'Alertmanager', 30_000);
  await eventually(() => answers(`http://127.0.0.1:${prometheus}/-/ready`), 'Prometheus', 30_000);
  return { prometheus: `http://127.0.0.1:${prometheus}` };
}

describe('an agent that is denied', () => {
  it('is on the screen of whoever watches within seconds, and what it did can be opened', async () => {
    const origin = await startOrigin();
    const rules =
      'version: 1\nagents:\n  local: { identity: { networks: [127.0.0.1] }, allow: ["GET http://api.test/**"] }\n';
    const gate = await startProgram(join(folder, 'gate'), rules, [
      `--upstream-pin=api.test:80=127.0.0.1:${origin.port}`,
    ]);
    const receiver = await startReceiver();
    const { prometheus } = await watch(gate, receiver.port);
    const query = `${prometheus}/api/v1/query?query=${encodeURIComponent('sallyport_agent_denied_total{agent="local"}')}`;
    await eventually(async () => (await (await fetch(query)).text()).includes('"0"'), 'a first scrape', 30_000);

    const began = performance.now();
    for (let count = 0; count < 40; count++) expect((await gate.get('http://evil.test/')).status).toBe(403);
    const alert = await until(
      () => receiver.alerts.find(({ labels }) => labels['alertname'] === 'SallyportDenyRate'),
      'the alert',
      60_000,
    );
    const seconds = (performance.now() - began) / 1000;
    process.stdout.write(`from the first denial to the webhook: ${seconds.toFixed(1)} s\n`);
    expect(alert).toMatchObject({ status: 'firing', labels: { severity: 'critical', agent: 'local' } });
    expect(alert.annotations['summary']).toMatch(/^Agent local is denied \d+\.\d\d requests a second\.$/);
    expect(receiver.alerts.map(({ labels }) => labels['alertname'])).not.toContain('SallyportDown');

    // What it did, as the runbook says.
    const found = spawnSync(
      process.execPath,
      [PROGRAM, 'audit', 'search', '--agent', 'local', '--denied', '--since', '15m'],
      { cwd: join(folder, 'gate'), encoding: 'utf8' },
    );
    expect(found.stdout.match(/deny {2}host-not-allowed {2}GET http:\/\/evil\.test\//g)).toHaveLength(40);

    // The gate goes away.
    gate.signal('SIGKILL');
    await gate.ended();
    const down = await until(
      () => receiver.alerts.find(({ labels }) => labels['alertname'] === 'SallyportDown'),
      'the second alert',
      60_000,
    );
    expect(down.labels).toMatchObject({ severity: 'critical', instance: gate.admin });
    receiver.server.close();
    await origin.close();
  }, 180_000);
});
