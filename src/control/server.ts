import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text, type Control, type Route } from './answer.ts';
import { health, ready } from './routes/health.ts';
import { metrics } from './routes/metrics.ts';

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['/healthz', health],
  ['/readyz', ready],
  ['/metrics', metrics],
]);

/** The admin listener: health, readiness, metrics. Read-only; it belongs on loopback or behind the platform's own fence. */
export async function listenAdmin(address: { host: string; port: number }, control: Control): Promise<Server> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    serve(request, response, control).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return server;
}

async function serve(request: IncomingMessage, response: ServerResponse, control: Control): Promise<void> {
  const route = ROUTES.get((request.url ?? '').split('?')[0] ?? '');
  if (route === undefined) return text(response, 404, `not found; here are ${[...ROUTES.keys()].join(', ')}\n`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(response, 405, 'only GET is answered here\n');
  await route(control, response);
}
