import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Coalescer } from '../../../../../src/audit/delivery/coalesce.ts';
import { isSigned } from '../../../../../src/audit/delivery/signature.ts';
import { openMessages, openWebhook } from '../../../../../src/audit/delivery/sinks/webhook.ts';
import type { WebhookShape, WebhookSink } from '../../../../../src/model/sink.ts';
import { startReceiver, type Receiver } from '../../../../support/receiver.ts';
import { denial, sent } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-webhook-'));
const secretFile = join(folder, 'secret');
const KEY = 'a key of the test';
let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
  writeFileSync(secretFile, `${KEY}\n`);
});
beforeEach(() => void receiver.requests.splice(0));
afterAll(() => {
  receiver.close();
  rmSync(folder, { recursive: true });
});

const sink = (shape: WebhookShape, more: Partial<WebhookSink> = {}): WebhookSink => ({
  kind: 'webhook',
  shape,
  name: 'soc',
  events: ['denied'],
  spool: 1e9,
  url: { text: `${receiver.url}/hook` },
  tokenFile: null,
  ca: null,
  secretFile,
  routingKey: null,
  coalesce: 0,
  ...more,
});
const NOW = 1_700_000_000_000;

it('sends events as they stand in the log, with their places, under a signature', async () => {
  const carrier = openWebhook(sink('events'), () => NOW);
  await carrier.send([sent(denial()), sent(denial({ exchange: 'x-2' }), 8)]);
  carrier.close();
  const [request] = receiver.requests;
  expect(JSON.parse(request?.text ?? '')).toEqual({
    version: 1,
    events: [
      { id: 'a.jsonl:7', event: denial() },
      { id: 'a.jsonl:8', event: denial({ exchange: 'x-2' }) },
    ],
  });
  const signature = String(request?.fields['sallyport-signature']);
  expect(isSigned(request?.text ?? '', signature, KEY, NOW / 1000)).toBe(true);
});

it('signs nothing where it has no key', async () => {
  const carrier = openWebhook(sink('events', { secretFile: null }), () => NOW);
  await carrier.send([sent(denial())]);
  carrier.close();
  expect(receiver.requests[0]?.fields).not.toHaveProperty('sallyport-signature');
});

it.each<[WebhookShape, number, object]>([
  ['slack', 1, { text: expect.stringContaining('Bot was denied') as string, blocks: [{}, {}] }],
  ['teams', 1, { type: 'message' }],
  ['pagerduty', 2, { routing_key: 'a routing key', event_action: 'trigger' }],
])('sends people messages in the shape of %s, signed as well', async (shape, requests, expected) => {
  const routingKey = shape === 'pagerduty' ? { text: 'a routing key' } : null;
  const carrier = openMessages(sink(shape, { routingKey }), () => NOW);
  const digests = new Coalescer(0).add([sent(denial()), sent(denial({ agent: 'cat' }))], {}, 0);
  await carrier.send(digests);
  carrier.close();
  expect(receiver.requests).toHaveLength(requests);
  for (const { text, fields } of receiver.requests) {
    expect(JSON.parse(text)).toMatchObject(expected);
    expect(isSigned(text, String(fields['sallyport-signature']), KEY, NOW / 1000)).toBe(true);
  }
});
