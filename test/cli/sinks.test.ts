import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSigned } from '../../src/audit/delivery/signature.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { PROGRAM, killPrograms, startProgram, type Program } from '../support/program.ts';
import { startReceiver, type Receiver, type Reply } from '../support/receiver.ts';
import { startRedis } from '../support/redis.ts';
import { startRsyslog } from '../support/rsyslog.ts';
import { eventually, until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-sinks-'));
const RULES =
  'version: 1\nagents:\n  local: { identity: { networks: [127.0.0.1] }, allow: ["GET http://api.test/**"] }\n';
const KEY = 'a key of the test';
let origin: Origin;
beforeAll(async () => {
  origin = await startOrigin();
});
afterAll(async () => {
  killPrograms();
  await origin.close();
  rmSync(folder, { recursive: true });
});

function sinksIn(home: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(home, 'sinks'), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, 'sinks', name), text);
}

const start = (home: string, ...words: string[]): Promise<Program> =>
  startProgram(home, RULES, [`--upstream-pin=api.test:80=127.0.0.1:${origin.port}`, '--audit-sinks=sinks', ...words]);

/** Exchanges that ended, as the log has them. */
function recorded(home: string): string[] {
  const { stdout } = spawnSync(process.execPath, [PROGRAM, 'audit', 'search', '--json'], {
    cwd: home,
    encoding: 'utf8',
  });
  return exchangesIn(stdout.split('\n').filter((line) => line !== ''));
}

function exchangesIn(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const event = JSON.parse(line) as { kind: string; exchange?: string };
    return event.kind === 'outcome' ? [event.exchange as string] : [];
  });
}

function received({ requests }: Receiver): string[] {
  const events = requests.flatMap(({ text }) => (JSON.parse(text) as { events: Array<{ event: object }> }).events);
  return exchangesIn(events.map(({ event }) => JSON.stringify(event)));
}

async function metric(gate: Program, line: string): Promise<boolean> {
  return (await (await fetch(`http://${gate.admin}/metrics`)).text()).includes(line);
}

