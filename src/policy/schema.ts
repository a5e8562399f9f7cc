import { z } from 'zod';
import { MODES } from '../model/mode.ts';
import { REASON_CODES, type Reason } from '../model/reason.ts';
import { detector, scan } from './scan-schema.ts';

/**
 * The rules language as one schema: types, load-time validation and the reference page all come from here (POLICY.md).
 * Keys whose enforcement has not been built are in `LATER`: they parse, so that files stay portable, and are refused when
 * used, so that nobody believes to be protected.
 */

const scalar = z.union([z.string(), z.number()]);

const predicateMap = z.strictObject({
  equals: scalar.optional().describe('The value is exactly this.'),
  'one-of': z.array(scalar).min(1).optional().describe('The value is one of these.'),
  glob: z.string().optional().describe('The whole value matches; `*` stands for any run of characters.'),
  matches: z.string().optional().describe('The whole value matches this RE2 expression (linear time).'),
  minimum: z.number().optional().describe('The value is a number, at least this.'),
  maximum: z.number().optional().describe('The value is a number, at most this.'),
  'max-length': z.int().min(0).optional().describe('The value has at most this many characters.'),
  type: z.enum(['string', 'number', 'integer', 'boolean']).optional().describe('The value reads as this type.'),
  absent: z.literal(true).optional().describe('The name must not occur.'),
  optional: z.literal(true).optional().describe('The name may be missing; if it occurs, the predicate must hold.'),
});

export const predicate = z
  .union([scalar, predicateMap])
  .describe('A predicate: a map of tests that must all hold, or a plain value, short for `equals`.');

const fieldMap = z.record(z.string(), z.union([predicate, z.boolean()]));

const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'a name is 1 to 100 letters, digits, dots, dashes and underscores, the first a letter or digit',
  );
const oneOrMore = <T extends z.ZodType>(item: T) => z.array(item).min(1);

const limit = z.union([z.string(), z.number(), oneOrMore(z.union([z.string(), z.number()]))]);
export const limits = z.strictObject({
  requests: limit.optional().describe('Requests, as `600/minute`, `10/5m`; several windows as a list.'),
  upload: limit.optional().describe('Body bytes sent to upstreams, as `20 MiB/hour`.'),
  download: limit.optional().describe('Body bytes received from upstreams, as `1 GiB/day`.'),
  'novel-upload': limit
    .optional()
    .describe('Bytes sent to upstreams that the session had neither sent nor received before, as `64 KiB/hour`.'),
  concurrency: limit.optional().describe('Exchanges under way at once, as `32`.'),
  hosts: limit.optional().describe('Different targets, as `20/hour`.'),
  tokens: limit.optional().describe('Tokens of model APIs, as `200k/day`, counted from their own answers.'),
  session: z.string().optional().describe('How long a session may last, as `5m`; for agents and `defaults`.'),
});

const threshold = z.union([z.string(), z.number()]);
export const quarantineMap = z.strictObject({
  denials: threshold.optional().describe('Requests refused for what they ask, as `20/minute`.'),
  findings: threshold
    .optional()
    .describe('Findings of the scanner, as `3/hour`; a number such as `1` is within a day.'),
  'unknown-hosts': threshold.optional().describe('Different hosts that were refused, as `10/minute`.'),
  for: z.string().optional().describe('How long it lasts unless somebody revives the agent; default `30m`.'),
  do: z
    .enum(['kill-session', 'halt-agent', 'observe→enforce', 'observe->enforce'])
    .optional()
    .describe(
      'What the gate does by itself: halt the session, halt the agent (the default), or hold an agent that is observed or warned to its rules.',
    ),
});
const quarantine = z.union([z.literal('off'), quarantineMap]);
const jsonScalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const jsonPredicateMap = predicateMap.extend({
  equals: jsonScalar.optional().describe('The value is exactly this, of this type; numbers are compared exactly.'),
  'one-of': z.array(jsonScalar).min(1).optional().describe('The value is one of these.'),
  type: z
    .enum(['string', 'number', 'integer', 'boolean', 'null', 'object', 'array'])
    .optional()
    .describe('The value is of this type.'),
});

const jsonPredicate = z.union([jsonScalar, jsonPredicateMap]);

/** JSON Pointer → predicate, beside `closed`. */
const jsonFields = z.record(z.string(), jsonPredicate);

