import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openSink, sendTo, type SinkGround } from '../../../../../src/audit/delivery/sinks/open-sink.ts';
import { parseSink } from '../../../../../src/config/sinks.ts';
import { startReceiver } from '../../../../support/receiver.ts';
import { until } from '../../../../support/until.ts';
import { denial } from '../support.ts';
import { SegmentOnDisk } from './log.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-open-sink-'));
afterAll(() => rmSync(folder, { recursive: true }));
const ground = (name: string): SinkGround => ({
  log: join(folder, name),
  places: join(folder, `${name}-places`),
  version: '1',
  clock: () => 0,
  record: () => undefined,
  report: () => undefined,
});

it('delivers what comes after it was first opened, and after that goes on where it was', async () => {
  const where = ground('a');
  const out = join(folder, 'a.jsonl');
  const segment = new SegmentOnDisk(join(where.log, '20260101T000000.000Z-1.jsonl'));
  segment.write(denial({ exchange: 'before' }));
  const sink = parseSink('soc.yaml', `kind: ocsf\nfile: ${out}`);
  const first = openSink(sink, where);
  const running = first.run();
  segment.write(denial({ exchange: 'x-1' }));
  const read = (): string[] =>
    (existsSync(out) ? readFileSync(out, 'utf8') : '')
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { metadata: { uid: string } }).metadata.uid);
  await until(() => read().length === 1, 'an event');
  const place = join(where.places, 'soc.json');
  await until(() => readFileSync(place, 'utf8').includes('"lines":6'), 'its place');
  first.close();
  await running;
  segment.write(denial({ exchange: 'x-2' }));
  const second = openSink(sink, where);
  const again = second.run();
  await until(() => read().length === 2, 'the next event');
  second.close();
  await again;
  expect(read()).toEqual(['x-1', 'x-2']);
});

it('tells people once of a cause, and remembers what it has not told of', async () => {
  const where = ground('b');
  const receiver = await startReceiver();
  const segment = new SegmentOnDisk(join(where.log, '20260101T000000.000Z-1.jsonl'));
  const sink = parseSink('soc.yaml', `kind: webhook\nshape: slack\nurl: ${receiver.url}\ncoalesce: 1h`);
  const courier = openSink(sink, where);
  const running = courier.run();
  segment.write(denial(), denial({ host: 'b.test' }));
  segment.write(denial({ agent: 'cat' }));
  await until(() => receiver.requests.length === 2 || JSON.stringify(receiver.requests).includes('Cat'), 'messages');
  courier.close();
  await running;
  receiver.close();
  expect(receiver.requests.map(({ text }) => text).join('')).not.toContain('b.test');
  // The second denial of bot was not told of: whoever comes after reads it again.
  expect(JSON.parse(readFileSync(join(where.places, 'soc.json'), 'utf8'))).toMatchObject({
    cursor: { 1: { lines: 2 } },
  });
});

it('does not begin from a place that is not one', () => {
  const where = ground('c');
  const sink = parseSink('soc.yaml', 'kind: ocsf\nfile: out');
  openSink(sink, where).close();
  writeFileSync(join(where.places, 'soc.json'), 'nothing');
  expect(() => openSink(sink, where)).toThrow('soc.json is not what was written there');
});

it('sends one event by itself, and says where it is refused', async () => {
  const receiver = await startReceiver(({ url }) => ({ status: url === '/no' ? 400 : 200 }));
  const to = (path: string, more = ''): ReturnType<typeof parseSink> =>
    parseSink('soc.yaml', `kind: webhook\nurl: ${receiver.url}${path}${more}`);
  await sendTo(to('/in'), denial(), ground('d'));
  await sendTo(to('/in', '\nshape: slack'), denial(), ground('d'));
  expect(receiver.requests.map(({ text }) => Object.keys(JSON.parse(text) as object))).toEqual([
    ['version', 'events'],
    ['text', 'blocks'],
  ]);
  await expect(sendTo(to('/no'), denial(), ground('d'))).rejects.toThrow('answered 400');
  receiver.close();
});
