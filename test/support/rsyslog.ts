import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pair } from './certificates.ts';
import { freePort } from './parents.ts';
import { until } from './until.ts';

export interface Rsyslog {
  readonly port: number;
  /** What it has received: a line for each message, `priority app process id message`, as it read them. */
  lines(): string[];
  restart(): Promise<void>;
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** A real rsyslogd that takes messages over TCP, or over TLS with this certificate. */
export async function startRsyslog(tls: (Pair & { readonly ca: string }) | null = null): Promise<Rsyslog> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-rsyslog-'));
  const port = await freePort();
  const at = (name: string): string => join(folder, name);
  for (const [name, text] of [
    ['ca.pem', tls?.ca],
    ['cert.pem', tls?.certificate],
    ['key.pem', tls?.key],
  ] as const)
    if (text !== undefined) writeFileSync(at(name), text);
  const secure = `global(workDirectory="${folder}" maxMessageSize="64k" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="${at('ca.pem')}" defaultNetstreamDriverCertFile="${at('cert.pem')}" defaultNetstreamDriverKeyFile="${at('key.pem')}")
module(load="imtcp" streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon")`;
  const plain = `global(workDirectory="${folder}" maxMessageSize="64k")\nmodule(load="imtcp")`;
  writeFileSync(
    at('rsyslog.conf'),
    `${tls === null ? plain : secure}
input(type="imtcp" address="127.0.0.1" port="${port}")
template(name="line" type="string" string="%pri% %app-name% %procid% %msgid% %msg:::drop-last-lf%\\n")
action(type="omfile" file="${at('out.log')}" template="line" asyncWriting="off" flushOnTXEnd="on")
`,
  );
  const start = async () => {
    const child = spawn('rsyslogd', ['-n', '-f', at('rsyslog.conf'), '-i', at('pid')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
    let isOpen = false;
    await until(() => {
      if (child.exitCode !== null) throw new Error(`rsyslogd ended: ${said}`);
      const socket = connect(port, '127.0.0.1', () => {
        isOpen = true;
        socket.destroy();
      }).on('error', () => undefined);
      return isOpen;
    }, 'rsyslogd');
    return child;
  };
  let child = await start();
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    rmSync(at('pid'), { force: true });
  };
  return {
    port,
    lines: () => (existsSync(at('out.log')) ? readFileSync(at('out.log'), 'utf8').split('\n').slice(0, -1) : []),
    kill,
    restart: async () => {
      await kill();
      child = await start();
    },
    close: async () => {
      await kill();
      rmSync(folder, { recursive: true });
    },
  };
}
