import { expect, it } from 'vitest';
import { openRedisStream } from '../../../../../src/audit/delivery/sinks/redis-stream.ts';
import type { RedisSink } from '../../../../../src/model/sink.ts';
import { startRedis } from '../../../../support/redis.ts';
import { denial, sent } from '../support.ts';

const sinkOf = (url: string, length: number | null = null): RedisSink => ({
  kind: 'redis',
  name: 'a',
  events: [],
  spool: 1,
  url: { text: url },
  stream: 'audit',
  length,
  ca: null,
});

it('adds entries to a stream, and says when the server is away, and goes on when it is back', async () => {
  const redis = await startRedis();
  const carrier = openRedisStream(sinkOf(redis.url));
  expect(await carrier.send([sent(denial()), sent(denial(), 8)])).toBe(0);
  expect(await redis.command('XLEN', 'audit')).toBe(':2\r\n');
  const entries = await redis.command('XRANGE', 'audit', '-', '+', 'COUNT', '1');
  expect(entries).toContain('a.jsonl:7');
  expect(entries).toContain(JSON.stringify(denial()));
  await redis.kill();
  await expect(carrier.send([sent(denial())])).rejects.toThrow(/ECONNREFUSED|Connection is closed/);
  await redis.restart();
  expect(await carrier.send([sent(denial())])).toBe(0);
  carrier.close();
  await redis.close();
});

it('trims the stream where it is told to, and says that another kind of key stands in its place', async () => {
  const redis = await startRedis(['stream-node-max-entries 1']);
  const trimmed = openRedisStream(sinkOf(redis.url, 3));
  await trimmed.send(Array.from({ length: 10 }, (_, index) => sent(denial(), index)));
  trimmed.close();
  expect(await redis.command('XLEN', 'audit')).toBe(':3\r\n');
  await redis.command('SET', 'other', 'x');
  const wrong = openRedisStream({ ...sinkOf(redis.url), stream: 'other' });
  await expect(wrong.send([sent(denial())])).rejects.toThrow('WRONGTYPE');
  wrong.close();
  await redis.close();
});
