import { END_TO_END, TO_UPSTREAM } from '../http1/fields.ts';
import { Denial } from '../model/denial.ts';
import type { Facts } from '../model/facts.ts';
import type { Finding } from '../model/finding.ts';
import { parseMediaType } from '../policy/content/text.ts';
import { CodingError, contentCodings, decodeContent, type Coding } from '../scan/content-decoder.ts';
import { joinedStrings, joinedTarget } from '../scan/joins.ts';
import { redact } from '../scan/redact.ts';
import { placeInBody, placeInFields, placeInTarget } from '../scan/where.ts';
import type { HeldBody } from './body.ts';
import type { Exchange } from './exchange.ts';
import { Inspection, type Part } from './inspection.ts';
import type { AgentRequest } from './message.ts';
import type { Permit } from './permit.ts';
import { ScannedStream } from './scanned-stream.ts';
import type { Services } from './services.ts';

declare const scanned: unique symbol;

/** Proof that what is about to leave has been looked at, or that its rules say it need not be. Made only here. */
export interface ScannedBody extends Omit<HeldBody, symbol> {
  /** Something was taken out of it: what was said of its bytes is not true of these. */
  readonly redacted: boolean;
  readonly [scanned]: true;
}

/** Bytes a body may decode to, for the scanner, beside its own length. */
const EXPANSION = 64;
const EXPANSION_FLOOR = 16 * 1024 * 1024;

/**
 * Looks at everything a request would carry out: path and query, header fields, the body, whatever it is encoded in. Throws
 * the denial where something is found that must not leave.
 */
export function scanRequest(
  request: AgentRequest,
  facts: Facts,
  body: HeldBody,
  permit: Permit,
  exchange: Exchange,
  services: Services,
): ScannedBody | Promise<ScannedBody> {
  const inspection = new Inspection(permit, exchange, services);
  exchange.unscanned = inspection.unscanned;
  if (inspection.off) {
    return mintScannedBody({ ...body, redacted: false });
  }
  const head = headOf(request, facts, permit);
  const codings = body.present ? (contentCodings(request.fields.values('content-encoding')) ?? []) : [];
  const done =
    codings.length === 0
      ? scanHeld(request, head, body, body.pieces, inspection)
      : scanCoded(request, head, body, codings, inspection);
  if (!(done instanceof Promise)) return finish(done, codings, inspection, services);
  return done.then((held) => finish(held, codings, inspection, services));
}

function finish(held: Held, codings: readonly Coding[], inspection: Inspection, services: Services): ScannedBody {
  const { body, redacted } = held;
  if (body.rest === null) {
    services.metrics.scanned(inspection.time / 1000);
    return mintScannedBody({ ...body, redacted });
  }
  const rest = new ScannedStream(body.rest, codings, inspection, body.pieces, services.metrics);
  return mintScannedBody({ ...body, pieces: [], size: 0, rest, redacted });
}

interface Held {
  readonly body: Omit<HeldBody, symbol>;
  readonly redacted: boolean;
}

/** One thing that leaves, and how what stands in it is told. */
interface Piece {
  readonly bytes: Buffer;
  readonly part: Part;
  /** It repeats what stands elsewhere, without what stands between. */
  readonly joined: boolean;
  readonly whereOf: (offset: number) => string;
}

const JSON_TYPE = 'application/json';
/** What no match goes across. */
const APART = Buffer.from('\n\0\n');

function headOf(request: AgentRequest, facts: Facts, permit: Permit): Piece[] {
  const path = permit.rawPath ? facts.path.raw : (facts.path.canonical ?? facts.path.raw);
  const target = facts.query === null ? path : `${path}?${facts.query}`;
  const pieces = [piece(target, 'target', (offset) => placeInTarget(target, offset))];
  const joined = joinedTarget(path, facts.query);
  if (joined !== null) pieces.push({ ...piece(joined, 'target', () => 'parts of the path or query'), joined: true });
  const lines = request.fields.text(TO_UPSTREAM.naming(request.connection));
  if (lines !== '') pieces.push(piece(lines, 'fields', (offset) => placeInFields(lines, offset)));
  return pieces;
}

