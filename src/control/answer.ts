import type { ServerResponse } from 'node:http';

/** What the admin listener may know of the gate. */
export interface Control {
  /** Why the gate should get no traffic; null when it is ready. */
  readonly unready: () => string | null;
  readonly metricsText: () => Promise<string>;
  readonly metricsType: string;
}

export type Route = (control: Control, response: ServerResponse) => Promise<void> | void;

/** A plain-text answer. */
export function text(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}
