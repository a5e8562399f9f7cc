import { Counter, Gauge, type Registry } from 'prom-client';
import type { SinkReport } from '../model/sink.ts';

/** How the sinks of the audit log do. */
export class SinkMetrics {
  readonly #delivered: Counter<'sink'>;
  readonly #dropped: Counter<'sink'>;
  readonly #failures: Counter<'sink'>;
  readonly #behind: Gauge<'sink'>;
  readonly #failing: Gauge<'sink'>;

  constructor(registry: Registry) {
    const labels = { labelNames: ['sink'] as const, registers: [registry] };
    this.#delivered = new Counter({
      name: 'sallyport_sink_delivered_total',
      help: 'Events a sink has taken; for slack, teams and pagerduty, messages.',
      ...labels,
    });
    this.#dropped = new Counter({
      name: 'sallyport_sink_dropped_total',
      help: 'Events that a sink will not get: it refused them, or was too far behind.',
      ...labels,
    });
    this.#failures = new Counter({
      name: 'sallyport_sink_failures_total',
      help: 'Attempts to send to a sink that failed; what they were about is tried again.',
      ...labels,
    });
    this.#behind = new Gauge({
      name: 'sallyport_sink_behind_bytes',
      help: 'Bytes of the audit log that a sink has not taken yet.',
      ...labels,
    });
    this.#failing = new Gauge({
      name: 'sallyport_sink_failing',
      help: '1 while a sink cannot be reached or does not take what it is sent, else 0.',
      ...labels,
    });
  }

  /** These are there: what never was counted is no series, and its first increase is seen by nobody. */
  known(sinks: readonly string[]): void {
    for (const sink of sinks) this.report({ sink, delivered: 0, dropped: 0, failures: 0, behind: 0, failing: false });
  }

  report({ sink, delivered, dropped, failures, behind, failing }: SinkReport): void {
    this.#delivered.inc({ sink }, delivered);
    this.#dropped.inc({ sink }, dropped);
    this.#failures.inc({ sink }, failures);
    this.#behind.set({ sink }, behind);
    this.#failing.set({ sink }, failing ? 1 : 0);
  }
}
