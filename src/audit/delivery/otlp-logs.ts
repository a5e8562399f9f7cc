import { causeOf, type Severity } from './cause.ts';
import type { SentEvent } from './event.ts';

/** OpenTelemetry's severity numbers: the lowest of each range. */
const SEVERITIES: Readonly<Record<Severity, readonly [number: number, text: string]>> = {
  info: [9, 'INFO'],
  warning: [13, 'WARN'],
  error: [17, 'ERROR'],
  critical: [21, 'FATAL'],
};

type AnyValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly boolValue: boolean }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } }
  | { readonly kvlistValue: { readonly values: readonly KeyValue[] } };

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

/** Events as an ExportLogsServiceRequest in JSON (OTLP 1.x, opentelemetry-proto `collector/logs/v1`). `version`: of the gate. */
export function otlpLogs(events: readonly SentEvent[], version: string): Readonly<Record<string, unknown>> {
  return {
    resourceLogs: [
      {
        resource: { attributes: [keyValue('service.name', 'sallyport'), keyValue('service.version', version)] },
        scopeLogs: [{ scope: { name: 'sallyport.audit' }, logRecords: events.map(recordOf) }],
      },
    ],
  };
}

function recordOf({ event, id }: SentEvent): Readonly<Record<string, unknown>> {
  const { title, severity } = causeOf(event);
  const [severityNumber, severityText] = SEVERITIES[severity];
  const nanoseconds = `${Date.parse(event.time)}000000`;
  const attributes = Object.entries(event)
    .filter(([name, value]) => name !== 'time' && value !== null)
    .map(([name, value]) => keyValue(`sallyport.${name}`, value));
  return {
    timeUnixNano: nanoseconds,
    observedTimeUnixNano: nanoseconds,
    severityNumber,
    severityText,
    body: { stringValue: title },
    eventName: `sallyport.${event.kind}`,
    attributes: [keyValue('log.record.uid', id), ...attributes],
  };
}

function keyValue(key: string, value: unknown): KeyValue {
  return { key, value: anyValue(value) };
}

function anyValue(value: unknown): AnyValue {
  if (typeof value === 'boolean') return { boolValue: value };
  // 64-bit integers are strings in the JSON of protocol buffers.
  if (typeof value === 'number') return { intValue: String(Math.trunc(value)) };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  if (typeof value === 'object' && value !== null)
    return { kvlistValue: { values: Object.entries(value).map(([key, each]) => keyValue(key, each)) } };
  return { stringValue: String(value) };
}
