import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Delivery } from '../../../../../src/audit/delivery/sinks/delivery.ts';
import type { DeliveryNews } from '../../../../../src/audit/delivery/sinks/delivery-thread.ts';
import { parseSink } from '../../../../../src/config/sinks.ts';
import { startReceiver } from '../../../../support/receiver.ts';
import { until } from '../../../../support/until.ts';
import { denial } from '../support.ts';
import { SegmentOnDisk } from './log.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-delivery-'));
afterAll(() => rmSync(folder, { recursive: true }));

const options = (sinks: readonly ReturnType<typeof parseSink>[], news: DeliveryNews[] = []) => ({
  sinks,
  log: join(folder, 'log'),
  places: join(folder, 'places'),
  version: '1',
  clock: () => 0,
  tell: (each: DeliveryNews) => void news.push(each),
  onLost: () => undefined,
});

it('delivers from the sources as well; its thread is tested with the program (test/cli/sinks.test.ts)', async () => {
  const receiver = await startReceiver();
  const segment = new SegmentOnDisk(join(folder, 'log/20260101T000000.000Z-1.jsonl'));
  const news: DeliveryNews[] = [];
  const delivery = new Delivery(options([parseSink('soc.yaml', `kind: webhook\nurl: ${receiver.url}`)], news));
  segment.write(denial());
  await until(() => news.some((each) => each.kind === 'report' && each.report.delivered === 1), 'a report');
  delivery.close();
  receiver.close();
  expect(receiver.requests).toHaveLength(1);
});

it('says at the start what is wrong with a sink', () => {
  const sink = parseSink('siem.yaml', `kind: otlp\nurl: https://a.test/\nca: ${folder}/none.pem`);
  expect(() => new Delivery(options([sink]))).toThrow('none.pem cannot be read: ENOENT');
});
