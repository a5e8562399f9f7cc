import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { deliver, type DeliveryNews } from '../../../../../src/audit/delivery/sinks/delivery-thread.ts';
import { parseSink } from '../../../../../src/config/sinks.ts';
import { startReceiver } from '../../../../support/receiver.ts';
import { until } from '../../../../support/until.ts';
import { denial } from '../support.ts';
import { SegmentOnDisk } from './log.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-delivery-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('runs a courier for each sink, and tells what they say', async () => {
  const receiver = await startReceiver(({ url }) => ({ status: url === '/bad' ? 422 : 200 }));
  const segment = new SegmentOnDisk(join(folder, 'log/20260101T000000.000Z-1.jsonl'));
  const sinks = ['good', 'bad'].map((name) => parseSink(`${name}.yaml`, `kind: webhook\nurl: ${receiver.url}/${name}`));
  const news: DeliveryNews[] = [];
  const ground = { log: join(folder, 'log'), places: join(folder, 'places'), version: '1' };
  const couriers = deliver(
    { sinks, ...ground },
    (each) => news.push(each),
    () => 0,
  );
  segment.write(denial());
  await until(() => news.some((each) => each.kind === 'report' && each.report.delivered === 1), 'a report');
  const recorded = await until(() => news.find((each) => each.kind === 'record'), 'a loss');
  expect(recorded).toMatchObject({ event: { action: 'dropped', count: 1, kind: 'sink', sink: 'bad' } });
  for (const courier of couriers) courier.close();
  receiver.close();
});
