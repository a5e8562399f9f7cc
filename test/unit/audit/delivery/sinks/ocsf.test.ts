import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openOcsf } from '../../../../../src/audit/delivery/sinks/ocsf.ts';
import type { OcsfSink } from '../../../../../src/model/sink.ts';
import { startReceiver } from '../../../../support/receiver.ts';
import { EVENTS, sent } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-ocsf-'));
afterAll(() => rmSync(folder, { recursive: true }));
const sink = (to: OcsfSink['to']): OcsfSink => ({ kind: 'ocsf', name: 'a', events: [], spool: 1, to });
const CLASSES = [4002, 0, 0, 0, 0, 0, 0];

it('writes a line for each event to a file, behind what stands there', async () => {
  const file = join(folder, 'events.jsonl');
  const carrier = openOcsf(sink({ file }), '1');
  await carrier.send(EVENTS.map((event) => sent(event)));
  await carrier.send([sent(EVENTS[0] as never)]);
  carrier.close();
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { class_uid: number }).class_uid)).toEqual([...CLASSES, 4002]);
});

it('says in one line that the file cannot be written', async () => {
  await expect(openOcsf(sink({ file: join(folder, 'none/a') }), '1').send([])).rejects.toThrow(
    'cannot be written: ENOENT',
  );
});

it('posts an array of events', async () => {
  const receiver = await startReceiver();
  const carrier = openOcsf(sink({ url: { text: receiver.url }, tokenFile: null, ca: null }), '1');
  await carrier.send(EVENTS.map((event) => sent(event)));
  carrier.close();
  receiver.close();
  const events = JSON.parse(receiver.requests[0]?.text ?? '') as Array<{ class_uid: number }>;
  expect(events.map((event) => event.class_uid)).toEqual(CLASSES);
});
