import { z } from 'zod';
import type { BodyFacts } from '../model/facts.ts';
import { JsonError, parseJson } from '../model/json.ts';
import type { DecisionPoints, Question } from './decision-point.ts';

const texts = z.array(z.string());

/** What a decision point is told, as a schema: docs/reference/decision-input.schema.json comes from here. */
export const decisionInput = z.strictObject({
  version: z.literal(1).describe('Version of this input; members may be added without a new one.'),
  agent: z.string().describe('The agent that asks; its identity has been proved.'),
  source: z.string().describe('Address it calls from; `unix` for a Unix socket.'),
  scheme: z.enum(['https', 'http', 'tcp']).describe('`tcp` is a tunnel whose bytes nobody reads.'),
  host: z.string().describe('Canonical host: lower case, punycode, addresses in their shortest form.'),
  port: z.int().describe('Port, always said.'),
  method: z.string().describe('Method; CONNECT for a tunnel that passes unread.'),
  websocket: z.boolean().describe('The request asks to become a WebSocket.'),
  path: z.string().describe('The path that goes upstream, in its canonical form unless the rule takes it raw.'),
  segments: texts.describe('The path split at its slashes, the first one left out.'),
  query: z.string().nullable().describe('The query as sent, without its question mark.'),
  parameters: z.record(z.string(), texts).describe('Decoded parameters of the query, each with all its values.'),
  headers: z
    .record(z.string(), texts)
    .describe('Fields named by `policy.input.headers`, names in lower case, each with all its values.'),
  body: z
    .strictObject({
      kind: z
        .enum(['none', 'unread', 'whole', 'unreadable', 'too-large'])
        .describe('`unread`: neither a rule nor `policy.input.body` asks for it.'),
      content_type: texts.optional().describe('Values of Content-Type.'),
      size: z.int().optional().describe('Bytes, its content codings undone.'),
      json: z.unknown().optional().describe('The body, where it is JSON with one reading (no repeated names).'),
      text: z.string().optional().describe('The body, where it is UTF-8 and not JSON.'),
      base64: z.string().optional().describe('The body, where it is neither.'),
    })
    .describe('The body, in one of three forms where it has been read.'),
  mode: z.enum(['observe', 'warn', 'enforce']).describe('Mode of the agent for this request.'),
  rule: z
    .strictObject({
      text: z.string(),
      file: z.string(),
      line: z.int(),
      capability: z.string().nullable(),
    })
    .describe('The rule that allows the request.'),
});

/** The text of the input for one allowed request. */
export function inputText({ facts, allowance }: Question, { headers }: DecisionPoints): string {
  const { target, query } = facts;
  const { rule, mode, obligations } = allowance;
  const path = obligations.rawPath ? facts.path.raw : (facts.path.canonical ?? facts.path.raw);
  const head = {
    version: 1,
    agent: facts.agent,
    source: facts.source,
    scheme: target.scheme,
    host: target.host.text,
    port: target.port,
    method: facts.method,
    websocket: facts.websocket,
    path,
    segments: path.slice(1).split('/'),
    query,
    parameters: parametersOf(query),
    headers: headersOf(facts.headers, headers),
    mode,
    rule: { text: rule.text, file: rule.place.file, line: rule.place.line, capability: rule.capability },
  } satisfies Omit<z.infer<typeof decisionInput>, 'body'>;
  return `${JSON.stringify(head).slice(0, -1)},"body":${bodyText(facts.body)}}`;
}

/** Collected in a map, for a name can be `__proto__`. */
function grouped(pairs: Iterable<readonly [string, string]>): Record<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const values = found.get(name);
    if (values === undefined) found.set(name, [value]);
    else values.push(value);
  }
  return Object.fromEntries(found);
}

function parametersOf(query: string | null): Record<string, string[]> {
  return query === null ? {} : grouped(new URLSearchParams(query));
}

function headersOf(fields: readonly string[], told: ReadonlySet<string>): Record<string, string[]> {
  const pairs: Array<[string, string]> = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] ?? '').toLowerCase();
    if (told.has(name)) pairs.push([name, fields[i + 1] ?? '']);
  }
  return grouped(pairs);
}

/** JSON goes in as it came, so that no number is rounded on the way. */
function bodyText(body: BodyFacts): string {
  if (body.kind !== 'whole') return JSON.stringify({ kind: body.kind });
  const { bytes, contentType } = body;
  const head = JSON.stringify({ kind: 'whole', content_type: contentType, size: bytes.length }).slice(0, -1);
  const text = utf8(bytes);
  if (text === null) return `${head},"base64":${JSON.stringify(bytes.toString('base64'))}}`;
  return isJson(text) ? `${head},"json":${text}}` : `${head},"text":${JSON.stringify(text)}}`;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(bytes: Buffer): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

function isJson(text: string): boolean {
  try {
    parseJson(text);
    return true;
  } catch (error) {
    if (error instanceof JsonError) return false;
    throw error;
  }
}

/** The JSON Schema of the input, as committed and as `sallyport schema --input` prints it. */
export function inputJsonSchemaText(): string {
  const schema = z.toJSONSchema(decisionInput, { target: 'draft-2020-12' });
  return `${JSON.stringify({ title: 'Input of a Sallyport decision point', ...schema }, null, 2)}\n`;
}