describe('sinks', () => {
  it.each([1, 2])(
    'take every event of a gate of %i workers to each receiver, each in its own form',
    { timeout: 60_000 },
    async (workers) => {
      const home = join(folder, `all-${workers}`);
      const [webhook, slack, redis, rsyslog] = [
        await startReceiver(),
        await startReceiver(),
        await startRedis(),
        await startRsyslog(),
      ];
      sinksIn(home, {
        'events.yaml': `kind: webhook\nurl: ${webhook.url}/in\nsecret-file: secret\n`,
        'people.yml': `kind: webhook\nshape: slack\nurl: ${slack.url}\n`,
        'lake.yaml': 'kind: ocsf\nfile: lake.jsonl\nevents: [denied]\n',
        'stream.yaml': `kind: redis\nurl: ${redis.url}\nstream: audit\nevents: [allowed, denied]\n`,
        'siem.yaml': `kind: syslog\naddress: 127.0.0.1:${rsyslog.port}\ntransport: tcp\nformat: cef\nevents: [denied]\n`,
        secret: KEY,
      });
      const gate = await start(home, `--workers=${workers}`);
      for (const host of ['api.test', 'a.test', 'b.test', 'c.test']) await gate.get(`http://${host}/x`);
      await until(() => new Set(received(webhook)).size === 4, 'four exchanges');
      expect(received(webhook).sort()).toEqual(recorded(home).sort());
      for (const { text, fields } of webhook.requests)
        expect(isSigned(text, String(fields['sallyport-signature']), KEY, Date.now() / 1000)).toBe(true);
      // Three denials of one cause are told of once, and counted.
      await until(() => slack.requests.length > 0, 'a message');
      expect(slack.requests.map(({ text }) => text).filter((text) => text.includes('Local was denied'))).toHaveLength(
        1,
      );
      const lake = (): string[] => readFileSync(join(home, 'sinks/lake.jsonl'), 'utf8').split('\n').slice(0, -1);
      await until(() => lake().length === 3, 'three lines');
      await until(() => rsyslog.lines().length === 3, 'three messages');
      expect(rsyslog.lines()[0]).toContain('CEF:0|Sallyport|Sallyport|');
      await eventually(async () => (await redis.command('XLEN', 'audit')) === ':4\r\n', 'four entries');
      await eventually(() => metric(gate, 'sallyport_sink_delivered_total{sink="lake"} 3'), 'a metric');
      gate.signal('SIGTERM');
      await gate.ended();
      webhook.close();
      slack.close();
      await redis.close();
      await rsyslog.close();
    },
  );

  it(
    'lose nothing while a receiver is away, nor when the gate is killed, and put on record that it was away',
    { timeout: 60_000 },
    async () => {
      const home = join(folder, 'away');
      let reply: Reply = { status: 503 };
      const receiver = await startReceiver(() => reply);
      sinksIn(home, { 'soc.yaml': `kind: webhook\nurl: ${receiver.url}\n` });
      const first = await start(home);
      for (let index = 0; index < 5; index++) await first.get(`http://api.test/${index}`);
      await eventually(() => metric(first, 'sallyport_sink_failing{sink="soc"} 1'), 'that it fails');
      await until(() => first.segments().some(({ text }) => text.includes('"action":"failing"')), 'that on record');
      first.signal('SIGKILL');
      await first.ended();
      receiver.requests.splice(0);
      reply = {};
      const second = await start(home);
      await second.get('http://api.test/last');
      await until(() => new Set(received(receiver)).size === 6, 'six exchanges');
      expect([...new Set(received(receiver))].sort()).toEqual(recorded(home).sort());
      expect(receiver.requests.map(({ text }) => text).join('')).toMatch(
        /"action":"failing","detail":"127\.0\.0\.1:\d+ answered 503","kind":"sink","sink":"soc"/,
      );
      second.signal('SIGTERM');
      await second.ended();
      receiver.close();
      const { status } = spawnSync(process.execPath, [PROGRAM, 'audit', 'verify'], { cwd: home });
      expect(status).toBe(0);
    },
  );

  it('are listed with how far behind they are, and take a test event that stands in no log', async () => {
    const home = join(folder, 'list');
    const receiver = await startReceiver();
    sinksIn(home, {
      'down.yaml': 'kind: webhook\nshape: slack\nurl: http://127.0.0.1:1/\n',
      'soc.yaml': `kind: webhook\nurl: ${receiver.url}\nevents: [denied]\n`,
    });
    const gate = await start(home);
    await gate.get('http://a.test/');
    await until(() => received(receiver).length === 1, 'a denial');
    const sinks = (...words: string[]): Promise<{ code: number | null; out: string }> =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [PROGRAM, 'audit', 'sinks', '--audit-sinks=sinks', ...words], {
          cwd: home,
        });
        let out = '';
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (bytes: Buffer) => (out += bytes.toString()));
        child.on('close', (code) => resolve({ code, out }));
      });
    await eventually(async () => /^soc +webhook +nothing +denied$/m.test((await sinks()).out), 'that nothing waits');
    expect((await sinks()).out).toMatch(/^down +slack +\d+ KiB +denied,findings,interrupted,halt,audit-log,sink$/m);
    receiver.requests.splice(0);
    expect(await sinks('--test')).toEqual({
      code: 1,
      out: expect.stringMatching(
        /^down: 127\.0\.0\.1:1: ECONNREFUSED\nsoc: the receiver has taken a test event\n.*1 of 2 test events did not arrive\n$/,
      ) as string,
    });
    expect(receiver.requests.map(({ text }) => text)).toEqual([expect.stringContaining('"action":"tested"')]);
    expect(await sinks('sock')).toEqual({
      code: 2,
      out: expect.stringContaining('there is no sink "sock"; there are down, soc') as string,
    });
    expect(
      gate
        .segments()
        .map(({ text }) => text)
        .join(''),
    ).not.toContain('"tested"');
    gate.signal('SIGTERM');
    await gate.ended();
    receiver.close();
  });

  it('are refused with their place, and the gate does not start', () => {
    const home = join(folder, 'bad');
    mkdirSync(join(home, 'rules'), { recursive: true });
    writeFileSync(join(home, 'rules/a.yaml'), RULES);
    sinksIn(home, { 'soc.yaml': 'kind: webhook\nurl: soc\n' });
    const run = (): { status: number | null; stderr: string } =>
      spawnSync(
        process.execPath,
        [PROGRAM, 'start', '--audit-sinks=sinks', '--listen-proxy=127.0.0.1:0', '--listen-admin=127.0.0.1:0'],
        { cwd: home, encoding: 'utf8' },
      );
    expect(run()).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(
        'sinks/soc.yaml:2:6: "url": write an address such as https://host/path',
      ) as string,
    });
    writeFileSync(join(home, 'sinks/soc.yaml'), 'kind: otlp\nurl: https://a.test/\nca: none.pem\n');
    expect(run()).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('audit.sinks: ') as string,
    });
  });
});
