import type { AgentRequest, BodyStream } from './message.ts';
import type { Permit } from './permit.ts';

declare const held: unique symbol;

/** Proof that as much of a body as is to be judged has been read. Made only here. */
export interface HeldBody {
  readonly pieces: readonly Buffer[];
  readonly size: number;
  /** The rest, which streams; null when the pieces are all of it. */
  readonly rest: BodyStream | null;
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
  if (!present) return mintHeldBody({ pieces: NONE, size: 0, rest: null, announced, present });
  request.answer.proceed();
  if (announced !== null && announced > limit)
    return mintHeldBody({ pieces: NONE, size: 0, rest: body, announced, present });
  return readWhole(body, limit);
}

async function readWhole(body: BodyStream, limit: number): Promise<HeldBody> {
  const { length: announced, present } = body;
  const pieces: Buffer[] = [];
  let size = 0;
  while (size <= limit) {
    const bytes = await body.read();
    if (bytes === null) return mintHeldBody({ pieces: joined(pieces, size), size, rest: null, announced, present });
    pieces.push(bytes);
    size += bytes.length;
  }
  return mintHeldBody({ pieces, size, rest: body, announced, present });
}

/** Small bodies become one buffer: one scan, one write. */
function joined(pieces: readonly Buffer[], size: number): readonly Buffer[] {
  return pieces.length > 1 && size <= 64 * 1024 ? [Buffer.concat(pieces, size)] : pieces;
}

function mintHeldBody(parts: Omit<HeldBody, typeof held>): HeldBody {
  return parts as HeldBody;
}
