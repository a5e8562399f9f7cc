import { Counter, type Registry } from 'prom-client';

/** How exporting traces does. */
export class TraceMetrics {
  readonly #spans: Counter<'result'>;

  constructor(registry: Registry) {
    this.#spans = new Counter({
      name: 'sallyport_trace_spans_total',
      help: 'Spans that were exported, and those given up since the collector took none for too long.',
      labelNames: ['result'],
      registers: [registry],
    });
  }

  spans(result: 'exported' | 'dropped', count: number): void {
    this.#spans.inc({ result }, count);
  }
}
