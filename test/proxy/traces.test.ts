import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestCa } from '../support/certificates.ts';
import { ask, openTunnel } from '../support/client.ts';
import { startGate, type TestGate } from '../support/gate.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { until } from '../support/until.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: Array<{ key: string; value: { stringValue?: string } }>;
}

let ca: TestCa;
let origin: Origin;
let collector: Receiver;
let gate: TestGate;
beforeAll(async () => {
  ca = await TestCa.create();
  origin = await startOrigin({ tls: await ca.leaf(['api.test']) });
  collector = await startReceiver();
  gate = await start({ 'traces.url': `${collector.url}/v1/traces` });
});
afterAll(async () => {
  await gate.close();
  await origin.close();
  collector.close();
});

const start = (flags: Readonly<Record<string, string>>): Promise<TestGate> =>
  startGate({
    allow: ['GET https://api.test/**'],
    pins: [`api.test:443=127.0.0.1:${origin.port}`],
    upstreamCa: ca.certificate,
    flags,
  });

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const AGENT = '00f067aa0ba902b7';

const get = (to: TestGate, path: string, fields = ''): ReturnType<typeof ask> =>
  ask(to, 'api.test:443', `GET ${path} HTTP/1.1\r\nHost: api.test\r\n${fields}\r\n`);

const spans = (): Span[] =>
  collector.requests.flatMap(({ text }) => {
    const { resourceSpans } = JSON.parse(text) as { resourceSpans: Array<{ scopeSpans: Array<{ spans: Span[] }> }> };
    return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((each) => each.spans));
  });

/** The spans of one trace, once that of the exchange is among them. */
const traceOf = (path: string): Promise<Span[]> =>
  until(() => {
    const whole = spans().find(({ attributes = [] }) =>
      attributes.some(({ key, value }) => key === 'url.path' && value.stringValue === path),
    );
    if (whole === undefined) return null;
    const steps = spans().filter(({ traceId, spanId }) => traceId === whole.traceId && spanId !== whole.spanId);
    return [whole, ...steps.sort((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)))];
  }, `the trace of ${path}`);

function seen(path: string): Record<string, unknown> {
  const request = origin.requests.find(({ url }) => url === path);
  return { ...request?.headers };
}

it('goes on with the trace of an agent, and tells the upstream of the span that sent the request', async () => {
  await get(gate, '/going', `traceparent: 00-${TRACE}-${AGENT}-01\r\ntracestate: a=b\r\n`);
  const [whole, ...steps] = await traceOf('/going');
  expect(whole).toMatchObject({ traceId: TRACE, parentSpanId: AGENT, name: 'GET api.test' });
  expect(steps.map(({ name }) => name)).toEqual([
    'decide',
    'reserve',
    'hold',
    'scan',
    'resolve',
    'record',
    'send',
    'relay',
  ]);
  expect(steps.every(({ parentSpanId }) => parentSpanId === whole?.spanId)).toBe(true);
  const send = steps.find(({ name }) => name === 'send');
  expect(seen('/going')).toMatchObject({ traceparent: `00-${TRACE}-${send?.spanId}-01`, tracestate: 'a=b' });
  // One step after the other, all within the exchange.
  const times = steps.map((step) => [BigInt(step.startTimeUnixNano), BigInt(step.endTimeUnixNano)] as const);
  for (const [index, [from, to]] of times.entries()) {
    expect(to >= from).toBe(true);
    expect(times[index + 1]?.[0] ?? to).toBe(to);
  }
  expect((times[0]?.[0] ?? 0n) >= BigInt(whole?.startTimeUnixNano ?? 0)).toBe(true);
  expect(times.at(-1)?.[1]).toBe(BigInt(whole?.endTimeUnixNano ?? 0));
});

it('begins a trace where the agent has none, or one that is none', async () => {
  await get(gate, '/begun', 'traceparent: nonsense\r\n');
  const [whole] = await traceOf('/begun');
  expect(whole).not.toHaveProperty('parentSpanId');
  expect(seen('/begun')['traceparent']).toMatch(new RegExp(`^00-${whole?.traceId}-[0-9a-f]{16}-01$`));
});

it('tells of a refused request how far it came, and why it was refused', async () => {
  await ask(gate, 'api.test:443', 'POST /refused HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\n\r\n');
  const [whole, ...steps] = await traceOf('/refused');
  expect(steps.map(({ name }) => name)).toEqual(['decide']);
  expect(whole?.attributes).toContainEqual({ key: 'error.type', value: { stringValue: 'method-not-allowed' } });
});

it('has a span of a tunnel that was not opened, and of one that is not read', async () => {
  const refused = await startGate({ allow: [], flags: { 'traces.url': `${collector.url}/v1/traces` } });
  await openTunnel(refused, 'api.test:443', '');
  await until(
    () =>
      spans().some(
        ({ name, attributes = [] }) =>
          name === 'CONNECT' && attributes.some(({ value }) => value.stringValue === 'agent-unknown'),
      ),
    'its span',
  );
  await refused.close();
  const opaque = await startGate({
    allow: ['{ scheme: tcp, host: api.test, port: 443 }'],
    pins: [`api.test:443=127.0.0.1:${origin.port}`],
    flags: { 'traces.url': `${collector.url}/v1/traces` },
  });
  (await openTunnel(opaque, 'api.test:443')).socket.destroy();
  const [whole, ...steps] = await until(() => {
    const one = spans().find(({ name }) => name === 'CONNECT api.test');
    return one !== undefined && [one, ...spans().filter(({ parentSpanId }) => parentSpanId === one.spanId)];
  }, 'the span of the other');
  expect(whole).not.toHaveProperty('parentSpanId');
  expect(steps.map(({ name }) => name)).toContain('decide');
  await opaque.close();
});

it('exports nothing of what an agent does not sample, and tells the upstream so', async () => {
  await get(gate, '/unsampled', `traceparent: 00-${TRACE.replace('4', '5')}-${AGENT}-00\r\n`);
  await get(gate, '/behind');
  await traceOf('/behind');
  expect(seen('/unsampled')['traceparent']).toMatch(new RegExp(`^00-${TRACE.replace('4', '5')}-[0-9a-f]{16}-00$`));
  expect(spans().some(({ traceId }) => traceId === TRACE.replace('4', '5'))).toBe(false);
});

it('leaves requests as they are where nobody traces', async () => {
  const untraced = await start({});
  await get(untraced, '/untraced', `traceparent: 00-${TRACE}-${AGENT}-01\r\n`);
  await get(untraced, '/none');
  expect(seen('/untraced')['traceparent']).toBe(`00-${TRACE}-${AGENT}-01`);
  expect(seen('/none')).not.toHaveProperty('traceparent');
  await untraced.close();
});