const filePredicate = z.strictObject({
  file: oneOrMore(
    z.string().regex(/^[a-z0-9.+-]+\/(?:\*|[a-z0-9.+-]+)$/, 'a media type such as image/png or image/*'),
  ).describe('The part is a file of one of these media types; bytes that show another type are refused.'),
  'max-size': z.union([z.string(), z.number()]).optional().describe('Largest file, as `1 MiB`.'),
  optional: z.literal(true).optional().describe('The file may be missing.'),
});

export const body = z.strictObject({
  json: jsonFields
    .optional()
    .describe(
      'JSON Pointer → predicate; `*` stands for every element or member. `closed: true` denies members not listed.',
    ),
  form: fieldMap
    .optional()
    .describe('Field of a urlencoded form → predicate; `closed: true` denies fields not listed.'),
  multipart: z
    .record(z.string(), z.union([predicate, z.boolean(), filePredicate]))
    .optional()
    .describe(
      'Part of a multipart form → predicate on its text, or `{ file: [media types] }`; `closed: true` as above.',
    ),
});

export const graphql = z.strictObject({
  operations: z
    .array(z.enum(['query', 'mutation', 'subscription']))
    .min(1)
    .optional()
    .describe('Kinds of operation; left out: any.'),
  fields: oneOrMore(z.string())
    .optional()
    .describe('Paths of fields such as `repository.issues`, which open what is below them; left out: any.'),
  'max-depth': z.int().min(1).optional().describe('Deepest nesting of fields.'),
  persisted: oneOrMore(z.string().regex(/^[0-9a-fA-F]{64}$/, 'a SHA-256 in hex'))
    .optional()
    .describe('SHA-256 of stored queries that may be asked for without their text.'),
});

const argumentsMap = z.record(z.string(), jsonFields);

export const jsonrpc = z.strictObject({
  methods: oneOrMore(z.string()).describe('Methods that may be called; `*` stands for any run of characters.'),
  arguments: argumentsMap.optional().describe('Method → JSON Pointers into its `params` with predicates.'),
});

export const mcp = z.strictObject({
  tools: oneOrMore(z.string()).optional().describe('Tools that may be called, and are shown; `*` as in globs.'),
  arguments: argumentsMap.optional().describe('Tool → JSON Pointers into its arguments with predicates.'),
  resources: oneOrMore(z.string()).optional().describe('URIs of resources that may be read; `*` as in globs.'),
  prompts: oneOrMore(z.string()).optional().describe('Prompts that may be fetched; `*` as in globs.'),
  methods: oneOrMore(z.string())
    .optional()
    .describe('Further methods of the protocol; those every client needs are always allowed.'),
});

export const endpointMap = z.strictObject({
  scheme: z
    .enum(['https', 'http', 'tcp'])
    .optional()
    .describe('Default https. `tcp` is an opaque tunnel: nothing inside it is inspected.'),
  host: z
    .string()
    .describe('Exact host, `*.example.com` (one label), `**.example.com` (one or more), `**` (any name).'),
  port: z.int().min(1).max(65535).optional().describe("Default: the scheme's own. A rule for 443 does not allow 8443."),
  methods: oneOrMore(z.string()).optional().describe('Methods, upper case; left out or `*`: any.'),
  paths: oneOrMore(z.string()).optional().describe('Path patterns; left out: any path.'),
  'paths-raw': z
    .boolean()
    .optional()
    .describe('Match and send the path as it came, dot segments and encoded slashes included.'),
  query: fieldMap.optional().describe('Parameter name → predicate; `closed: true` denies names not listed.'),
  headers: fieldMap.optional().describe('Header name → predicate; `closed: true` denies names not listed.'),
  body: body.optional().describe('Predicates on the body: one of `json`, `form` and `multipart`.'),
  graphql: graphql.optional().describe('What GraphQL requests may ask for, by POST and GET.'),
  jsonrpc: jsonrpc.optional().describe('Methods of JSON-RPC 2.0 that may be called.'),
  mcp: mcp.optional().describe('What of an MCP server may be used (streamable HTTP and the older SSE transport).'),
  websocket: z
    .strictObject({
      messages: z.string().optional().describe('Messages in each direction, as `600/minute`; left out: any number.'),
      max: z.union([z.string(), z.number()]).optional().describe('Longest message, as `1 MiB`, which is the default.'),
    })
    .optional()
    .describe('Requests may become WebSockets, within these bounds (`{}`: the defaults). Without it none may.'),
  intercept: z
    .boolean()
    .optional()
    .describe(
      '`false`: TLS passes through undecrypted, for clients that pin certificates. Host and port are all that is judged.',
    ),
});

