import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ExchangeTrace, SENDING } from '../../../src/telemetry/exchange-trace.ts';
import { spanTexts, tracesRequest, type TracedExchange } from '../../../src/telemetry/otlp-spans.ts';

let count = 0;
const id = (bytes: number): string => (++count).toString(16).padStart(bytes * 2, 'a');
const exchangeOf = (more: Partial<TracedExchange> = {}): TracedExchange => ({
  trace: new ExchangeTrace({ trace: 'c'.repeat(32), span: 'd'.repeat(16), sampled: true }, true, id),
  id: 'x-1',
  started: 1000.25,
  ended: 1010.5,
  method: 'POST',
  scheme: 'https',
  host: 'api.test',
  port: 443,
  path: '/a',
  status: 200,
  source: '10.0.0.1',
  agent: 'bot',
  capability: null,
  rule: 'rules/a.yaml:3: x',
  decision: 'allow',
  reason: null,
  outcome: 'delivered',
  ...more,
});
const parsed = (exchange: TracedExchange): Array<Record<string, unknown>> =>
  spanTexts(exchange, 1_700_000_000_000).map((text) => JSON.parse(text) as Record<string, unknown>);

it('has a span for the exchange, below that of whoever asked, and one below it for each step', () => {
  const exchange = exchangeOf();
  exchange.trace.steps.push(
    { name: 'decide', span: '1'.repeat(16), began: 1001 },
    { name: SENDING, span: '2'.repeat(16), began: 1002 },
  );
  const [whole, send, decide] = parsed(exchange);
  expect(whole).toMatchObject({
    traceId: 'c'.repeat(32),
    spanId: exchange.trace.span,
    parentSpanId: 'd'.repeat(16),
    name: 'POST api.test',
    kind: 2,
    startTimeUnixNano: '1700000001000250000',
    endTimeUnixNano: '1700000001010500000',
    status: {},
  });
  expect(whole?.['attributes']).toContainEqual({ key: 'http.response.status_code', value: { intValue: '200' } });
  expect(whole?.['attributes']).toContainEqual({ key: 'sallyport.agent', value: { stringValue: 'bot' } });
  const below = { traceId: 'c'.repeat(32), parentSpanId: exchange.trace.span };
  expect(decide).toMatchObject({ ...below, name: 'decide', kind: 1, endTimeUnixNano: '1700000001002000000' });
  expect(send).toMatchObject({ ...below, name: 'send', kind: 3, endTimeUnixNano: '1700000001010500000' });
});

it('begins a trace without a parent, and says that a fault is an error and a denial is none', () => {
  const trace = new ExchangeTrace(null, true, id);
  expect(parsed(exchangeOf({ trace }))[0]).not.toHaveProperty('parentSpanId');
  expect(parsed(exchangeOf({ status: 403, reason: 'host-not-allowed' }))[0]).toMatchObject({ status: {} });
  expect(parsed(exchangeOf({ status: 503, reason: 'audit-unavailable' }))[0]).toMatchObject({
    status: { code: 2, message: 'audit-unavailable' },
  });
  expect(parsed(exchangeOf({ method: null, host: null }))[0]).toMatchObject({ name: 'CONNECT' });
});

const PYTHON = join(import.meta.dirname, '../../../node_modules/.cache/python/bin/python');
const READS = `
import sys
from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
spans = Parse(sys.stdin.read(), ExportTraceServiceRequest()).resource_spans[0].scope_spans[0].spans
print(len(spans), spans[0].name)
`;
const hasSchema =
  existsSync(PYTHON) &&
  ((): boolean => {
    try {
      execFileSync(PYTHON, ['-c', 'import opentelemetry.proto'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();

it.skipIf(!hasSchema)("is read by OpenTelemetry's own schema, and nothing of it is unknown there", () => {
  const exchange = exchangeOf({ status: 502, reason: 'upstream-malformed' });
  exchange.trace.step('decide');
  const text = tracesRequest(spanTexts(exchange, 0), { version: '1', instance: 'i' });
  expect(execFileSync(PYTHON, ['-c', READS], { input: text, encoding: 'utf8' })).toBe('2 POST api.test\n');
});
