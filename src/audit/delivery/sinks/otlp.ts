import type { OtlpSink } from '../../../model/sink.ts';
import type { Carrier, SentEvent } from '../event.ts';
import { otlpLogs } from '../otlp-logs.ts';
import { HttpPoster } from './http-post.ts';

/** Log records over OTLP/HTTP in JSON. */
export function openOtlp(sink: OtlpSink, version: string): Carrier<SentEvent> {
  const poster = new HttpPoster(sink);
  return {
    send: async (events) => rejectedOf(await poster.post(JSON.stringify(otlpLogs(events, version)))),
    close: () => poster.close(),
  };
}

/** OTLP 1.x, "Partial Success": the rest was taken, and must not be sent again. */
function rejectedOf(answer: string): number {
  try {
    const { partialSuccess } = JSON.parse(answer) as { partialSuccess?: { rejectedLogRecords?: string | number } };
    return Number(partialSuccess?.rejectedLogRecords ?? 0);
  } catch {
    return 0;
  }
}