const endpoint = z
  .union([z.string(), endpointMap])
  .describe('Short form `METHODS scheme://host[:port][/path]`, or the long form as a map.');

const grantMap = z.strictObject({
  use: name.describe('Name of the capability.'),
  with: z.record(z.string(), z.string()).optional().describe('Values for its parameters.'),
  mode: z.enum(MODES).optional().describe("Overrides the agent's mode for this capability."),
});
const grant = z.union([name, grantMap]);

const identity = z.strictObject({
  token: z
    .union([z.string(), oneOrMore(z.string())])
    .optional()
    .describe(
      '`sha256:` and the hex SHA-256 of the token (`sallyport agent token NAME` makes one); a list while rotating.',
    ),
  certificate: z
    .string()
    .optional()
    .describe(
      'SPIFFE id, or subject as `CN=name, O=company`, of a client certificate (`listen.https`, `listen.client-ca`).',
    ),
  networks: oneOrMore(z.string()).optional().describe('Source addresses or ranges that are this agent.'),
});

export const agent = z.strictObject({
  description: z.string().optional().describe('What the agent does.'),
  owner: z.string().optional().describe('Who answers for it.'),
  tenant: name.optional().describe('Counters, labels and sessions never cross tenants.'),
  identity: identity.describe('Any one of these proves who is calling.'),
  mode: z.enum(MODES).optional().describe('How far decisions are enforced; default that of `defaults`, else enforce.'),
  capabilities: z.array(grant).optional().describe('Capabilities the agent is granted.'),
  allow: z.array(endpoint).optional().describe('Endpoints only this agent may use.'),
  deny: z.array(endpoint).optional().describe('Endpoints refused whatever else allows them.'),
  networks: z
    .array(name)
    .optional()
    .describe('Named address ranges its endpoints may reach although they are forbidden by default.'),
  sessions: z.literal('required').optional().describe('`required`: the agent is let in with a session only.'),
  limits: limits.optional().describe('Limits of this agent; a kind that is left out is that of `defaults`.'),
  quarantine: quarantine
    .optional()
    .describe('When the gate contains the agent by itself; what is left out is that of `defaults`. `off`: never.'),
  scan: scan.optional().describe('Scan profile.'),
});

const parameter = z.strictObject({
  type: z
    .enum(['origin', 'host'])
    .describe('`origin`: a host or URL with an optional path prefix; `host`: a host name.'),
  description: z.string().optional(),
  default: z.string().optional().describe('Used when `with` leaves the parameter out.'),
});

export const capability = z.strictObject({
  description: z.string().optional().describe('What it lets an agent do.'),
  risk: z.enum(['low', 'medium', 'high']).optional().describe('For people; nothing follows from it yet.'),
  parameters: z
    .record(name, parameter)
    .optional()
    .describe('Values that a grant fills in with `with`; `${name}` in endpoints.'),
  endpoints: oneOrMore(endpoint).describe('What it reaches.'),
  mode: z.enum(MODES).optional().describe("Overrides the agent's mode for requests to these endpoints."),
  networks: z
    .array(name)
    .optional()
    .describe('Named address ranges its endpoints may reach although they are forbidden by default.'),
  audit: z
    .enum(['metadata', 'transcript'])
    .optional()
    .describe(
      'What is kept: metadata (the default), or also what is said, heads and bodies, encrypted to `audit.transcript.recipients`.',
    ),
  limits: limits.optional().describe('Limits of each agent in what it does by this capability.'),
  approval: z.record(z.string(), z.unknown()).optional().describe('Who must approve a request.'),
  credential: name.optional().describe('Credential the gate injects.'),
  scan: scan.optional().describe('Scan profile.'),
  reads: z.array(name).optional().describe('Labels a delivered response puts on the session.'),
  'cleared-for': z.array(name).optional().describe('Labels that may flow to this destination.'),
});

