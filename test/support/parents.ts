import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Pair } from './certificates.ts';
import { until } from './until.ts';

/** User and password that the parents of tests ask for; with characters that a URL must escape. */
export const PARENT_USER = 'gate@corp';
export const PARENT_PASSWORD: string = ['pass', 'word: é'].join('');
export const PARENT_LOGIN = `${encodeURIComponent(PARENT_USER)}:${encodeURIComponent(PARENT_PASSWORD)}`;

export interface Squid {
  /** `host:port` of its listener in the clear, and of the one over TLS. */
  readonly plain: string;
  readonly secure: string;
  /** Lines of its access log so far. */
  log(): string;
  close(): Promise<void>;
}

/** A real Squid that asks for user and password, and takes these names for 127.0.0.1. */
export async function startSquid(names: readonly string[], tls: Pair): Promise<Squid> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-squid-'));
  // Started by root, Squid becomes a user of its own.
  chmodSync(folder, 0o777);
  const at = (name: string): string => join(folder, name);
  const [plain, secure] = [await freePort(), await freePort()];
  writeFileSync(at('hosts'), `${names.map((name) => `127.0.0.1 ${name}`).join('\n')}\n`);
  writeFileSync(at('tls.pem'), tls.certificate + tls.key);
  const hash = execFileSync('openssl', ['passwd', '-apr1', '-stdin'], { input: PARENT_PASSWORD }).toString().trim();
  writeFileSync(at('passwords'), `${PARENT_USER}:${hash}\n`);
  writeFileSync(
    at('squid.conf'),
    `http_port 127.0.0.1:${plain}
https_port 127.0.0.1:${secure} tls-cert=${at('tls.pem')}
auth_param basic program /usr/lib/squid/basic_ncsa_auth ${at('passwords')}
auth_param basic utf8 on
auth_param basic children 1 startup=1 idle=1
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
hosts_file ${at('hosts')}
dns_nameservers 127.0.0.1
visible_hostname parent.test
cache deny all
access_log stdio:${at('access.log')}
cache_log ${at('cache.log')}
pid_filename ${at('pid')}
coredump_dir ${folder}
cache_effective_user ${process.getuid?.() === 0 ? 'proxy' : userInfo().username}
shutdown_lifetime 0 seconds
`,
  );
  const child = spawn('squid', ['-N', '-f', at('squid.conf')], { stdio: 'ignore' });
  await listening(plain, child);
  await listening(secure, child);
  return {
    plain: `127.0.0.1:${plain}`,
    secure: `127.0.0.1:${secure}`,
    log: () => readFileSync(at('access.log'), 'utf8'),
    close: async () => {
      await stop(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Microsocks {
  readonly at: string;
  close(): Promise<void>;
}

/** A real SOCKS5 server that asks for user and password. */
export async function startMicrosocks(): Promise<Microsocks> {
  const port = await freePort();
  const who = ['-u', PARENT_USER, '-P', PARENT_PASSWORD];
  const child = spawn('microsocks', ['-i', '127.0.0.1', '-p', String(port), ...who], { stdio: 'ignore' });
  await listening(port, child);
  return { at: `127.0.0.1:${port}`, close: () => stop(child) };
}

/** For programs that cannot say which port they took. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  let open = false;
  await until(() => {
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => socket.destroy());
    socket.on('connect', () => {
      open = true;
      socket.destroy();
    });
    return open;
  }, `port ${port}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await closed;
}
