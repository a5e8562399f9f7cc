import { AggregatorRegistry } from 'prom-client';

/** A metric of one process, as its registry tells it. */
export interface ScrapedMetric {
  readonly name: string;
  readonly type: string;
}

/** What all processes of a gate have counted, in the Prometheus text format. */
export function aggregatedText(processes: ReadonlyArray<readonly ScrapedMetric[]>): Promise<string> {
  return AggregatorRegistry.aggregate([...processes]).metrics();
}

/**
 * What processes that are gone had counted, and one more: without it the sums would fall, and Prometheus would take that for
 * a new beginning. Gauges go with their process.
 */
export async function retired(
  before: readonly ScrapedMetric[],
  gone: readonly ScrapedMetric[],
): Promise<readonly ScrapedMetric[]> {
  const counted = gone.filter(({ name, type }) => (type === 'counter' || type === 'histogram') && !isOfProcess(name));
  const sum = await AggregatorRegistry.aggregate([before, counted]).getMetricsAsJSON();
  return sum as unknown as ScrapedMetric[];
}

/** What prom-client says of the process itself. */
function isOfProcess(name: string): boolean {
  return name.includes('_process_') || name.includes('_nodejs_');
}
