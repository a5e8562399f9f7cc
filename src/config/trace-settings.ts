import type { Setting } from './setting.ts';
import { anyText, parsePercentage, parseWebAddress } from './values.ts';

/** Settings of traces. */
export const TRACE_SETTINGS: readonly Setting[] = [
  {
    key: 'traces.url',
    default: '',
    form: 'an address such as http://127.0.0.1:4318/v1/traces',
    describe:
      'Collector that OpenTelemetry spans are sent to (OTLP/HTTP, JSON), one for each exchange and step; none by default.',
    secret: true,
    parse: parseWebAddress,
  },
  {
    key: 'traces.token-file',
    default: '',
    form: 'a file',
    describe: 'File of the bearer token it asks for.',
    path: true,
    parse: anyText,
  },
  {
    key: 'traces.ca',
    default: '',
    form: 'a PEM file',
    describe: "CA certificates trusted for it beside the system's.",
    path: true,
    parse: anyText,
  },
  {
    key: 'traces.sample',
    default: '100%',
    form: 'a percentage such as 10%',
    describe: 'Share of the traces begun by the gate that are sent; those that agents began are as they say.',
    parse: parsePercentage,
  },
];
