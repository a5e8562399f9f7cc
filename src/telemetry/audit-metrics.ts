import { Counter, Gauge, type Registry } from 'prom-client';
import { SinkMetrics } from './sink-metrics.ts';

/** What the audit log says of itself when it is asked. */
export interface AuditSource {
  readonly healthy: boolean;
  readonly behind: {
    /** Events that wait to be written. */
    readonly waiting: number;
    /** Events that are written and not signed. */
    readonly unsigned: number;
    /** Seconds since the oldest of those was written; 0 where there are none. */
    readonly seconds: number;
  };
}

/** How the audit log of a process does. */
export class AuditMetrics {
  readonly #registry: Registry;
  #waitingTranscripts: () => number = () => 0;
  readonly sinks: SinkMetrics;
  readonly #failures: Counter;
  readonly #troubles: Counter;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.sinks = new SinkMetrics(registry);
    this.#failures = new Counter({
      name: 'sallyport_audit_failures_total',
      help: 'Times the audit log began to fail.',
      registers: [registry],
    });
    this.#troubles = new Counter({
      name: 'sallyport_audit_troubles_total',
      help: 'Times the audit log was deleted or changed under the gate, could not be signed, or could not go on in a new segment.',
      registers: [registry],
    });
  }

  /** Events cannot be written any more. */
  failed(): void {
    this.#failures.inc();
  }

  /** Something is wrong with the log, and events are written all the same. */
  troubled(): void {
    this.#troubles.inc();
  }

  /** The log is asked on each scrape from now on. */
  read(log: AuditSource): void {
    this.#gauge('waiting_transcripts', 'Exchanges whose transcript waits to be written.', 'sum', () =>
      this.#waitingTranscripts(),
    );
    this.#gauge(
      'writable',
      '1 while events can be written, 0 while they cannot and everything is denied.',
      'min',
      () => (log.healthy ? 1 : 0),
    );
    this.#gauge('waiting_events', 'Events that wait to be written.', 'sum', () => log.behind.waiting);
    this.#gauge(
      'unsigned_events',
      'Events that are written and that no checkpoint has signed yet.',
      'sum',
      () => log.behind.unsigned,
    );
    this.#gauge(
      'unsigned_seconds',
      'Age of the oldest event that no checkpoint has signed yet; 0 where all are signed.',
      'max',
      () => log.behind.seconds,
    );
  }

  /** Asked on each scrape how many exchanges wait to be kept. */
  readTranscripts(waiting: () => number): void {
    this.#waitingTranscripts = waiting;
  }

  #gauge(name: string, help: string, aggregator: 'sum' | 'min' | 'max', read: () => number): void {
    new Gauge({
      name: `sallyport_audit_${name}`,
      help,
      aggregator,
      registers: [this.#registry],
      collect() {
        this.set(read());
      },
    });
  }
}
