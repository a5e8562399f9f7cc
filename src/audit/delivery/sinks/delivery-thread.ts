import { isMainThread, workerData, type MessagePort } from 'node:worker_threads';
import type { SinkEvent } from '../../../model/audit-event.ts';
import type { Sink, SinkReport } from '../../../model/sink.ts';
import { openSink, type AnyCourier, type SinkGround } from './open-sink.ts';

/** What a delivering thread is started with. */
export interface DeliveryStart extends Pick<SinkGround, 'log' | 'places' | 'version'> {
  readonly sinks: readonly Sink[];
}

/** What it tells. */
export type DeliveryNews =
  | { readonly kind: 'record'; readonly event: Omit<SinkEvent, 'time'> }
  | { readonly kind: 'report'; readonly report: SinkReport };

/** Delivers to all sinks. Throws an Error with one line where one of them cannot be opened. */
export function deliver(
  { sinks, ...ground }: DeliveryStart,
  tell: (news: DeliveryNews) => void,
  clock: () => number,
): readonly AnyCourier[] {
  const couriers = sinks.map((sink) =>
    openSink(sink, {
      ...ground,
      clock,
      record: (event) => tell({ kind: 'record', event }),
      report: (report) => tell({ kind: 'report', report }),
    }),
  );
  for (const courier of couriers) void courier.run();
  return couriers;
}

if (!isMainThread && isStart(workerData)) {
  const { port, ...start } = workerData;
  deliver(start, (news) => port.postMessage(news), Date.now);
}

function isStart(data: unknown): data is DeliveryStart & { readonly port: MessagePort } {
  return typeof data === 'object' && data !== null && 'sinks' in data;
}
