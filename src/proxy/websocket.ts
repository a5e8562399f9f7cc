import { createHash, randomBytes } from 'node:crypto';
import { Http1Error } from '../http1/error.ts';
import { OutgoingFields, TO_AGENT } from '../http1/fields.ts';
import type { ResponseHead } from '../http1/head.ts';
import { Denial } from '../model/denial.ts';
import { NoveltyMeter, type Novelty } from '../scan/novelty.ts';
import { tokensSaid } from '../scan/usage.ts';
import type { Transfer } from '../model/outcome.ts';
import { WebSocketEnd } from './adapters/websocket-end.ts';
import type { Exchange } from './exchange.ts';
import { MessageInspector, type Message } from './inspect.ts';
import { Inspection } from './inspection.ts';
import type { AgentRequest, Answer } from './message.ts';
import { spendNovel } from './novel-upload.ts';
import { both } from './pause.ts';
import type { Permit } from './permit.ts';
import { receivedBy } from './scan-response.ts';
import type { Services } from './services.ts';
import type { UpstreamResponse } from './upstream.ts';

/** After a goodbye its answer is awaited this long, in milliseconds. */
const GOODBYE = 5_000;
const POLICY_VIOLATION = 1008;
const NOTHING = Buffer.alloc(0);
const GOING_AWAY = 1001;
/** RFC 6455 §1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Handshake fields that each hop writes anew; extensions are declined, so that nothing passes compressed. */
const HANDSHAKE = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-accept', 'sec-websocket-extensions'];
export const WEBSOCKET_TO_UPSTREAM: readonly string[] = HANDSHAKE;

/** What a handshake must say (RFC 6455 §4.2.1, RFC 8441 §5). Throws the denial where it does not. */
export function checkHandshake(request: AgentRequest): void {
  const malformed = (detail: string): Denial => new Denial('request-malformed', detail);
  if (request.upgrade?.toLowerCase() !== 'websocket')
    throw malformed('protocol upgrades other than WebSocket are not carried');
  const only = (name: string): string | null => {
    const values = request.fields.values(name);
    return values.length === 1 ? (values[0] as string) : null;
  };
  if (only('sec-websocket-version') !== '13')
    throw new Denial('request-malformed', 'a WebSocket of another version than 13', {
      status: 426,
      headers: ['Sec-WebSocket-Version', '13'],
    });
  if (request.protocol === 'h2') return;
  if (request.method !== 'GET' || request.body.present)
    throw malformed('a WebSocket handshake is a GET without a body');
  if (!request.connection.includes('upgrade')) throw malformed('Connection does not name the upgrade');
  if (!/^[A-Za-z0-9+/]{22}==$/.test(only('sec-websocket-key') ?? ''))
    throw malformed('the Sec-WebSocket-Key is not 16 bytes in base64');
}

/** A key of the gate's own: the handshake with the upstream is another one than that with the agent. */
export function makeKey(): string {
  return randomBytes(16).toString('base64');
}

