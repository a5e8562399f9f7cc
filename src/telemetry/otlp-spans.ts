import { SENDING, type ExchangeTrace, type TracedStep } from './exchange-trace.ts';

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

/**
 * The spans of an exchange in OTLP's JSON: one for all of it, one for each step. `behind`: milliseconds since 1970 at which
 * `performance.now()` was 0. Written out, for nine of them are on the path of a request (JSON.stringify: three times this).
 */
export function spanTexts(exchange: TracedExchange, behind: number): string[] {
  const { trace, started, ended, status, reason } = exchange;
  const { parent, span, steps } = trace;
  const head = `{"traceId":"${trace.trace}","spanId":"`;
  const end = nanoseconds(ended + behind);
  const above = parent === null ? '' : `,"parentSpanId":"${parent.span}"`;
  const name = JSON.stringify(`${exchange.method ?? 'CONNECT'} ${exchange.host ?? ''}`.trim());
  // Who is refused has been served well; a fault of the gate's own, or of an upstream, is an error.
  const failed = (status ?? 0) >= 500 ? `"code":${ERROR},"message":${JSON.stringify(reason ?? '')}` : '';
  const texts = [
    `${head}${span}"${above},"name":${name},"kind":${KIND.server},"startTimeUnixNano":"${nanoseconds(started + behind)}",` +
      `"endTimeUnixNano":"${end}","attributes":[${attributesOf(exchange)}],"status":{${failed}}}`,
  ];
  let to = end;
  for (let index = steps.length - 1; index >= 0; index--) {
    const step = steps[index] as TracedStep;
    const from = nanoseconds(step.began + behind);
    const kind = step.name === SENDING ? KIND.client : KIND.internal;
    texts.push(
      `${head}${step.span}","parentSpanId":"${span}","name":"${step.name}","kind":${kind},"startTimeUnixNano":"${from}","endTimeUnixNano":"${to}"}`,
    );
    to = from;
  }
  return texts;
}

/** Attributes by OpenTelemetry's conventions for HTTP where they have a name, and by ours. */
function attributesOf(exchange: TracedExchange): string {
  const all =
    text('http.request.method', exchange.method) +
    text('url.scheme', exchange.scheme) +
    text('server.address', exchange.host) +
    number('server.port', exchange.port) +
    text('url.path', exchange.path) +
    number('http.response.status_code', exchange.status) +
    text('client.address', exchange.source) +
    text('error.type', exchange.reason) +
    text('sallyport.exchange', exchange.id) +
    text('sallyport.agent', exchange.agent) +
    text('sallyport.capability', exchange.capability) +
    text('sallyport.rule', exchange.rule) +
    text('sallyport.decision', exchange.decision) +
    text('sallyport.outcome', exchange.outcome);
  return all.slice(1);
}

function text(key: string, value: string | null): string {
  return value === null ? '' : `,{"key":"${key}","value":{"stringValue":${JSON.stringify(value)}}}`;
}

function number(key: string, value: number | null): string {
  return value === null ? '' : `,{"key":"${key}","value":{"intValue":"${value}"}}`;
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
