import { Http1Error } from '../http1/error.ts';
import { TO_AGENT } from '../http1/fields.ts';
import type { ResponseHead } from '../http1/head.ts';
import { Denial } from '../model/denial.ts';
import type { GuardedAddress } from '../network/guard.ts';
import { Http1Upstream } from './adapters/http1-upstream.ts';
import { HANDSHAKE_ALERT, dial } from './dial.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, BodyStream } from './message.ts';
import type { UpstreamRequest } from './prepare.ts';
import type { Witness } from './record.ts';
import type { Services } from './services.ts';

/** An answer whose head has arrived. */
export interface UpstreamResponse {
  readonly head: ResponseHead;
  readonly connection: Http1Upstream;
}

/** Methods that may be sent again when a kept connection turns out closed (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

/** Sends a recorded request to a guarded address and waits for the head of its answer. Throws Denial. */
export async function send(
  request: UpstreamRequest,
  address: GuardedAddress,
  witness: Witness,
  exchange: Exchange,
  answer: Answer,
  services: Services,
): Promise<UpstreamResponse> {
  const { cancellation } = exchange;
  for (;;) {
    if (cancellation.cancelled) throw new Error('aborted');
    const connection =
      services.pool.take(exchange.agent ?? '', address.target.key, address.addresses) ??
      (await connect(address, witness, exchange, services));
    const reused = connection.used > 0;
    cancellation.onCancel = () => connection.destroy(new Error('aborted'));
    try {
      const upload = begin(request, connection, exchange, services);
      for (;;) {
        const head = finalHead(connection, answer);
        if (head !== null) return answered(head, connection, upload, exchange, answer, services);
        await connection.more();
      }
    } catch (error) {
      cancellation.onCancel = null;
      connection.destroy();
      // The upstream closed a kept connection as we used it: it has seen nothing, and the request is safe to repeat.
      const again = reused && !cancellation.cancelled && isReset(error) && isRepeatable(request);
      if (!again) throw upstreamFailure(error);
    }
  }
}

/** Gives the connection of an answer that was passed on back to the pool. */
export function release(response: UpstreamResponse, exchange: Exchange, services: Services): void {
  exchange.cancellation.onCancel = null;
  services.pool.put(response.connection);
}

async function connect(
  address: GuardedAddress,
  witness: Witness,
  exchange: Exchange,
  services: Services,
): Promise<Http1Upstream> {
  const options = {
    timeout: services.timeouts.connect,
    trust: services.upstreamTrust,
    sessions: services.upstreamSessions,
    cancellation: exchange.cancellation,
  };
  const dialled = await dial(address, witness, options);
  return new Http1Upstream(dialled.socket, exchange.agent ?? '', address.target.key, dialled.address);
}

/** Sends the head and what is held of the body. Returns the rest that is on its way; null when there is none. */
function begin(
  request: UpstreamRequest,
  connection: Http1Upstream,
  exchange: Exchange,
  services: Services,
): BodyStream | null {
  const { body } = request;
  if (exchange.address === null || !exchange.address.startsWith('pinned')) exchange.address = connection.address;
  exchange.upstreamSent = performance.now();
  exchange.sent = body.size;
  connection.patience(services.timeouts.firstByte);
  connection.send(request);
  if (body.rest !== null) void pump(body.rest, connection, exchange);
  return body.rest;
}

/** The head of the answer itself; null when it is not here yet. Interim answers are passed on or dropped. */
function finalHead(connection: Http1Upstream, answer: Answer): ResponseHead | null {
  for (;;) {
    const head = connection.takeHead();
    if (head === null) return null;
    if (head.status === 101) throw new Http1Error('101 without an upgrade');
    if (head.status >= 200) return head;
    if (head.status === 103) answer.inform(103, head.fields.text(TO_AGENT.naming(head.connection)));
  }
}

function answered(
  head: ResponseHead,
  connection: Http1Upstream,
  upload: BodyStream | null,
  exchange: Exchange,
  answer: Answer,
  services: Services,
): UpstreamResponse {
  exchange.upstreamAnswered = performance.now();
  exchange.status = head.status;
  connection.patience(services.timeouts.idle);
  // The upstream answered before it had heard everything: what the agent still sends is nobody's.
  if (upload !== null && !upload.finished) answer.close();
  if (connection.used === 1) connection.promised = promisedBy(head);
  return { head, connection };
}

/** Sends the rest of a body as it arrives; what goes wrong on the agent's side ends the upstream connection with it. */
async function pump(rest: BodyStream, connection: Http1Upstream, exchange: Exchange): Promise<void> {
  try {
    for (let bytes = await rest.read(); bytes !== null; bytes = await rest.read()) {
      exchange.sent += bytes.length;
      await connection.write(bytes);
      if (connection.gone) return;
    }
    connection.finish();
  } catch (error) {
    connection.destroy(error instanceof Http1Error ? new Denial('request-malformed', error.message) : (error as Error));
  }
}

function isRepeatable(request: UpstreamRequest): boolean {
  return request.body.rest === null && IDEMPOTENT.has(request.method);
}

/** `Keep-Alive: timeout=n`, less a second for the way. */
function promisedBy(head: ResponseHead): number | null {
  if (!head.keepAlive) return 0;
  const match = /\btimeout=(\d{1,6})\b/.exec(head.fields.values('keep-alive')[0] ?? '');
  return match === null ? null : Math.max(0, Number(match[1]) - 1) * 1000;
}

function isReset(error: unknown): boolean {
  return !(error instanceof Denial) && !(error instanceof Http1Error && !/ended before/.test(error.message));
}

/** What the agent is told of a failure on the upstream's side. */
export function upstreamFailure(error: unknown): unknown {
  if (error instanceof Denial) return error;
  if (error instanceof Http1Error && !/connection ended/.test(error.message))
    return new Denial('upstream-malformed', `the answer is malformed: ${error.message}`, { cause: error });
  // With TLS 1.3 the handshake is over for us before the upstream has looked for our certificate.
  if (HANDSHAKE_ALERT.test((error as NodeJS.ErrnoException).code ?? ''))
    return new Denial('upstream-untrusted', 'the upstream demands a client certificate, and the gate has none for it', {
      cause: error,
    });
  return new Denial('upstream-unreachable', 'the upstream closed the connection before its answer was complete', {
    cause: error,
  });
}
