import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { otlpLogs } from '../../../../src/audit/delivery/otlp-logs.ts';
import { EVENTS, denial, sent } from './support.ts';

const PYTHON = join(import.meta.dirname, '../../../../node_modules/.cache/python/bin/python');
const READS = `
import json, sys
from google.protobuf.json_format import Parse, MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
print(json.dumps(MessageToDict(Parse(sys.stdin.read(), ExportLogsServiceRequest()))))
`;

const hasSchema = ((): boolean => {
  try {
    execFileSync(PYTHON, ['-c', 'import opentelemetry.proto'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

it('says what happened, how grave it is, and all members as attributes', () => {
  const text = JSON.stringify(otlpLogs([sent(denial({ findings: [{ via: ['base64'] }] as never }))], '1.2.3'));
  expect(text).toContain(
    '"severityNumber":13,"severityText":"WARN","body":{"stringValue":"Bot was denied: host-not-allowed"}',
  );
  expect(text).toContain('{"key":"sallyport.reason","value":{"stringValue":"host-not-allowed"}}');
  expect(text).toContain('{"key":"sallyport.status","value":{"intValue":"403"}}');
  expect(text).toContain('{"key":"sallyport.inspected","value":{"boolValue":true}}');
  expect(text).toContain('{"key":"via","value":{"arrayValue":{"values":[{"stringValue":"base64"}]}}}');
  expect(text).toContain(`"timeUnixNano":"${Date.parse(denial().time)}000000"`);
});

it.skipIf(!existsSync(PYTHON) || !hasSchema)(
  "is read by OpenTelemetry's own schema, and nothing of it is unknown there",
  () => {
    const request = otlpLogs(
      [...EVENTS, denial()].map((event) => sent(event)),
      '1',
    );
    const read = execFileSync(PYTHON, ['-c', READS], { input: JSON.stringify(request), encoding: 'utf8' });
    const [resource] = (JSON.parse(read) as { resourceLogs: Array<{ scopeLogs: Array<{ logRecords: unknown[] }> }> })
      .resourceLogs;
    expect(resource?.scopeLogs[0]?.logRecords).toHaveLength(EVENTS.length + 1);
  },
);
