import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { RawClient, answered } from './client.ts';
import { until } from './until.ts';

export const PROGRAM = join(import.meta.dirname, '../../dist/cli/sallyport.js');

/** The real program, in a home of its own. */
export interface Program {
  readonly child: ChildProcess;
  readonly home: string;
  readonly proxy: string;
  readonly admin: string;
  /** What it has written so far, both streams. */
  output(): string;
  /** Asks the admin listener, with its token. */
  ask(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly text: string }>;
  /** A connection to the proxy, nothing said yet. */
  dial(): Promise<RawClient>;
  /** One plain request on a connection of its own. */
  get(url: string, fields?: string): Promise<RawClient>;
  /** Texts of its audit segments, in order of their names. */
  segments(): Array<{ readonly name: string; readonly text: string }>;
  signal(name: NodeJS.Signals): void;
  ended(): Promise<number | NodeJS.Signals>;
}

const running = new Set<ChildProcess>();

/** Ends what a test left running. */
export function killPrograms(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Starts it on free ports and waits until it serves. `within`: a command that becomes the one behind it. */
export async function startProgram(
  home: string,
  rules: string,
  words: readonly string[],
  { within = [], ...as }: { readonly uid?: number; readonly gid?: number; readonly within?: readonly string[] } = {},
): Promise<Program> {
  mkdirSync(join(home, 'rules'), { recursive: true });
  writeFileSync(join(home, 'rules/a.yaml'), rules);
  const file = join(home, 'ready.json');
  rmSync(file, { force: true });
  const fixed = ['start', '--listen-proxy=127.0.0.1:0', '--listen-admin=127.0.0.1:0', '--ready-file=ready.json'];
  const [command = '', ...before] = [...within, process.execPath];
  const child = spawn(command, [...before, PROGRAM, ...fixed, ...words], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...as,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
  running.add(child);
  let end: number | NodeJS.Signals | null = null;
  child.on('close', (code, signal) => {
    running.delete(child);
    end = code ?? signal;
  });
  await until(() => existsSync(file) || end !== null, `the ready file; it said ${output}`);
  if (end !== null) throw new Error(`it ended with ${String(end)}: ${output}`);
  const { proxy, admin } = JSON.parse(readFileSync(file, 'utf8')) as { proxy: string; admin: string };
  const dial = async (): Promise<RawClient> => {
    const socket = connect(Number(proxy.split(':').at(-1)), '127.0.0.1');
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  };
  return {
    child,
    home,
    proxy,
    admin,
    output: () => output,
    ask: async (method, path, body) => {
      const token = readFileSync(join(home, 'state/admin.token'), 'utf8').trim();
      const response = await fetch(`http://${admin}${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, text: await response.text() };
    },
    dial,
    get: async (url, fields = '') => {
      const client = await dial();
      client.send(`GET ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n${fields}Connection: close\r\n\r\n`);
      return answered(client);
    },
    segments: () =>
      readdirSync(join(home, 'state/audit'))
        .sort()
        .map((name) => ({ name, text: readFileSync(join(home, 'state/audit', name), 'utf8') })),
    signal: (name) => void child.kill(name),
    ended: () => until(() => end, 'the program to end', 30_000),
  };
}
