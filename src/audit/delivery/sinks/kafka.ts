import type { Producer, SASLOptions } from 'kafkajs';
import type { KafkaSink } from '../../../model/sink.ts';
import type { AuditEvent } from '../../../model/audit-event.ts';
import { Refused, type Carrier, type SentEvent } from '../event.ts';
import { trusted } from './http-post.ts';
import { readSecretFile } from './secret-file.ts';

/** Milliseconds until a broker stands, and answers. */
const PATIENCE = 10_000;
/** All replicas that are in step have it. */
const ALL = -1;

/** Messages of a Kafka topic: the event as it stands in the log, its id in a header, keyed by agent, so that an agent's stay in order. */
export function openKafka(sink: KafkaSink): Carrier<SentEvent> {
  let connecting: Promise<Producer> | null = null;
  const drop = (): void => {
    void connecting?.then((producer) => producer.disconnect()).catch(() => undefined);
    connecting = null;
  };
  return {
    send: async (events) => {
      try {
        const producer = await (connecting ??= connected(sink));
        await producer.send({ topic: sink.topic, acks: ALL, timeout: PATIENCE, messages: events.map(messageOf) });
        return 0;
      } catch (error) {
        drop();
        throw reasonOf(error);
      }
    },
    close: drop,
  };
}

function messageOf({ id, line, event }: SentEvent): { key: string | null; value: string; headers: { id: string } } {
  return { key: agentOf(event), value: line, headers: { id } };
}

function agentOf(event: AuditEvent): string | null {
  return 'agent' in event ? (event.agent ?? null) : null;
}

async function connected({ brokers, tls, login, ca }: KafkaSink): Promise<Producer> {
  // Loaded where there is such a sink.
  const { Kafka, logLevel } = await import('kafkajs');
  const kafka = new Kafka({
    clientId: 'sallyport',
    brokers: [...brokers],
    ssl: tls ? trusted(ca) : false,
    ...(login === null ? {} : { sasl: saslOf(login) }),
    connectionTimeout: PATIENCE,
    requestTimeout: PATIENCE,
    // Whoever calls tries again, and says so.
    retry: { retries: 0 },
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 } });
  await producer.connect();
  return producer;
}

function saslOf({ mechanism, user, passwordFile }: NonNullable<KafkaSink['login']>): SASLOptions {
  return { mechanism, username: user, password: readSecretFile(passwordFile) };
}

/** Too large, or not as the topic wants it: no other attempt will do better. */
const FINAL = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP']);

function reasonOf(error: unknown): Error {
  const { message, type } = error as Error & { readonly type?: string };
  const said = message.split('\n')[0] ?? '';
  return type !== undefined && FINAL.has(type) ? new Refused(said) : new Error(said, { cause: error });
}
