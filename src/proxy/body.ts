import { Fields } from '../http1/fields.ts';
import type { BodyFacts, Facts } from '../model/facts.ts';
import { decide, readsBody } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import { CodingError, contentCodings, decodeContent } from '../scan/content-decoder.ts';
import type { Exchange } from './exchange.ts';
import type { AgentRequest, BodyStream } from './message.ts';
import type { Lease } from './lease.ts';
import type { Reservation } from './reserve.ts';
import type { Services } from './services.ts';
import type { Snapshot } from './snapshot.ts';
import { PAUSED, unlessPaused } from './pause.ts';

declare const held: unique symbol;

/** Proof that as much of a body as is to be judged has been read. Made only here. */
export interface HeldBody {
  readonly pieces: readonly Buffer[];
  readonly size: number;
  /** The rest, which streams; null when the pieces are all of it. */
  readonly rest: BodyStream | null;
  /** Trailers of a body that is held whole. */
  readonly trailers: Fields;
  /** Length the agent announced; null when unknown. */
  readonly announced: number | null;
  readonly present: boolean;
  readonly [held]: true;
}

const NONE: readonly Buffer[] = [];

/** What has been read of a body before anything was decided. */
export interface Look {
  readonly facts: Facts;
  /** Null: nothing has been asked for. */
  readonly read: HeldBody | null;
}

/** How much larger than itself a body may be once its content codings are undone, for those who judge it. */
const EXPANSION = 8;

/**
 * Reads the body before the decision where a rule for this request reads it, and only there: any other upload is not asked
 * for before it is permitted. What leaves later is what the agent sent; its content codings are undone for the judges alone.
 */
export function look(
  request: AgentRequest,
  asked: Facts,
  { policy, decisionPoints }: Snapshot,
  services: Services,
): Look | Promise<Look> {
  if (
    asked.body.kind !== 'unread' ||
    !(readsBody(asked, policy) || (decisionPoints.body && mayBeAllowed(asked, policy)))
  )
    return { facts: asked, read: null };
  const facts = { ...asked, changedTools: services.tools.changed(asked.target.key) };
  return lookInside(request, facts, services.inspectBuffer);
}

/** A decision point hears of what the rules allow and of nothing else: other uploads are not asked for. */
function mayBeAllowed(asked: Facts, policy: Policy): boolean {
  return decide(asked, policy).kind === 'allow';
}

async function lookInside(request: AgentRequest, facts: Facts, limit: number): Promise<Look> {
  const { body } = request;
  if (body.length !== null && body.length > limit)
    return { facts: { ...facts, body: { kind: 'too-large', limit } }, read: null };
  request.answer.proceed();
  // However slowly it comes: what is judged is all of it.
  const read = await readWhole(body, limit, false);
  if (read.rest !== null) return { facts: { ...facts, body: { kind: 'too-large', limit } }, read };
  return { facts: { ...facts, body: await decoded(request, read, limit * EXPANSION) }, read };
}

async function decoded(request: AgentRequest, { pieces }: HeldBody, limit: number): Promise<BodyFacts> {
  const codings = contentCodings(request.fields.values('content-encoding'));
  if (codings === null) return { kind: 'unreadable', detail: 'its content coding is not one the gate can undo' };
  try {
    const bytes = await decodeContent(pieces, codings, limit);
    return { kind: 'whole', bytes, contentType: request.fields.values('content-type') };
  } catch (error) {
    if (!(error instanceof CodingError)) throw error;
    return error.tooLarge
      ? { kind: 'too-large', limit }
      : { kind: 'unreadable', detail: 'its content coding is damaged' };
  }
}

/**
 * Reads a body whole, up to `inspect.buffer`, before the first byte of it may leave. A longer one streams. Only a permitted
 * request is asked for its body, but for one that had to be judged by it: that was `read` already.
 */
export function hold(
  request: AgentRequest,
  read: HeldBody | null,
  { lease }: Reservation,
  exchange: Exchange,
  { inspectBuffer }: Services,
): HeldBody | Promise<HeldBody> {
  exchange.trace?.step('hold');
  const held = holdUnpaid(request, read, inspectBuffer);
  return lease === null ? held : paidFor(held, lease);
}

/** What is held is about to leave: it is counted first. */
async function paidFor(holding: HeldBody | Promise<HeldBody>, lease: Lease): Promise<HeldBody> {
  const held = await holding;
  await lease.upload(held.size);
  return held;
}

function holdUnpaid(request: AgentRequest, read: HeldBody | null, limit: number): HeldBody | Promise<HeldBody> {
  if (read !== null) return read;
  const { body } = request;
  const { length: announced, present } = body;
  if (!present) return mintHeldBody({ pieces: NONE, size: 0, rest: null, trailers: Fields.NONE, announced, present });
  request.answer.proceed();
  if (announced !== null && announced > limit) return stream(body, announced);
  return isConversation(request) ? stream(body, announced) : readWhole(body, limit, announced === null);
}

/** gRPC may answer the first message of a request before the second is sent: such a body is never whole in time. */
function isConversation(request: AgentRequest): boolean {
  if (request.protocol !== 'h2' || request.body.length !== null) return false;
  return request.fields.values('content-type').some((type) => type.toLowerCase().startsWith('application/grpc'));
}

function stream(rest: BodyStream, announced: number | null): HeldBody {
  return mintHeldBody({ pieces: NONE, size: 0, rest, trailers: Fields.NONE, announced, present: true });
}

/** A body of unknown length whose sender pauses this long, in milliseconds, is a stream: what has come goes on. */
const PAUSE = 100;

/** `mayPause`: a sender that pauses is taken for a stream. */
async function readWhole(body: BodyStream, limit: number, mayPause: boolean): Promise<HeldBody> {
  const { length: announced, present } = body;
  const pieces: Buffer[] = [];
  let size = 0;
  while (size <= limit) {
    const reading = body.read();
    const bytes = mayPause ? await unlessPaused(reading, PAUSE) : await reading;
    if (bytes === PAUSED) {
      const rest = resumed(body, reading);
      return mintHeldBody({ pieces, size, rest, trailers: Fields.NONE, announced, present });
    }
    if (bytes === null) {
      const { trailers } = body;
      return mintHeldBody({ pieces: joined(pieces, size), size, rest: null, trailers, announced, present });
    }
    pieces.push(bytes);
    size += bytes.length;
  }
  return mintHeldBody({ pieces, size, rest: body, trailers: Fields.NONE, announced, present });
}

/** The same body, with a piece that is already being read before what follows it. */
function resumed(body: BodyStream, reading: Promise<Buffer | null>): BodyStream {
  let first: Promise<Buffer | null> | null = reading;
  // Whoever reads on hears of a failure; until then it is not unheard.
  reading.catch(() => undefined);
  return {
    length: body.length,
    present: body.present,
    get finished() {
      return body.finished;
    },
    get trailers() {
      return body.trailers;
    },
    read: () => {
      const next = first ?? body.read();
      first = null;
      return next;
    },
  };
}

/** Small bodies become one buffer: one scan, one write. */
function joined(pieces: readonly Buffer[], size: number): readonly Buffer[] {
  return pieces.length > 1 && size <= 64 * 1024 ? [Buffer.concat(pieces, size)] : pieces;
}

function mintHeldBody(parts: Omit<HeldBody, typeof held>): HeldBody {
  return parts as HeldBody;
}