function piece(text: string, part: Part, whereOf: Piece['whereOf']): Piece {
  return { bytes: Buffer.from(text, 'latin1'), part, joined: false, whereOf };
}

/** Scans all pieces in one go; returns what is to be taken out of the body. Throws the denial of what must not leave. */
function scanPieces(pieces: readonly Piece[], inspection: Inspection): readonly Finding[] {
  const scanner = inspection.take();
  const bytes = Buffer.concat(pieces.flatMap((each) => [each.bytes, APART]));
  const found = inspection.run(() => scanner.wholeBytes(bytes));
  inspection.give(scanner);
  if (found.length === 0) return found;
  const findings = [...found].sort((a, b) => a.offset - b.offset);
  const redactions: Finding[] = [];
  let from = 0;
  for (const { bytes: own, part, joined, whereOf } of pieces) {
    const to = from + own.length;
    const here = findings.filter(({ offset }) => offset >= from && offset < to);
    // What is found as it stands is not told of again where it stands joined to something else.
    const news = joined
      ? here.filter(({ detector }) => !findings.some((each) => each.detector === detector && each.offset < from))
      : here;
    const placed = news.map((each) => ({ ...each, offset: each.offset - from }));
    redactions.push(...inspection.judge(placed, 'to-upstream', part, whereOf));
    from = to + APART.length;
  }
  return redactions;
}

/** Scans a request of which all that is held is at hand; what still streams is scanned on its way. */
function scanHeld(
  request: AgentRequest,
  head: readonly Piece[],
  body: HeldBody,
  pieces: readonly Buffer[],
  inspection: Inspection,
): Held {
  if (body.rest !== null || body.size === 0) {
    scanPieces(head, inspection);
    return { body, redacted: false };
  }
  const whole = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  const mediaType = mediaTypeOf(request);
  const json = mediaType !== null && /[/+]json$/.test(mediaType);
  const whereOf = (offset: number): string => placeInBody(whole, offset, mediaType);
  const all = [...head, { bytes: whole, part: 'body', joined: false, whereOf } as const];
  const joined = json ? joinedStrings(whole) : null;
  if (joined !== null) all.push({ bytes: joined, part: 'fields', joined: true, whereOf: () => 'parts of the body' });
  if (body.trailers.size > 0) {
    const lines = body.trailers.text(END_TO_END);
    all.push(piece(lines, 'fields', (offset) => placeInFields(lines, offset)));
  }
  const redactions = scanPieces(all, inspection);
  if (redactions.length === 0) return { body, redacted: false };
  const clean = redact(whole, redactions, json);
  if (clean !== null) return { body: { ...body, pieces: [clean], size: clean.length }, redacted: true };
  const [first] = redactions as [Finding];
  inspection.refuse(first, whereOf(first.offset));
  return { body, redacted: false };
}

function mediaTypeOf(request: AgentRequest): string | null {
  const values = request.fields.values('content-type');
  // Most say just this, and need no parsing.
  return values.length === 1 && values[0] === JSON_TYPE ? JSON_TYPE : (parseMediaType(values)?.essence ?? null);
}

/** The same for a body under content codings: what was redacted leaves without them. */
async function scanCoded(
  request: AgentRequest,
  head: readonly Piece[],
  body: HeldBody,
  codings: readonly Coding[],
  inspection: Inspection,
): Promise<Held> {
  if (body.rest !== null || body.size === 0) return scanHeld(request, head, body, [], inspection);
  const decoded = await decodedOf(body, codings);
  const held = scanHeld(request, head, { ...body, size: decoded.length }, [decoded], inspection);
  return held.redacted ? held : { body, redacted: false };
}

async function decodedOf(body: HeldBody, codings: readonly Coding[]): Promise<Buffer> {
  try {
    return await decodeContent(body.pieces, codings, body.size * EXPANSION + EXPANSION_FLOOR);
  } catch (error) {
    if (!(error instanceof CodingError)) throw error;
    if (error.tooLarge) throw new Denial('scan-budget', 'the body decodes to more than is looked at', { cause: error });
    throw new Denial('request-malformed', 'the content coding of the body is damaged', { cause: error });
  }
}

function mintScannedBody(parts: Omit<ScannedBody, typeof scanned>): ScannedBody {
  return parts as ScannedBody;
}