/** `Sec-WebSocket-Accept` for a key (RFC 6455 §4.2.2). */
export function acceptFor(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** Whether a 101 answers this very handshake and promises nothing that was not asked for. Throws Http1Error. */
export function checkAccepted(head: ResponseHead, key: string, offered: readonly string[]): void {
  const { fields, connection } = head;
  if (fields.values('upgrade')[0]?.toLowerCase() !== 'websocket' || !connection.includes('upgrade'))
    throw new Http1Error('101 to something else than a WebSocket');
  if (fields.values('sec-websocket-accept')[0] !== acceptFor(key))
    throw new Http1Error('the WebSocket handshake was answered with another key');
  if (fields.values('sec-websocket-extensions').length > 0)
    throw new Http1Error('a WebSocket extension that was not offered');
  const chosen = fields.values('sec-websocket-protocol');
  if (chosen.length > 1 || (chosen.length === 1 && !offered.includes(chosen[0] as string)))
    throw new Http1Error('a WebSocket subprotocol that was not offered');
}

/** Carries messages both ways until either side has had enough; each passes the inspector before it goes on. */
export function converse(
  response: UpstreamResponse,
  answer: Answer,
  exchange: Exchange,
  permit: Permit,
  services: Services,
): Promise<Transfer> {
  const { head, connection } = response;
  const terms = permit.websocket;
  // To the frame codec no bound is any length: without terms there is no WebSocket.
  if (terms === null) throw new Error('a WebSocket under a permit that has none');
  const filter = TO_AGENT.naming([...head.connection, ...HANDSHAKE]);
  const agent = new WebSocketEnd(answer.upgrade(new OutgoingFields(head.fields, filter)), 'server', terms.max);
  const upstream = new WebSocketEnd(connection.surrender(), 'client', terms.max);
  const inspection = Inspection.of(exchange);
  const received = receivedBy(exchange, 'lines', services);
  const inspector = new MessageInspector(terms, () => performance.now(), inspection, received);
  const novelty = exchange.lease?.countsNovelty === true ? services.novelties.of(exchange) : null;
  return new Conversation(agent, upstream, exchange, inspector, novelty, services.timeouts.idle).done;
}

/** Two ends joined. */
class Conversation {
  readonly done: Promise<Transfer>;
  readonly #agent: WebSocketEnd;
  readonly #upstream: WebSocketEnd;
  readonly #exchange: Exchange;
  readonly #inspector: MessageInspector;
  readonly #idle: number;
  /** What was said before, where it is limited how much may be new. */
  readonly #novelty: Novelty | null;
  #resolve: (transfer: Transfer) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #silence: NodeJS.Timeout | undefined;
  #failure: unknown = null;
  #over = false;

  constructor(
    agent: WebSocketEnd,
    upstream: WebSocketEnd,
    exchange: Exchange,
    inspector: MessageInspector,
    novelty: Novelty | null,
    idle: number,
  ) {
    this.#agent = agent;
    this.#upstream = upstream;
    this.#exchange = exchange;
    this.#inspector = inspector;
    this.#idle = idle;
    this.#novelty = novelty;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#join(agent, upstream, 'to-upstream');
    this.#join(upstream, agent, 'to-agent');
    exchange.cancellation.onCancel = () => {
      const { denial } = exchange.cancellation;
      if (denial === null) upstream.destroy();
      this.#end(POLICY_VIOLATION, denial?.reason ?? '', new Error('cut off'));
    };
    this.#heard();
  }

  #join(from: WebSocketEnd, to: WebSocketEnd, direction: Message['direction']): void {
    const inTurn = this.#paidInTurn(from, direction);
    const passOn = (message: Message, send: () => void): void => {
      this.#heard();
      if (!this.#passes(message)) return;
      inTurn(message.bytes, () => {
        send();
        from.heed(to);
      });
    };
    from.onMessage = (bytes, binary) =>
      passOn({ direction, type: binary ? 'binary' : 'text', bytes }, () => to.send(bytes, binary));
    const control = (send: (bytes: Buffer) => void) => (bytes: Buffer) =>
      passOn({ direction, type: 'control', bytes }, () => send(bytes));
    from.onPing = control((bytes) => to.ping(bytes));
    from.onPong = control((bytes) => to.pong(bytes));
    from.onClose = (code, reason) =>
      inTurn(NOTHING, () => {
        to.close(code, reason);
        // The goodbye is answered when the other side has answered it, so that its last messages still arrive.
        if (to.finished) this.#finish();
        else this.#await();
      });
    from.onFault = (code, detail) => {
      const reason = direction === 'to-upstream' ? 'request-malformed' : 'upstream-malformed';
      from.close(code, '');
      this.#end(GOING_AWAY, '', new Denial(reason, `a WebSocket frame is malformed: ${detail}`));
    };
    from.onGone = () => {
      // Gone without a goodbye: the other side must see a connection that broke.
      if (!from.finished && !this.#over) to.destroy();
      this.#finish();
    };
  }

  /** Does one thing after the other, each once its bytes are counted; reads no further while a store is asked. */
  #paidInTurn(from: WebSocketEnd, direction: Message['direction']): (bytes: Buffer, go: () => void) => void {
    const { lease } = this.#exchange;
    const spend = (bytes: Buffer): Promise<void> | null =>
      direction === 'to-upstream' ? this.#spend(bytes) : (lease?.download(bytes.length) ?? null);
    let before: Promise<void> | null = null;
    return (bytes, go) => {
      const due = before === null ? spend(bytes) : before.then(() => spend(bytes) ?? undefined);
      if (due === null) return go();
      from.pause();
      const turn = due.then(go, (error: unknown) =>
        this.#end(POLICY_VIOLATION, error instanceof Denial ? error.reason : 'internal-fault', error),
      );
      before = turn;
      void turn.then(() => {
        if (before !== turn) return;
        before = null;
        from.resume();
      });
    };
  }

  /** Counts a message that is about to leave. */
  #spend(bytes: Buffer): Promise<void> | null {
    const { lease } = this.#exchange;
    if (lease === null) return null;
    const upload = lease.upload(bytes.length);
    if (this.#novelty === null) return upload;
    return both(upload, spendNovel(bytes, new NoveltyMeter(this.#novelty, true), lease));
  }

  /** What a model says it has used so far is counted now: a conversation may last for hours. */
  #countTokens({ type, bytes }: Message): void {
    const { lease } = this.#exchange;
    if (lease === null || !lease.countsTokens || type !== 'text') return;
    const used = tokensSaid(bytes);
    if (used === 0) return;
    lease
      .useTokens(used)
      .catch((error: unknown) =>
        this.#end(POLICY_VIOLATION, error instanceof Denial ? error.reason : 'internal-fault', error),
      );
  }

  /** Shows a message to the inspector and counts it; ends the conversation where it must not go on. */
  #passes(message: Message): boolean {
    this.#exchange.transcript?.message(message.direction, message.type, message.bytes);
    try {
      this.#inspector.inspect(message);
    } catch (error) {
      this.#end(POLICY_VIOLATION, error instanceof Denial ? error.reason : 'internal-fault', error);
      return false;
    }
    if (message.direction === 'to-upstream') this.#exchange.sent += message.bytes.length;
    else {
      this.#exchange.received += message.bytes.length;
      this.#countTokens(message);
    }
    return true;
  }

  /** Ends both sides with the same word. */
  #end(code: number, reason: string, failure: unknown): void {
    this.#failure ??= failure;
    this.#agent.close(code, reason);
    this.#upstream.close(code, reason);
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#silence);
    this.#exchange.cancellation.onCancel = null;
    this.#upstream.end(() => undefined);
    // Whoever does not take its goodbye goes without.
    const patience = setTimeout(() => this.#settle(), GOODBYE);
    this.#agent.end(() => {
      clearTimeout(patience);
      this.#settle();
    });
  }

  #settle(): void {
    const { sent, received } = this.#exchange;
    if (this.#failure === null) this.#resolve({ sent, received });
    else this.#reject(this.#failure);
  }

  #await(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#finish(), GOODBYE);
  }

  /** Nothing for as long as the idle limit, pings included, ends the conversation. */
  #heard(): void {
    if (this.#silence !== undefined) this.#silence.refresh();
    else if (this.#idle > 0)
      this.#silence = setTimeout(
        () => this.#end(GOING_AWAY, 'idle', new Denial('upstream-timeout', 'the WebSocket was silent for too long')),
        this.#idle,
      );
  }
}
