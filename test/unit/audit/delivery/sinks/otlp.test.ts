import { expect, it } from 'vitest';
import { openOtlp } from '../../../../../src/audit/delivery/sinks/otlp.ts';
import { startReceiver } from '../../../../support/receiver.ts';
import { denial, sent } from '../support.ts';

it.each([
  ['', 0],
  ['{}', 0],
  ['{"partialSuccess":{}}', 0],
  ['{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"too old"}}', 2],
])('posts log records, and reads from %j how many were rejected', async (text, rejected) => {
  const receiver = await startReceiver(() => ({ text }));
  const to = { url: { text: `${receiver.url}/v1/logs` }, tokenFile: null, ca: null };
  const carrier = openOtlp({ kind: 'otlp', name: 'a', events: [], spool: 1, ...to }, '1');
  expect(await carrier.send([sent(denial())])).toBe(rejected);
  carrier.close();
  receiver.close();
  expect(receiver.requests).toMatchObject([{ url: '/v1/logs', fields: { 'content-type': 'application/json' } }]);
  expect(receiver.requests[0]?.text).toContain('"resourceLogs"');
});
