import type { Redis } from 'ioredis';
import type { RedisSink } from '../../../model/sink.ts';
import type { Carrier, SentEvent } from '../event.ts';
import { failure, trusted } from './http-post.ts';
import { readSecret } from './secret-file.ts';

/** Milliseconds until a connection stands, and answers. */
const PATIENCE = 10_000;

/** Entries of a Redis stream: fields `id` and `event`, as it stands in the log. */
export function openRedisStream(sink: RedisSink): Carrier<SentEvent> {
  let client: Redis | null = null;
  const drop = (): void => {
    client?.disconnect();
    client = null;
  };
  const trim = sink.length === null ? [] : ['MAXLEN', '~', String(sink.length)];
  return {
    send: async (events) => {
      try {
        client ??= await connected(sink);
        const pipeline = client.pipeline();
        for (const { id, line } of events) pipeline.call('XADD', sink.stream, ...trim, '*', 'id', id, 'event', line);
        const answers = (await pipeline.exec()) ?? [];
        const failed = answers.find(([error]) => error !== null);
        if (failed !== undefined) throw failed[0] as Error;
        return 0;
      } catch (error) {
        drop();
        throw reasonOf(error);
      }
    },
    close: drop,
  };
}

async function connected(sink: RedisSink): Promise<Redis> {
  // Loaded where there is such a sink.
  const { Redis: Client } = await import('ioredis');
  const url = readSecret(sink.url);
  const client = new Client(url, {
    lazyConnect: true,
    connectTimeout: PATIENCE,
    commandTimeout: PATIENCE,
    // Whoever calls tries again, and says so.
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    ...(url.startsWith('rediss:') ? { tls: trusted(sink.ca) } : {}),
  });
  // What fails is told by the call that failed.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

function reasonOf(error: unknown): Error {
  const { message } = error as Error;
  return new Error(/^[A-Z]+ /.test(message) ? message : failure(error), { cause: error });
}
