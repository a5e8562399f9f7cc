import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { openSyslog } from '../../../../../src/audit/delivery/sinks/syslog.ts';
import type { SyslogSink } from '../../../../../src/model/sink.ts';
import { TestCa } from '../../../../support/certificates.ts';
import { startRsyslog, type Rsyslog } from '../../../../support/rsyslog.ts';
import { eventually, until } from '../../../../support/until.ts';
import { denial, sent } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-syslog-'));
afterAll(() => rmSync(folder, { recursive: true }));
const closers: Array<() => unknown> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const sinkOf = ({ port }: Rsyslog, more: Partial<SyslogSink> = {}): SyslogSink => ({
  kind: 'syslog',
  name: 'a',
  events: [],
  spool: 1,
  host: '127.0.0.1',
  port,
  tls: false,
  format: 'json',
  ca: null,
  ...more,
});

async function server(...args: Parameters<typeof startRsyslog>): Promise<Rsyslog> {
  const rsyslog = await startRsyslog(...args);
  closers.push(() => rsyslog.close());
  return rsyslog;
}

function carrierTo(sink: SyslogSink): ReturnType<typeof openSyslog> {
  const carrier = openSyslog(sink, '1.2.3');
  closers.push(() => carrier.close());
  return carrier;
}

it('is read by rsyslog: each message whole, with line ends in it and whatever its length', async () => {
  const rsyslog = await server();
  const carrier = carrierTo(sinkOf(rsyslog));
  const long = denial({ exchange: 'x-2', detail: 'é'.repeat(10_000) });
  await carrier.send([sent(denial({ detail: 'one\ntwo' })), sent(long), sent(denial({ exchange: 'x-3' }))]);
  const lines = await until(() => rsyslog.lines().length === 3 && rsyslog.lines(), 'three lines');
  const head = new RegExp(`^(?:108|13\\.4\\S*|log\\S*) sallyport ${process.pid} outcome (.*)$`);
  const events = lines.map((line) => JSON.parse(head.exec(line)?.[1] ?? `"${line.slice(0, 60)}"`) as unknown);
  expect(events).toEqual([denial({ detail: 'one\ntwo' }), long, denial({ exchange: 'x-3' })]);
});

it('sends CEF where it is asked for', async () => {
  const rsyslog = await server();
  await carrierTo(sinkOf(rsyslog, { format: 'cef' })).send([sent(denial())]);
  const [line] = await until(() => rsyslog.lines().length === 1 && rsyslog.lines(), 'a line');
  expect(line).toContain(
    ' outcome CEF:0|Sallyport|Sallyport|1.2.3|host-not-allowed|Bot was denied: host-not-allowed|5|cat=outcome act=deny ',
  );
});

it('speaks TLS with a server its CA knows, and sends nothing to another one', async () => {
  const ca = await TestCa.create();
  const file = join(folder, 'ca.pem');
  writeFileSync(file, ca.certificate);
  const rsyslog = await server({ ...(await ca.leaf(['127.0.0.1'])), ca: ca.certificate });
  await carrierTo(sinkOf(rsyslog, { tls: true, ca: file })).send([sent(denial())]);
  await until(() => rsyslog.lines().length === 1, 'a line');
  await expect(carrierTo(sinkOf(rsyslog, { tls: true })).send([sent(denial())])).rejects.toThrow(
    /^127\.0\.0\.1:\d+: UNABLE_TO_VERIFY_LEAF_SIGNATURE$/,
  );
  expect(rsyslog.lines()).toHaveLength(1);
});

it('notices that the server has gone, says so, and connects again when it is back', async () => {
  const rsyslog = await server();
  const carrier = carrierTo(sinkOf(rsyslog));
  await carrier.send([sent(denial())]);
  await until(() => rsyslog.lines().length === 1, 'a line');
  await rsyslog.kill();
  const failed = (): Promise<boolean> =>
    carrier.send([sent(denial({ exchange: 'lost' }))]).then(
      () => false,
      (error: Error) => /ECONNREFUSED/.test(error.message),
    );
  await eventually(failed, 'an attempt that fails');
  await rsyslog.restart();
  await carrier.send([sent(denial({ exchange: 'x-9' }))]);
  await until(() => rsyslog.lines().at(-1)?.includes('"x-9"'), 'the next line');
});
