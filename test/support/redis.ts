import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './parents.ts';
import { until } from './until.ts';

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  /** Sends a signal: SIGSTOP and SIGCONT pause it. */
  signal(name: NodeJS.Signals): void;
  /** Ends it and starts it again, empty, on the same port. */
  restart(): Promise<void>;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Says something to it in its own protocol; resolves with what it answers. */
  command(...words: string[]): Promise<string>;
  close(): Promise<void>;
}

/** A real Redis Cluster of three, all slots served. */
export async function startRedisCluster(): Promise<{
  readonly url: string;
  flush(): Promise<void>;
  close(): Promise<void>;
}> {
  const nodes = await Promise.all(
    [0, 1, 2].map(() =>
      startRedis(['cluster-enabled yes', 'cluster-node-timeout 2000', 'cluster-config-file nodes.conf']),
    ),
  );
  const [first] = nodes;
  const thirds = [0, 5461, 10_923, 16_384];
  for (const [index, node] of nodes.entries()) {
    const from = thirds[index] as number;
    await node.command('CLUSTER', 'ADDSLOTSRANGE', String(from), String((thirds[index + 1] as number) - 1));
    if (node !== first) await first?.command('CLUSTER', 'MEET', '127.0.0.1', String(node.port));
  }
  let agreed = 0;
  await until(() => {
    for (const node of nodes)
      void node.command('CLUSTER', 'INFO').then((info) => {
        const ready = info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
        agreed = ready ? agreed + 1 : 0;
      });
    return agreed >= 6;
  }, 'the cluster to agree');
  return {
    url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    flush: async () => {
      for (const node of nodes) await node.command('FLUSHALL');
    },
    close: async () => {
      for (const node of nodes) await node.close();
    },
  };
}

/** A real Redis on a free port, its memory gone when it ends. Lines go into its configuration. */
export async function startRedis(lines: readonly string[] = []): Promise<TestRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-redis-'));
  const port = await freePort();
  writeFileSync(
    join(folder, 'redis.conf'),
    ['bind 127.0.0.1', `port ${port}`, 'save ""', 'appendonly no', `dir ${folder}`, ...lines].join('\n'),
  );
  let child = await start(folder, port);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    signal: (name) => void child.kill(name),
    restart: async () => {
      await kill();
      child = await start(folder, port);
    },
    kill,
    command: (...words) => say(port, words),
    close: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function start(folder: string, port: number): Promise<ChildProcess> {
  const child = spawn('redis-server', [join(folder, 'redis.conf')], { stdio: 'ignore' });
  let ready = false;
  await until(() => {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    say(port, ['PING']).then(
      (answer) => (ready = !answer.startsWith('-LOADING')),
      () => undefined,
    );
    return ready;
  }, `redis on port ${port}`);
  return child;
}

/** One command and its answer's first bytes (RESP). */
function say(port: number, words: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', reject);
    socket.on('connect', () =>
      socket.write(`*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`),
    );
    socket.on('data', (bytes: Buffer) => {
      socket.destroy();
      resolve(bytes.toString('utf8'));
    });
  });
}
