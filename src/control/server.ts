import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { RequestError, text, type Control, type Route } from './answer.ts';
import { haltsKill, haltsList, haltsRevive } from './routes/halts.ts';
import { health, ready } from './routes/health.ts';
import { metrics } from './routes/metrics.ts';
import { policyPromote, policyRollback, policyStatus } from './routes/policy.ts';
import { sessionKeysRevokeAll, sessionKeysRotate, sessionsCreate, sessionsList } from './routes/sessions.ts';
import { showsToken } from './token.ts';

/** What may be asked for, and whether it takes the token. */
interface Entry {
  readonly method: 'GET' | 'POST';
  readonly open: boolean;
  readonly route: Route;
}

const ROUTES: ReadonlyMap<string, readonly Entry[]> = new Map<string, readonly Entry[]>([
  ['/healthz', [{ method: 'GET', open: true, route: health }]],
  ['/readyz', [{ method: 'GET', open: true, route: ready }]],
  ['/metrics', [{ method: 'GET', open: true, route: metrics }]],
  ['/halts', [{ method: 'GET', open: false, route: haltsList }]],
  ['/kill', [{ method: 'POST', open: false, route: haltsKill }]],
  ['/revive', [{ method: 'POST', open: false, route: haltsRevive }]],
  [
    '/sessions',
    [
      { method: 'GET', open: false, route: sessionsList },
      { method: 'POST', open: false, route: sessionsCreate },
    ],
  ],
  ['/sessions/keys/rotate', [{ method: 'POST', open: false, route: sessionKeysRotate }]],
  ['/sessions/keys/revoke-all', [{ method: 'POST', open: false, route: sessionKeysRevokeAll }]],
  ['/policy', [{ method: 'GET', open: false, route: policyStatus }]],
  ['/policy/promote', [{ method: 'POST', open: false, route: policyPromote }]],
  ['/policy/rollback', [{ method: 'POST', open: false, route: policyRollback }]],
]);

/**
 * The admin listener. Health, readiness and metrics are for anybody who reaches it, so it belongs on loopback or behind the
 * platform's own fence; everything else takes the token in `state/admin.token`.
 */
export async function listenAdmin(address: { host: string; port: number }, control: Control): Promise<Server> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    serve(request, response, control).catch((error: unknown) => {
      if (error instanceof RequestError && !response.headersSent) text(response, error.status, `${error.message}\n`);
      else response.destroy();
    });
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
  const entries = ROUTES.get((request.url ?? '').split('?')[0] ?? '');
  if (entries === undefined) throw new RequestError(404, `not found; here are ${[...ROUTES.keys()].join(', ')}`);
  const { method = '' } = request;
  const entry = entries.find((each) => method === each.method || (method === 'HEAD' && each.method === 'GET'));
  if (entry === undefined) {
    const methods = entries.map((each) => each.method);
    response.setHeader('Allow', methods.join(', '));
    throw new RequestError(405, `only ${methods.join(' and ')} is answered here`);
  }
  if (!entry.open && !showsToken(request.headers.authorization, control.token)) {
    response.setHeader('WWW-Authenticate', 'Bearer realm="sallyport admin"');
    throw new RequestError(401, 'the token in state/admin.token is asked for here (Authorization: Bearer …)');
  }
  await entry.route(control, response, request);
}
