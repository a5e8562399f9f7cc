import { describe, expect, it } from 'vitest';

import { HASH, loadFiles, problemsOf } from '../../support/policy.ts';

const AGENT = `agents:\n  bot:\n    identity: { token: "sha256:${HASH}" }\n`;

/** Broken files and exactly what `check` says of them. */
const GALLERY: Record<string, [text: string, ...problems: string[]]> = {
  'no version': [
    'agents: {}\n',
    'a.yaml:1:1: error: "version" is missing\n    1 | agents: {}\n      | ^^^^^^^^^^\n  hint: every rule file starts with "version: 1"',
  ],
  'another version': [
    'version: 2\n',
    'a.yaml:1:10: error: "version" must be 1\n    1 | version: 2\n      |          ^\n  hint: every rule file starts with "version: 1"',
  ],
  'an unknown key at the top': [
    'version: 1\nagentz: {}\n',
    'a.yaml:2:1: error: unknown key "agentz"\n    2 | agentz: {}\n      | ^^^^^^\n  hint: did you mean "agents"?',
  ],
  'an unknown key of an agent': [
    `version: 1\n${AGENT}    alow: []\n`,
    'a.yaml:5:5: error: unknown key "alow"\n    5 |     alow: []\n      |     ^^^^\n  hint: did you mean "allow"?',
  ],
  'an unknown key of an endpoint': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, metods: [GET] }\n`,
    'a.yaml:6:25: error: unknown key "metods"\n    6 |       - { host: a.test, metods: [GET] }\n      |                         ^^^^^^\n  hint: did you mean "methods"?',
  ],
  'text for a list': [
    `version: 1\n${AGENT}    allow: GET https://a.test\n`,
    'a.yaml:5:12: error: "allow" must be a list\n    5 |     allow: GET https://a.test\n      |            ^^^^^^^^^^^^^^^^^^\n  hint: write a list: [a, b], or one "- a" a line',
  ],
  'an unknown mode': [
    `version: 1\n${AGENT}    mode: enforced\n`,
    'a.yaml:5:11: error: "mode" must be one of observe, warn, enforce\n    5 |     mode: enforced\n      |           ^^^^^^^^\n  hint: known here: observe, warn, enforce',
  ],
  'an agent without identity': [
    'version: 1\nagents:\n  bot: {}\n',
    'a.yaml:3:8: error: "identity" is missing\n    3 |   bot: {}\n      |        ^^',
  ],
  'an empty identity': [
    'version: 1\nagents:\n  bot:\n    identity: {}\n',
    'a.yaml:4:15: error: agent "bot" has no identity\n    4 |     identity: {}\n      |               ^^\n  hint: name a token or networks: without one nobody can be this agent',
  ],
  'a token in clear': [
    'version: 1\nagents:\n  bot:\n    identity: { token: hunter2 }\n',
    'a.yaml:4:24: error: the token is not "sha256:" and 64 hex digits\n    4 |     identity: { token: hunter2 }\n      |                        ^^^^^^^\n  hint: `sallyport agent token bot` prints a token and the line that belongs here',
  ],
  'an unknown capability': [
    `version: 1\n${AGENT}    capabilities: [githb.read]\ncapabilities:\n  github.read: { endpoints: ["GET https://a.test/"] }\n`,
    'a.yaml:5:20: error: no capability "githb.read" is defined\n    5 |     capabilities: [githb.read]\n      |                    ^^^^^^^^^^\n  hint: did you mean "github.read"?',
  ],
  'a missing parameter': [
    `version: 1\n${AGENT}    capabilities: [p]\ncapabilities:\n  p: { parameters: { registry: { type: origin } }, endpoints: ["GET \${registry}/**"] }\n`,
    'a.yaml:5:20: error: p: the parameter "registry" is missing\n    5 |     capabilities: [p]\n      |                    ^\n  hint: write { use: …, with: { registry: … } }',
  ],
  'an endpoint that is none': [
    `version: 1\n${AGENT}    allow: [a.test]\n`,
    'a.yaml:5:13: error: "a.test" is not an endpoint\n    5 |     allow: [a.test]\n      |             ^^^^^^\n  hint: the short form is "METHODS scheme://host[:port][/path]", for example "GET https://api.example.com/v1/**"',
  ],
  'a method in lower case': [
    `version: 1\n${AGENT}    allow: ["get https://a.test/"]\n`,
    'a.yaml:5:13: error: the method "get" is not upper case\n    5 |     allow: ["get https://a.test/"]\n      |             ^^^^^^^^^^^^^^^^^^^^^\n  hint: methods are case-sensitive: write "GET"',
  ],
  'a scheme nobody carries': [
    `version: 1\n${AGENT}    allow: ["GET ftp://a.test/"]\n`,
    'a.yaml:5:13: error: "ftp" is not a scheme the gate carries\n    5 |     allow: ["GET ftp://a.test/"]\n      |             ^^^^^^^^^^^^^^^^^^^\n  hint: known here: https, http, tcp',
  ],
  'a wildcard within a host': [
    `version: 1\n${AGENT}    allow: ["GET https://api-*.test/"]\n`,
    'a.yaml:5:13: error: "api-*.test" has a wildcard that is not a whole leading label\n    5 |     allow: ["GET https://api-*.test/"]\n      |             ^^^^^^^^^^^^^^^^^^^^^^^^^\n  hint: only "*.example.com" and "**.example.com" exist',
  ],
  'a path that cannot match': [
    `version: 1\n${AGENT}    allow: ["GET https://a.test/a/../b"]\n`,
    'a.yaml:5:13: error: the path "/a/../b" can never match: a dot segment\n    5 |     allow: ["GET https://a.test/a/../b"]\n      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  hint: write the path in its plain form, or set paths-raw: true',
  ],
  'an expression that is not RE2': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, query: { q: { matches: "(?=x)" } } }\n`,
    'a.yaml:6:9: error: the expression for "q" in query is not RE2: error parsing regexp: invalid or unsupported Perl syntax: `(?=`\n    6 |       - { host: a.test, query: { q: { matches: "(?=x)" } } }\n      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  hint: no back-references and no look-around',
  ],
  'a session that lasts no time': [
    `version: 1\n${AGENT}    limits: { session: soon }\n`,
    'a.yaml:5:24: error: "soon" is not how long a session lasts\n    5 |     limits: { session: soon }\n      |                        ^^^^\n  hint: write a duration such as 5m, of a second at least',
  ],
  'a pointer that is none': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { json: { a: x } } }\n`,
    'a.yaml:6:41: error: "a" is not a JSON Pointer: it starts with "/"\n    6 |       - { host: a.test, body: { json: { a: x } } }\n      |                                         ^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'a key that a body does not have': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { jsno: { /a: x } } }\n`,
    'a.yaml:6:33: error: unknown key "jsno"\n    6 |       - { host: a.test, body: { jsno: { /a: x } } }\n      |                                 ^^^^\n  hint: did you mean "json"?',
  ],
  'a tool whose arguments are judged and which is not granted': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, mcp: { tools: [a], arguments: { b: { /x: 1 } } } }\n`,
    'a.yaml:6:57: error: arguments of "b", which "tools" does not list\n    6 |       - { host: a.test, mcp: { tools: [a], arguments: { b: { /x: 1 } } } }\n      |                                                         ^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'a body on a tunnel that is not read': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, intercept: false, body: { json: { /a: x } } }\n`,
    'a.yaml:6:9: error: an endpoint that is not intercepted has no methods, paths, query, headers, content or websocket\n    6 |       - { host: a.test, intercept: false, body: { json: { /a: x } } }\n      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  hint: what passes through undecrypted cannot be judged by them: leave them out, or intercept',
  ],
  'a body that names nothing': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: {} }\n`,
    'a.yaml:6:25: error: "body" names nothing: write json, form or multipart below it\n    6 |       - { host: a.test, body: {} }\n      |                         ^^^^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'a body of two kinds': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { json: { /a: 1 }, form: { a: x } } }\n`,
    'a.yaml:6:25: error: a body is one of json, form and multipart: write an endpoint for each\n    6 |       - { host: a.test, body: { json: { /a: 1 }, form: { a: x } } }\n      |                         ^^^^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'a form where MCP is spoken': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { form: { a: x } }, mcp: {} }\n`,
    'a.yaml:6:25: error: graphql, jsonrpc and mcp are JSON: no request is that and a form\n    6 |       - { host: a.test, body: { form: { a: x } }, mcp: {} }\n      |                         ^^^^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'an expression in a body that is not RE2': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { json: { /a: { matches: "(a" } } } }\n`,
    'a.yaml:6:41: error: the predicate for /a: error parsing regexp: missing closing ): `(a`\n    6 |       - { host: a.test, body: { json: { /a: { matches: "(a" } } } }\n      |                                         ^^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'a number that YAML has rounded': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { json: { /id: 12345678901234567890 } } }\n`,
    'a.yaml:6:41: error: the predicate for /id: the number is too large to be exact in YAML, and would be compared as another one\n    6 |       - { host: a.test, body: { json: { /id: 12345678901234567890 } } }\n      |                                         ^^^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'a pointer with a lone tilde': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { json: { "/a~b": 1 } } }\n`,
    'a.yaml:6:41: error: "/a~b" is not a JSON Pointer: "~" is written "~0" (RFC 6901)\n    6 |       - { host: a.test, body: { json: { "/a~b": 1 } } }\n      |                                         ^^^^^^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'a predicate key nobody knows': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { json: { /a: { equal: 1 } } } }\n`,
    'a.yaml:6:47: error: unknown key "equal"\n    6 |       - { host: a.test, body: { json: { /a: { equal: 1 } } } }\n      |                                               ^^^^^\n  hint: did you mean "equals"?',
  ],
  'a type nobody knows': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { json: { /a: { type: text } } } }\n`,
    'a.yaml:6:53: error: "type" must be one of string, number, integer, boolean, null, object, array\n    6 |       - { host: a.test, body: { json: { /a: { type: text } } } }\n      |                                                     ^^^^\n  hint: known here: string, number, integer, boolean, null, object, array',
  ],
  'a media type that is none': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { multipart: { f: { file: [png] } } } }\n`,
    'a.yaml:6:58: error: "file": a media type such as image/png or image/*\n    6 |       - { host: a.test, body: { multipart: { f: { file: [png] } } } }\n      |                                                          ^^^',
  ],
  'a size that is none': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { multipart: { f: { file: [image/png], max-size: big } } } }\n`,
    'a.yaml:6:70: error: "big" is not a size: write one such as 1 MiB\n    6 |       - { host: a.test, body: { multipart: { f: { file: [image/png], max-size: big } } } }\n      |                                                                      ^^^^^^^^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'closed as a predicate of a form': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, body: { form: { a: true } } }\n`,
    'a.yaml:6:41: error: "a" in form must be a predicate, not true or false\n    6 |       - { host: a.test, body: { form: { a: true } } }\n      |                                         ^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'a GraphQL operation nobody knows': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, graphql: { operations: [read] } }\n`,
    'a.yaml:6:49: error: "operations" must be one of query, mutation, subscription\n    6 |       - { host: a.test, graphql: { operations: [read] } }\n      |                                                 ^^^^\n  hint: known here: query, mutation, subscription',
  ],
  'a GraphQL field that is none': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, graphql: { fields: ["a b"] } }\n`,
    'a.yaml:6:36: error: "a b" is not a path of GraphQL fields such as repository.issues\n    6 |       - { host: a.test, graphql: { fields: ["a b"] } }\n      |                                    ^^^^^^\n  hint: docs/reference/rules.md shows what stands there',
  ],
  'a stored query without its hash': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, graphql: { persisted: [abc] } }\n`,
    'a.yaml:6:48: error: "persisted": a SHA-256 in hex\n    6 |       - { host: a.test, graphql: { persisted: [abc] } }\n      |                                                ^^^',
  ],
  'JSON-RPC without methods': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, jsonrpc: {} }\n`,
    'a.yaml:6:34: error: "methods" is missing\n    6 |       - { host: a.test, jsonrpc: {} }\n      |                                  ^^\n  hint: write a list: [a, b], or one "- a" a line',
  ],
  'an MCP key nobody knows': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, mcp: { tool: [a] } }\n`,
    'a.yaml:6:32: error: unknown key "tool"\n    6 |       - { host: a.test, mcp: { tool: [a] } }\n      |                                ^^^^\n  hint: did you mean "tools"?',
  ],
  'no tools': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, mcp: { tools: [] } }\n`,
    'a.yaml:6:39: error: "tools" must not be empty\n    6 |       - { host: a.test, mcp: { tools: [] } }\n      |                                       ^^',
  ],
  'a WebSocket with a body': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, websocket: {}, body: { json: { /a: 1 } } }\n`,
    'a.yaml:6:9: error: a WebSocket has no body to judge\n    6 |       - { host: a.test, websocket: {}, body: { json: { /a: 1 } } }\n      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  hint: write an endpoint of its own for it',
  ],
  'a body in a tcp tunnel': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, scheme: tcp, port: 22, body: { json: { /a: 1 } } }\n`,
    'a.yaml:6:9: error: a tcp endpoint has no methods, paths, query, headers or content\n    6 |       - { host: a.test, scheme: tcp, port: 22, body: { json: { /a: 1 } } }\n      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  hint: the gate does not read inside it: write "* tcp://host:port"',
  ],
  'a test without a name': [
    `version: 1\n${AGENT}tests: [{ agent: bot, request: GET https://a.test/, expect: allow }]\n`,
    'a.yaml:5:9: error: "name" is missing\n    5 | tests: [{ agent: bot, request: GET https://a.test/, expect: allow }]\n      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^',
  ],
  'a test that expects too much': [
    `version: 1\n${AGENT}tests: [{ name: x, agent: bot, request: GET https://a.test/, expect: maybe }]\n`,
    'a.yaml:5:70: error: "expect" must be one of allow, deny\n    5 | tests: [{ name: x, agent: bot, request: GET https://a.test/, expect: maybe }]\n      |                                                                      ^^^^^\n  hint: known here: allow, deny',
  ],
  'a test with a reason nobody gives': [
    `version: 1\n${AGENT}tests: [{ name: x, agent: bot, request: GET https://a.test/, expect: { decision: deny, reason: path } }]\n`,
    'a.yaml:5:96: error: "reason": "path" is not known here\n    5 | tests: [{ name: x, agent: bot, request: GET https://a.test/, expect: { decision: deny, reason: path } }]\n      |                                                                                                ^^^^\n  hint: known here: agent-unknown, halted, quarantined, host-not-allowed, method-not-allowed, path-not-allowed, path-malformed, query-not-allowed, header-not-allowed, body-not-allowed, tool-not-found, tool-changed, address-forbidden, authority-mismatch, secret-found, personal-data-found, registered-value-found, injection-found, scan-budget, label-not-cleared',
  ],
  'a rate that is none': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, websocket: { messages: many } }\n`,
    'a.yaml:6:9: error: "many" is not a rate\n    6 |       - { host: a.test, websocket: { messages: many } }\n      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  hint: write a number and a window, such as 600/minute',
  ],
  'a WebSocket key nobody knows': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, websocket: { maximum: 1 MiB } }\n`,
    'a.yaml:6:38: error: unknown key "maximum"\n    6 |       - { host: a.test, websocket: { maximum: 1 MiB } }\n      |                                      ^^^^^^^\n  hint: known here: messages, max',
  ],
  'an agent that is a list': [
    `version: 1\nagents: [bot]\n`,
    'a.yaml:2:9: error: "agents" must be a map\n    2 | agents: [bot]\n      |         ^^^^^',
  ],
  'an endpoint that is a number': [
    `version: 1\n${AGENT}    allow:\n      - 5\n`,
    'a.yaml:6:9: error: "allow" has the wrong type\n    6 |       - 5\n      |         ^',
  ],
  'methods that are text': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, methods: GET }\n`,
    'a.yaml:6:34: error: "methods" must be a list\n    6 |       - { host: a.test, methods: GET }\n      |                                  ^^^\n  hint: write a list: [a, b], or one "- a" a line',
  ],
  'a port that is text': [
    `version: 1\n${AGENT}    allow:\n      - { host: a.test, port: "443" }\n`,
    'a.yaml:6:31: error: "port" must be a number\n    6 |       - { host: a.test, port: "443" }\n      |                               ^^^^^',
  ],
  'a capability without endpoints': [
    `version: 1\ncapabilities: { c: { description: x } }\n`,
    'a.yaml:2:20: error: "endpoints" is missing\n    2 | capabilities: { c: { description: x } }\n      |                    ^^^^^^^^^^^^^^^^^^\n  hint: write a list: [a, b], or one "- a" a line',
  ],
  'a file that is a list': [`- a\n`, 'a.yaml:1:1: error: "the file" must be a map\n    1 | - a\n      | ^^^'],
  'an unreachable rule': [
    `version: 1\n${AGENT}    allow: ["GET https://a.test/s/x"]\n    deny: ["* https://a.test/s/**"]\n`,
    'a.yaml:5:13: error: "GET https://a.test/s/x" can never be used: a deny covers it\n    5 |     allow: ["GET https://a.test/s/x"]\n      |             ^^^^^^^^^^^^^^^^^^^^^^\n  hint: the deny is rules/a.yaml:6: * https://a.test/s/**',
  ],
  'a rule that stands twice': [
    `version: 1\n${AGENT}    allow: ["GET https://a.test/s", "GET https://A.test./s"]\n`,
    'a.yaml:5:37: error: "GET https://A.test./s" stands twice\n    5 |     allow: ["GET https://a.test/s", "GET https://A.test./s"]\n      |                                     ^^^^^^^^^^^^^^^^^^^^^\n  hint: it can never decide: the first is rules/a.yaml:5: GET https://a.test/s',
  ],
  'rules that disagree': [
    `version: 1\n${AGENT}    capabilities: [x, y]\ncapabilities:\n  x: { mode: observe, endpoints: ["GET https://a.test/s"] }\n  y: { mode: enforce, endpoints: ["GET https://a.test/s"] }\n`,
    'a.yaml:8:35: error: "GET https://a.test/s" and another rule are equally specific and disagree on mode, networks or limits\n    8 |   y: { mode: enforce, endpoints: ["GET https://a.test/s"] }\n      |                                   ^^^^^^^^^^^^^^^^^^^^\n  hint: the other is rules/a.yaml:7: GET https://a.test/s (x); make one more specific',
  ],
  'a key twice': [
    'version: 1\nagents: {}\nagents: {}\n',
    'a.yaml:3:1: error: this key stands twice in the same map\n    3 | agents: {}\n      | ^\n  hint: remove one of the two, or merge them',
  ],
  'a YAML tag': [
    'version: 1\nagents: !!js/function x\n',
    'a.yaml:2:9: error: YAML tags are not honoured in rules\n    2 | agents: !!js/function x\n      |         ^^^^^^^^^^^^^\n  hint: remove the tag; plain strings, numbers, lists and maps are all there is',
  ],
  'every host': [
    `version: 1\n${AGENT}    allow: ["* https://**"]\n`,
    'a.yaml:5:13: warning: "**" opens every host on the internet\n    5 |     allow: ["* https://**"]\n      |             ^^^^^^^^^^^^^^\n  hint: name the hosts; `check --strict` makes this an error',
  ],
  'a network nobody defined': [
    `version: 1\n${AGENT}    networks: [intranet]\n`,
    'a.yaml:5:16: error: no network "intranet" is defined\n    5 |     networks: [intranet]\n      |                ^^^^^^^^\n  hint: none is defined',
  ],
  'a range that is none': [
    'version: 1\nnetworks: { x: [10.0.0.0/99] }\n',
    'a.yaml:2:17: error: "10.0.0.0/99" is not an address range\n    2 | networks: { x: [10.0.0.0/99] }\n      |                 ^^^^^^^^^^^\n  hint: write 10.20.0.0/16 or fd00::/8',
  ],
};

describe('loadPolicy()', () => {
  for (const [name, [text, ...problems]] of Object.entries(GALLERY)) {
    it(`says of ${name}`, () => {
      expect(problemsOf(text)).toEqual(problems);
    });
  }

  it('merges files in name order, and shows both places of a name defined twice', () => {
    const { policy, problems } = loadFiles({
      'a/x.yaml': `version: 1\n${AGENT}`,
      'b.yml': `version: 1\n${AGENT}`,
      'note.txt': 'not read',
    });
    expect(policy).toBeNull();
    expect(problems[0]).toMatchObject({
      message: 'agent "bot" is defined twice',
      hint: 'the other definition is at rules/a/x.yaml:3',
    });
  });

  it('refuses what would make a YAML parser work for hours', () => {
    const bomb = `version: 1\nx0: &x0 [a,a,a,a,a,a,a,a,a]\n${Array.from({ length: 9 }, (_, i) => `x${i + 1}: &x${i + 1} [${Array(9).fill(`*x${i}`).join(',')}]\n`).join('')}`;
    expect(loadFiles({ 'a.yaml': bomb }).problems[0]?.message).toMatch(/cannot be expanded/);
    expect(loadFiles({ 'a.yaml': `# ${'x'.repeat(1024 * 1024)}\n` }).problems[0]?.message).toMatch(
      /larger than 1048576 bytes/,
    );
  });

  it('says that the folder does not exist', () => {
    expect(loadFiles({}).problems[0]?.message).toBe('the rules folder does not exist');
  });

  it('gives the same generation to the same rules and another to others', () => {
    const generation = (text: string): string | undefined => loadFiles({ 'a.yaml': text }).policy?.generation;
    expect(generation('version: 1\n')).toBe(generation('version: 1\n'));
    expect(generation('version: 1\n')).not.toBe(generation('version: 1 \n'));
  });

  it('loads what ships, without a word', async () => {
    const { loadPolicy } = await import('../../../src/policy/load.ts');
    const { policy, problems } = loadPolicy('rules');
    expect(problems).toEqual([]);
    expect(policy?.capabilities.has('packages.npm')).toBe(true);
  });
});
