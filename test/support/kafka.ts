import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel, type KafkaMessage } from 'kafkajs';
import { freePort } from './parents.ts';
import { eventually } from './until.ts';

const JARS = join(import.meta.dirname, '../../node_modules/.cache/kafka');

/** Whether there is a broker to be had (scripts/test-tools.sh fetches it). */
export const hasKafka: boolean = ((): boolean => {
  try {
    return readdirSync(JARS).some((name) => name.startsWith('kafka_')) && spawnSync('java', ['-version']).status === 0;
  } catch {
    return false;
  }
})();

export interface TestKafka {
  readonly broker: string;
  createTopic(name: string, settings?: Readonly<Record<string, string>>): Promise<void>;
  /** All messages of a topic, once there are so many. */
  messages(topic: string, count: number): Promise<KafkaMessage[]>;
  close(): Promise<void>;
}

/** A real Kafka broker of one node (KRaft), where a user `gate` with this password may log in by SASL/PLAIN on the second port. */
export async function startKafka(password: string): Promise<TestKafka & { readonly guarded: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-kafka-'));
  const [port, guarded, controller] = [await freePort(), await freePort(), await freePort()];
  const file = join(folder, 'server.properties');
  const login = `org.apache.kafka.common.security.plain.PlainLoginModule required username="gate" password="${password}" user_gate="${password}";`;
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},SASL_PLAINTEXT://127.0.0.1:${guarded},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},SASL_PLAINTEXT://127.0.0.1:${guarded}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT',
    'sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.sasl_plaintext.plain.sasl.jaas.config': login,
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'group.initial.rebalance.delay.ms': '0',
  };
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const java = (...words: string[]): string[] => ['-Xmx400m', '-cp', `${JARS}/*`, ...words];
  const id = Buffer.alloc(16, 7).toString('base64url');
  const formatted = spawnSync('java', java('kafka.tools.StorageTool', 'format', '-t', id, '-c', file));
  if (formatted.status !== 0) throw new Error(`the storage cannot be formatted: ${String(formatted.stderr)}`);
  const child = spawn('java', java('kafka.Kafka', file), { stdio: 'ignore' });
  const kafka = new Kafka({ brokers: [`127.0.0.1:${port}`], retry: { retries: 0 }, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const ready = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`the broker ended with ${child.exitCode}`);
    return admin.connect().then(
      () => true,
      () => false,
    );
  };
  await eventually(ready, 'the broker', 60_000);
  return {
    broker: `127.0.0.1:${port}`,
    guarded: `127.0.0.1:${guarded}`,
    createTopic: async (topic, settings = {}) => {
      const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }] });
    },
    messages: async (topic, count) => {
      const patient = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING });
      const consumer = patient.consumer({ groupId: `g-${topic}` });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      const got: KafkaMessage[] = [];
      await consumer.run({ eachMessage: async ({ message }) => Promise.resolve(void got.push(message)) });
      await eventually(async () => Promise.resolve(got.length >= count), `${count} messages`, 30_000);
      await consumer.disconnect();
      return got;
    },
    close: async () => {
      await admin.disconnect();
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
      rmSync(folder, { recursive: true });
    },
  };
}
