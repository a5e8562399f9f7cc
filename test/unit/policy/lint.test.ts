import { describe, expect, it } from 'vitest';
import { lintPolicy, lintReach, lintUnused, type Finding } from '../../../src/policy/lint.ts';
import { botPolicy } from '../../support/policy.ts';

const allow = (...lines: string[]): string => `    allow:\n${lines.map((line) => `      - ${line}\n`).join('')}`;
const messages = (findings: readonly Finding[]): string[] => findings.map(({ kind, message }) => `${kind}: ${message}`);
const lint = (...lines: string[]): string[] => messages(lintPolicy(botPolicy(allow(...lines))));

describe('lintPolicy()', () => {
  it.each<[string, string, RegExp]>([
    ['every host', '"GET https://**/**"', /opens every host on the internet/],
    ['shared hosting', '"GET https://*.github.io/**"', /anybody can have/],
    ['shared hosting below a region', '"GET https://**.amazonaws.com/**"', /anybody can have/],
    ['what is above shared hosting', '"GET https://**.windows.net/**"', /anybody can have/],
    ['a top-level domain', '"GET https://**.com/**"', /anybody can have/],
    ['tunnels', '"GET https://*.ngrok.io/**"', /anybody can have/],
    ['a paste service', '"POST https://pastebin.com/api/**"', /leave data for others/],
    ['all of a host', '"* https://a.test/**"', /any method on any path/],
  ])('finds %s', (_name, line, message) => {
    expect(lint(line)).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    ['a host of one’s own on shared hosting', 'GET https://acme.github.io/**'],
    ['a company’s names', '"GET https://*.acme.test/**"'],
    ['any method on one path', '"* https://a.test/v1/thing"'],
    ['what passes undecrypted', '{ host: a.test, intercept: false }'],
    ['all of a host where bodies are judged', '{ host: a.test, jsonrpc: { methods: [read] } }'],
  ])('leaves %s alone', (_name, line) => {
    expect(lint(line)).toEqual([]);
  });

  it('finds rules that add nothing', () => {
    expect(lint('GET https://a.test/v1/x', '"GET,POST https://a.test/v1/**"')).toEqual([
      expect.stringMatching(
        /^shadowed: GET https:\/\/a\.test\/v1\/x adds nothing: GET,POST https:\/\/a\.test\/v1\/\*\* \(.*:7\) allows it too$/,
      ),
    ]);
    expect(
      lint('GET https://a.test/v1/x', '{ host: a.test, methods: [GET], paths: [/v1/**], query: { q: x } }'),
    ).toEqual([]);
  });
});

describe('lintReach()', () => {
  const reach = (before: string, after: string): string[] => messages(lintReach(botPolicy(before), botPolicy(after)));
  const NARROW = allow(
    'GET https://a.test/v1/**',
    '{ host: a.test, methods: [POST], paths: [/mail], body: { json: { /to: x } } }',
  );

  it('finds nothing in rules that are the same, or narrower', () => {
    expect(reach(NARROW, NARROW)).toEqual([]);
    expect(reach(NARROW, allow('GET https://a.test/v1/x'))).toEqual([]);
    expect(reach(allow('"* https://a.test/**"'), NARROW)).toEqual([]);
  });

  it.each<[string, string, string, RegExp]>([
    ['a host', NARROW, `${NARROW}      - GET https://b.test/x\n`, /bot gains GET https:\/\/b\.test\/x/],
    ['a method', allow('GET https://a.test/x'), allow('"GET,POST https://a.test/x"'), /gains GET,POST/],
    [
      'a longer reach',
      allow('GET https://a.test/v1/x'),
      allow('GET https://a.test/v1/**'),
      /gains GET https:\/\/a\.test\/v1\/\*\*/,
    ],
    ['a predicate that is another', NARROW, NARROW.replace('/to: x', '/to: y'), /gains POST https:\/\/a\.test\/mail/],
    ['a predicate that is gone', NARROW, NARROW.replace(', body: { json: { /to: x } }', ''), /gains POST/],
    [
      'a WebSocket',
      allow('GET https://a.test/ws'),
      allow('{ host: a.test, methods: [GET], paths: [/ws], websocket: {} }'),
      /gains GET/,
    ],
    [
      'a deny that is gone',
      `${NARROW}    deny: ["* https://a.test/v1/secret"]\n`,
      NARROW,
      /no longer denied \* https:\/\/a\.test\/v1\/secret/,
    ],
    ['a mode that holds less', NARROW, `    mode: observe\n${NARROW}`, /no longer held to its rules: mode observe/],
  ])('finds %s', (_name, before, after, message) => {
    expect(reach(before, after)).toEqual([expect.stringMatching(message)]);
  });

  it('of an agent that is new is all it may do', () => {
    const after = botPolicy(
      NARROW.replace(/\n$/, '\n'),
      `  other:\n    identity: { networks: [10.0.0.9] }\n    allow: [GET https://a.test/v1/x]\n`,
    );
    expect(messages(lintReach(botPolicy(NARROW), after))).toEqual(['reach: other gains GET https://a.test/v1/x']);
  });
});

describe('lintUnused()', () => {
  it('finds what no recorded request was allowed by', () => {
    const policy = botPolicy(allow('GET https://a.test/x', 'GET https://a.test/y'));
    expect(messages(lintUnused(policy, new Set(['GET https://a.test/x']), '2026-01-01'))).toEqual([
      'unused: GET https://a.test/y allowed nothing since 2026-01-01',
    ]);
  });
});

describe('rules that are shadowed', () => {
  it('by a rule that asks for less, or by a deny', () => {
    const policy = botPolicy(
      `    capabilities: [c]
    deny: ["POST https://a.test/**"]
`,
      `capabilities:
  c:
    endpoints:
      - { host: a.test, methods: [GET], paths: [/q], query: { a: "1" } }
      - { host: a.test, methods: [GET], paths: [/q], query: { a: "1", b: "2" } }
      - { host: a.test, methods: [GET], paths: [/q], query: { a: "2", b: "2" } }
      - POST https://a.test/x
`,
    );
    expect(lintPolicy(policy).map(({ kind, place, message }) => `${kind}: ${place.line} ${message}`)).toEqual([
      expect.stringMatching(
        /^shadowed: 11 GET https:\/\/a\.test\/q adds nothing: GET https:\/\/a\.test\/q \(.*:10\) allows it too$/,
      ),
      expect.stringMatching(
        /^shadowed: 13 POST https:\/\/a\.test\/x is of no use to bot: POST https:\/\/a\.test\/\*\* \(.*:6\) denies it whole$/,
      ),
    ]);
  });
});