export const defaults = z.strictObject({
  mode: z.enum(MODES).optional().describe('Mode of agents that name none; default enforce.'),
  deny: z.array(endpoint).optional().describe('Endpoints refused to every agent.'),
  limits: limits.optional().describe('Limits of every agent that names none of that kind.'),
  quarantine: quarantine.optional().describe('When the gate contains an agent by itself.'),
  scan: scan.optional().describe('Scan profile.'),
});

export const tenant = z.strictObject({
  description: z.string().optional().describe('Who it is.'),
  limits: limits.optional().describe('Limits of all its agents together.'),
});

export const ruleTest = z.strictObject({
  name: z.string().min(1).describe('What must hold, as a sentence.'),
  agent: name.optional().describe('The agent that asks.'),
  capability: name.optional().describe('In place of an agent: one is made up that is granted this and nothing else.'),
  with: z.record(z.string(), z.string()).optional().describe('Values for the parameters of the capability.'),
  request: z
    .union([z.string(), oneOrMore(z.string())])
    .describe('`METHOD URL`, or several of which the same is expected.'),
  headers: z.record(z.string(), z.string()).optional().describe('Header fields.'),
  json: z.unknown().optional().describe('JSON body.'),
  form: z.record(z.string(), z.string()).optional().describe('Urlencoded body.'),
  body: z.string().optional().describe('Body as text; say its `Content-Type` among the headers.'),
  expect: z
    .union([
      z.enum(['allow', 'deny']),
      z.strictObject({
        decision: z.enum(['allow', 'deny']),
        reason: z
          .enum(REASON_CODES as [Reason, ...Reason[]])
          .optional()
          .describe('Reason of the denial.'),
        capability: name.optional().describe('The capability that decides.'),
      }),
    ])
    .describe('`allow`, `deny`, or a map of `decision`, `reason` and `capability`.'),
});

const anyMap = z.record(z.string(), z.unknown());

export const rulesFile = z.strictObject({
  version: z.literal(1).describe('Version of the rules language.'),
  defaults: defaults.optional().describe('Holds for every agent; may stand in one file only.'),
  agents: z.record(name, agent).optional().describe('Agents by name.'),
  capabilities: z.record(name, capability).optional().describe('Capabilities by name.'),
  tenants: z.record(name, tenant).optional().describe('Tenants by name; agents name theirs with `tenant`.'),
  networks: z.record(name, oneOrMore(z.string())).optional().describe('Named address ranges.'),
  credentials: anyMap.optional().describe('Credentials the gate injects.'),
  detectors: z
    .record(name, detector)
    .optional()
    .describe('Detectors of your own, beside those that ship or in place of one.'),
  labels: anyMap.optional().describe('Labels for data flow.'),
  approvers: anyMap.optional().describe('People who may approve.'),
  inference: anyMap.optional().describe('Model API settings.'),
  tests: z.array(ruleTest).optional().describe('Tests of the rules, run by `sallyport test`; nothing else reads them.'),
});

export type RulesFile = z.infer<typeof rulesFile>;
export type AgentSpec = z.infer<typeof agent>;
export type CapabilitySpec = z.infer<typeof capability>;
export type EndpointSpec = z.infer<typeof endpoint>;
export type EndpointMap = z.infer<typeof endpointMap>;
export type GrantSpec = z.infer<typeof grant>;
export type PredicateSpec = z.infer<typeof predicate>;
export type FieldMapSpec = z.infer<typeof fieldMap>;
export type LimitsSpec = z.infer<typeof limits>;
export type QuarantineSpec = z.infer<typeof quarantine>;
export type TenantSpec = z.infer<typeof tenant>;
export type TestSpec = z.infer<typeof ruleTest>;
export type BodySpec = z.infer<typeof body>;
export type FilePredicateSpec = z.infer<typeof filePredicate>;
export type JsonFieldsSpec = z.infer<typeof jsonFields>;
export type JsonPredicateSpec = z.infer<typeof jsonPredicate>;
export type GraphqlSpec = z.infer<typeof graphql>;
export type RpcSpec = z.infer<typeof jsonrpc>;
export type McpSpec = z.infer<typeof mcp>;

/** Keys that parse but are refused when used, by where they stand. */
export const LATER = {
  file: ['credentials', 'labels', 'approvers', 'inference'],
  defaults: [],
  identity: [],
  agent: [],
  /** Sessions are an agent's. */
  groupLimits: ['session'],
  capability: ['approval', 'credential', 'reads', 'cleared-for'],
} as const;
