import type { Fields } from '../http1/fields.ts';
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
import { Inspection } from './inspection.ts';
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
  scanHead(request, facts, permit, inspection);
  const codings = body.present ? (contentCodings(request.fields.values('content-encoding')) ?? []) : [];
  const done =
    codings.length === 0
      ? scanHeld(request, body, body.pieces, inspection)
      : scanCoded(request, body, codings, inspection);
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

function scanHead(request: AgentRequest, facts: Facts, permit: Permit, inspection: Inspection): void {
  const scanner = inspection.take();
  const path = permit.rawPath ? facts.path.raw : (facts.path.canonical ?? facts.path.raw);
  const target = facts.query === null ? path : `${path}?${facts.query}`;
  inspection.judge(scan(target, scanner, inspection), 'to-upstream', 'target', (offset) =>
    placeInTarget(target, offset),
  );
  const joined = joinedTarget(path, facts.query);
  if (joined !== null)
    inspection.judge(scan(joined, scanner, inspection), 'to-upstream', 'target', () => 'parts of the path or query');
  scanFields(request.fields, request.connection, scanner, inspection);
  inspection.give(scanner);
}

function scanFields(
  fields: Fields,
  connection: readonly string[],
  scanner: ReturnType<Inspection['take']>,
  inspection: Inspection,
): void {
  const lines = fields.text(TO_UPSTREAM.naming(connection));
  if (lines === '') return;
  inspection.judge(scan(lines, scanner, inspection), 'to-upstream', 'fields', (offset) => placeInFields(lines, offset));
}

function scan(text: string, scanner: ReturnType<Inspection['take']>, inspection: Inspection): readonly Finding[] {
  return inspection.run(() => scanner.whole(text));
}

/** Scans a body of which all that is held is at hand; what still streams is scanned on its way. */
function scanHeld(request: AgentRequest, body: HeldBody, pieces: readonly Buffer[], inspection: Inspection): Held {
  if (body.rest !== null || body.size === 0) return { body, redacted: false };
  const whole = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  const mediaType = parseMediaType(request.fields.values('content-type'))?.essence ?? null;
  const scanner = inspection.take();
  const where = (offset: number): string => placeInBody(whole, offset, mediaType);
  const findings = inspection.run(() => scanner.wholeBytes(whole));
  const redactions = inspection.judge(findings, 'to-upstream', 'body', where);
  const json = mediaType !== null && /[/+]json$/.test(mediaType);
  const joined = json ? joinedStrings(whole) : null;
  if (joined !== null)
    inspection.judge(
      inspection
        .run(() => scanner.wholeBytes(joined))
        .filter(({ detector }) => !findings.some((each) => each.detector === detector)),
      'to-upstream',
      'fields',
      () => 'parts of the body',
    );
  if (body.trailers.size > 0) {
    const lines = body.trailers.text(END_TO_END);
    inspection.judge(scan(lines, scanner, inspection), 'to-upstream', 'fields', (offset) =>
      placeInFields(lines, offset),
    );
  }
  inspection.give(scanner);
  if (redactions.length === 0) return { body, redacted: false };
  const clean = redact(whole, redactions, json);
  if (clean !== null) return { body: { ...body, pieces: [clean], size: clean.length }, redacted: true };
  const [first] = redactions as [Finding];
  inspection.refuse(first, where(first.offset));
  return { body, redacted: false };
}

/** The same for a body under content codings: what was redacted leaves without them. */
async function scanCoded(
  request: AgentRequest,
  body: HeldBody,
  codings: readonly Coding[],
  inspection: Inspection,
): Promise<Held> {
  if (body.rest !== null || body.size === 0) return { body, redacted: false };
  const decoded = await decodedOf(body, codings);
  const held = scanHeld(request, { ...body, size: decoded.length }, [decoded], inspection);
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
