import type { Registry } from 'prom-client';

/**
 * Counters and histograms for the path of every request. prom-client's own cost 10 µs a request there (label objects are
 * hashed at each increment); these add to arrays, and give prom-client the sums when it scrapes. It still owns the registry
 * and the text format.
 */
interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What prom-client asks of a metric when it scrapes. */
interface Scraped {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'histogram';
  readonly values: readonly Sample[];
  readonly aggregator: 'sum';
}

/** A histogram without labels. */
export class HotHistogram {
  readonly name: string;
  readonly help: string;
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  constructor(name: string, help: string, bounds: readonly number[], registry: Registry) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
    registry.registerMetric(this as never);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index++;
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#sum += value;
  }

  async get(): Promise<Scraped> {
    let total = 0;
    const values: Sample[] = [];
    this.#counts.forEach((count, index) => {
      total += count;
      values.push({ metricName: `${this.name}_bucket`, labels: { le: this.#bounds[index] ?? '+Inf' }, value: total });
    });
    values.push(
      { metricName: `${this.name}_sum`, labels: {}, value: this.#sum },
      { metricName: `${this.name}_count`, labels: {}, value: total },
    );
    return { name: this.name, help: this.help, type: 'histogram', values, aggregator: 'sum' };
  }

  /** Part of prom-client's interface for metrics. */
  reset(): void {
    this.#counts.fill(0);
    this.#sum = 0;
  }
}

/** A counter with a fixed list of labels. */
export class HotCounter {
  readonly name: string;
  readonly help: string;
  readonly #labels: readonly string[];
  readonly #cells = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();

  constructor(name: string, help: string, labels: readonly string[], registry: Registry) {
    this.name = name;
    this.help = help;
    this.#labels = labels;
    registry.registerMetric(this as never);
  }

  /** Adds to the cell of these label values; `key` joins them and is looked up first. */
  add(key: string, values: () => readonly string[], amount: number): void {
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      const given = values();
      cell = { labels: Object.fromEntries(this.#labels.map((label, index) => [label, given[index] ?? ''])), value: 0 };
      this.#cells.set(key, cell);
    }
    cell.value += amount;
  }

  async get(): Promise<Scraped> {
    const values = [...this.#cells.values()].map((cell) => ({
      metricName: this.name,
      labels: cell.labels,
      value: cell.value,
    }));
    return { name: this.name, help: this.help, type: 'counter', values, aggregator: 'sum' };
  }

  /** Part of prom-client's interface for metrics. */
  reset(): void {
    this.#cells.clear();
  }
}
