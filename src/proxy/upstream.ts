import { Http1Error } from '../http1/error.ts';
import { OutgoingFields, TO_AGENT } from '../http1/fields.ts';
import { listMembers } from '../http1/grammar.ts';
import type { ResponseHead } from '../http1/head.ts';
import { Denial } from '../model/denial.ts';
import type { GuardedAddress } from '../network/guard.ts';
import { SENDING } from '../telemetry/exchange-trace.ts';
import { wayTo } from './connect.ts';
import { HANDSHAKE_ALERT } from './dial.ts';
import type { Exchange } from './exchange.ts';
import type { Answer, BodyStream, UpstreamExchange } from './message.ts';
import type { UpstreamRequest } from './prepare.ts';
import type { Witness } from './record.ts';
import type { Services } from './services.ts';
import { checkAccepted } from './websocket.ts';

/** An answer whose head has arrived. */
export interface UpstreamResponse {
  readonly head: ResponseHead;
  readonly connection: UpstreamExchange;
}

/** Sends a recorded request to a guarded address and waits for the head of its answer, and the end of that turn. Throws Denial. */
export async function send(
  request: UpstreamRequest,
  address: GuardedAddress,
  witness: Witness,
  exchange: Exchange,
  answer: Answer,
  services: Services,
): Promise<UpstreamResponse> {
  exchange.trace?.step(SENDING);
  const { cancellation } = exchange;
  for (;;) {
    if (cancellation.cancelled) throw new Error('aborted');
    const way = wayTo(address, request, witness, exchange, services);
    const connection = way instanceof Promise ? await way : way;
    cancellation.onCancel = () => connection.destroy(new Error('aborted'));
    try {
      begin(request, address, connection, exchange, services);
      for (;;) {
        const head = finalHead(request, connection, answer);
        if (head === null) await connection.more();
        else {
          const response = answered(head, request, connection, exchange, answer, services);
          // Answers of one turn go on together.
          await services.turns.over();
          if (cancellation.cancelled) throw new Error('aborted');
          return response;
        }
      }
    } catch (error) {
      cancellation.onCancel = null;
      connection.destroy();
      if (cancellation.cancelled || !connection.isUnseen(error, request)) throw upstreamFailure(error);
    }
  }
}

/** Sends the head and what is held of the body; the rest follows as it comes. */
function begin(
  request: UpstreamRequest,
  address: GuardedAddress,
  connection: UpstreamExchange,
  exchange: Exchange,
  services: Services,
): void {
  const { body } = request;
  if (address.how === 'resolved') exchange.address = connection.address;
  exchange.upstreamSent = performance.now();
  exchange.sent = body.size;
  connection.patience(services.timeouts.firstByte);
  connection.send(request);
  if (body.rest !== null) void pump(body.rest, connection, exchange);
}

/** The head of the answer itself; null when it is not here yet. Interim answers are passed on or dropped. */
function finalHead(request: UpstreamRequest, connection: UpstreamExchange, answer: Answer): ResponseHead | null {
  for (;;) {
    const head = connection.takeHead();
    if (head === null) return null;
    if (head.status >= 200) return head;
    if (head.status === 101) {
      if (request.websocketKey === null) throw new Http1Error('101 without an upgrade');
      checkAccepted(head, request.websocketKey, offeredProtocols(request));
      return head;
    }
    if (head.status === 103) answer.inform(103, new OutgoingFields(head.fields, TO_AGENT.naming(head.connection)));
  }
}

/** Subprotocols the agent offered. */
function offeredProtocols(request: UpstreamRequest): string[] {
  const pairs = request.fields.pairs();
  return pairs.flatMap((name, index) =>
    index % 2 === 0 && name === 'sec-websocket-protocol' ? listMembers(pairs[index + 1] as string) : [],
  );
}

function answered(
  head: ResponseHead,
  request: UpstreamRequest,
  connection: UpstreamExchange,
  exchange: Exchange,
  answer: Answer,
  services: Services,
): UpstreamResponse {
  exchange.upstreamAnswered = performance.now();
  exchange.trace?.step('relay');
  exchange.status = head.status;
  exchange.transcript?.answered(head);
  connection.patience(services.timeouts.idle);
  const { rest } = request.body;
  // The upstream answered before it had heard everything: what the agent still sends is nobody's.
  if (rest !== null && !rest.finished) answer.close();
  return { head, connection };
}

/** Sends the rest of a body as it arrives; what goes wrong on the agent's side ends the upstream connection with it. */
async function pump(rest: BodyStream, connection: UpstreamExchange, exchange: Exchange): Promise<void> {
  try {
    let prepaid = rest.prepaid ?? 0;
    for (let bytes = await rest.read(); bytes !== null; bytes = await rest.read()) {
      const free = Math.min(prepaid, bytes.length);
      prepaid -= free;
      if (free < bytes.length) await exchange.lease?.upload(bytes.length - free);
      exchange.sent += bytes.length;
      await connection.write(bytes);
      if (connection.gone) return;
    }
    connection.finish(rest.trailers);
  } catch (error) {
    connection.destroy(error instanceof Http1Error ? new Denial('request-malformed', error.message) : (error as Error));
  }
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
