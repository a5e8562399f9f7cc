import { Fields } from '../http1/fields.ts';
import type { AgentRequest, BodyStream } from './message.ts';
import type { Permit } from './permit.ts';

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

/**
 * Reads a body whole, up to `limit` bytes, before the first byte of it may leave. A longer one streams. Only a permitted
 * request is asked for its body: a denied upload never sends it.
 */
export function hold(request: AgentRequest, _permit: Permit, limit: number): HeldBody | Promise<HeldBody> {
  const { body } = request;
  const { length: announced, present } = body;
  if (!present) return mintHeldBody({ pieces: NONE, size: 0, rest: null, trailers: Fields.NONE, announced, present });
  request.answer.proceed();
  if (announced !== null && announced > limit) return stream(body, announced);
  return isConversation(request) ? stream(body, announced) : readWhole(body, limit);
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

async function readWhole(body: BodyStream, limit: number): Promise<HeldBody> {
  const { length: announced, present } = body;
  const pieces: Buffer[] = [];
  let size = 0;
  while (size <= limit) {
    const reading = body.read();
    const bytes = announced === null ? await unlessPaused(reading) : await reading;
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

const PAUSED: unique symbol = Symbol('paused');

async function unlessPaused(reading: Promise<Buffer | null>): Promise<Buffer | null | typeof PAUSED> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<typeof PAUSED>((resolve) => (timer = setTimeout(() => resolve(PAUSED), PAUSE)));
  try {
    return await Promise.race([reading, pause]);
  } finally {
    clearTimeout(timer);
  }
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
