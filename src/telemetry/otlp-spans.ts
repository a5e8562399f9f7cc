import { SENDING, type ExchangeTrace } from './exchange-trace.ts';

/** An exchange that is over, as its spans tell it. */
export interface TracedExchange {
  readonly trace: ExchangeTrace;
  readonly id: string;
  /** Milliseconds of `performance.now()`. */
  readonly started: number;
  readonly ended: number;
  readonly method: string | null;
  readonly scheme: string | null;
  readonly host: string | null;
  readonly port: number | null;
  readonly path: string | null;
  readonly status: number | null;
  readonly source: string;
  readonly agent: string | null;
  readonly capability: string | null;
  readonly rule: string | null;
  readonly decision: string;
  readonly reason: string | null;
  readonly outcome: string;
}

/** Kinds of spans (opentelemetry-proto, `trace/v1`). */
const KIND = { internal: 1, server: 2, client: 3 } as const;
const ERROR = 2;

/** The spans of an exchange in OTLP's JSON: one for all of it, one for each step. `behind`: milliseconds since 1970 at which `performance.now()` was 0. */
export function spanTexts(exchange: TracedExchange, behind: number): string[] {
  const { trace, started, ended } = exchange;
  const at = (milliseconds: number): string => nanoseconds(milliseconds + behind);
  const own = { traceId: trace.trace, ...(trace.parent === null ? {} : { parentSpanId: trace.parent.span }) };
  const whole = {
    ...own,
    spanId: trace.span,
    name: `${exchange.method ?? 'CONNECT'} ${exchange.host ?? ''}`.trim(),
    kind: KIND.server,
    startTimeUnixNano: at(started),
    endTimeUnixNano: at(ended),
    attributes: attributesOf(exchange),
    // Who is refused has been served well; a fault of the gate's own, or of an upstream, is an error.
    status: (exchange.status ?? 0) >= 500 ? { code: ERROR, message: exchange.reason ?? '' } : {},
  };
  const steps = trace.steps.map(({ name, span, began }, index) => ({
    traceId: trace.trace,
    spanId: span,
    parentSpanId: trace.span,
    name,
    kind: name === SENDING ? KIND.client : KIND.internal,
    startTimeUnixNano: at(began),
    endTimeUnixNano: at(trace.steps[index + 1]?.began ?? ended),
  }));
  return [whole, ...steps].map((span) => JSON.stringify(span));
}

/** Attributes by OpenTelemetry's conventions for HTTP where they have a name, and by ours. */
function attributesOf(exchange: TracedExchange): readonly unknown[] {
  const texts: ReadonlyArray<readonly [string, string | null]> = [
    ['http.request.method', exchange.method],
    ['url.scheme', exchange.scheme],
    ['server.address', exchange.host],
    ['url.path', exchange.path],
    ['client.address', exchange.source],
    ['error.type', exchange.reason],
    ['sallyport.exchange', exchange.id],
    ['sallyport.agent', exchange.agent],
    ['sallyport.capability', exchange.capability],
    ['sallyport.rule', exchange.rule],
    ['sallyport.decision', exchange.decision],
    ['sallyport.outcome', exchange.outcome],
  ];
  const numbers: ReadonlyArray<readonly [string, number | null]> = [
    ['server.port', exchange.port],
    ['http.response.status_code', exchange.status],
  ];
  return [
    ...texts.flatMap(([key, value]) => (value === null ? [] : [{ key, value: { stringValue: value } }])),
    ...numbers.flatMap(([key, value]) => (value === null ? [] : [{ key, value: { intValue: String(value) } }])),
  ];
}

/** An ExportTraceServiceRequest in JSON (OTLP 1.x) of spans that are written already. */
export function tracesRequest(
  spans: readonly string[],
  { version, instance }: { readonly version: string; readonly instance: string },
): string {
  const attributes = Object.entries({
    'service.name': 'sallyport',
    'service.version': version,
    'service.instance.id': instance,
  });
  const resource = { attributes: attributes.map(([key, value]) => ({ key, value: { stringValue: value } })) };
  return `{"resourceSpans":[{"resource":${JSON.stringify(resource)},"scopeSpans":[{"scope":{"name":"sallyport"},"spans":[${spans.join(',')}]}]}]}`;
}

/** Nanoseconds, which are more than a number holds exactly. */
function nanoseconds(milliseconds: number): string {
  const whole = Math.floor(milliseconds);
  return `${whole}${String(Math.floor((milliseconds - whole) * 1_000_000)).padStart(6, '0')}`;
}
