import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Refused } from '../../../../../src/audit/delivery/event.ts';
import { openKafka } from '../../../../../src/audit/delivery/sinks/kafka.ts';
import type { KafkaSink } from '../../../../../src/model/sink.ts';
import { hasKafka, startKafka } from '../../../../support/kafka.ts';
import { denial, sent } from '../support.ts';

const PASSWORD = ['pass', 'word'].join('-');
const folder = mkdtempSync(join(tmpdir(), 'sallyport-kafka-sink-'));
afterAll(() => rmSync(folder, { recursive: true }));

const sinkOf = (broker: string, topic: string, more: Partial<KafkaSink> = {}): KafkaSink => ({
  kind: 'kafka',
  name: 'a',
  events: [],
  spool: 1,
  brokers: [broker],
  topic,
  tls: false,
  login: null,
  ca: null,
  ...more,
});

it('says in one line that no broker answers', async () => {
  const carrier = openKafka(sinkOf('127.0.0.1:1', 'audit'));
  const error = await carrier.send([sent(denial())]).then(
    () => null,
    (reason: Error) => reason,
  );
  expect(error?.message).toMatch(/ECONNREFUSED/);
  expect(error?.message).not.toContain('\n');
  expect(error).not.toBeInstanceOf(Refused);
  carrier.close();
});

describe.skipIf(!hasKafka)('with a broker', () => {
  let kafka: Awaited<ReturnType<typeof startKafka>>;
  beforeAll(async () => {
    kafka = await startKafka(PASSWORD);
  }, 90_000);
  afterAll(() => kafka.close());

  it('sends messages keyed by agent, with their places', { timeout: 60_000 }, async () => {
    await kafka.createTopic('audit');
    const carrier = openKafka(sinkOf(kafka.broker, 'audit'));
    expect(await carrier.send([sent(denial()), sent(denial({ agent: null }), 8)])).toBe(0);
    carrier.close();
    const messages = await kafka.messages('audit', 2);
    expect(
      messages.map(({ key, value, headers }) => [key?.toString(), value?.toString(), String(headers?.['id'])]),
    ).toEqual([
      ['bot', JSON.stringify(denial()), 'a.jsonl:7'],
      [undefined, JSON.stringify(denial({ agent: null })), 'a.jsonl:8'],
    ]);
  });

  it('is refused for good what the topic is too small for, and makes no topic of its own', async () => {
    await kafka.createTopic('small', { 'max.message.bytes': '2000' });
    const carrier = openKafka(sinkOf(kafka.broker, 'small'));
    await expect(carrier.send([sent(denial({ detail: 'x'.repeat(5000) }))])).rejects.toBeInstanceOf(Refused);
    expect(await carrier.send([sent(denial())])).toBe(0);
    carrier.close();
    const none = openKafka(sinkOf(kafka.broker, 'none'));
    const failed = none.send([sent(denial())]);
    await expect(failed).rejects.toThrow('This server does not host this topic-partition');
    await expect(failed).rejects.not.toBeInstanceOf(Refused);
    none.close();
  });

  it('logs in with the password of a file, and says that it may not with another', async () => {
    await kafka.createTopic('guarded');
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, `${PASSWORD}\n`);
    const login = { mechanism: 'plain', user: 'gate', passwordFile } as const;
    const carrier = openKafka(sinkOf(kafka.guarded, 'guarded', { login }));
    expect(await carrier.send([sent(denial())])).toBe(0);
    carrier.close();
    writeFileSync(passwordFile, 'another');
    const wrong = openKafka(sinkOf(kafka.guarded, 'guarded', { login }));
    await expect(wrong.send([sent(denial())])).rejects.toThrow(/authentication/i);
    wrong.close();
  });
});
