import { expect, it } from 'vitest';
import { parseSink } from '../../../src/config/sinks.ts';
import { EVENT_CLASSES } from '../../../src/model/sink.ts';

const parse = (text: string): unknown => parseSink('/etc/sinks/soc.yaml', text);
const base = { name: 'soc', events: EVENT_CLASSES, spool: 1024 ** 3 };
const PEOPLE = ['denied', 'findings', 'interrupted', 'halt', 'audit-log', 'sink'];

it.each<[string, object]>([
  [
    'kind: webhook\nurl: https://soc.test/in\nsecret-file: soc.secret\nevents: [denied, findings]\nspool: 10 MiB',
    {
      ...base,
      kind: 'webhook',
      shape: 'events',
      url: { text: 'https://soc.test/in' },
      secretFile: '/etc/sinks/soc.secret',
      tokenFile: null,
      ca: null,
      routingKey: null,
      events: ['denied', 'findings'],
      spool: 10 * 1024 ** 2,
      coalesce: 300_000,
    },
  ],
  [
    'kind: webhook\nshape: slack\nurl-file: /run/secrets/slack\ncoalesce: 1m',
    { shape: 'slack', url: { file: '/run/secrets/slack' }, events: PEOPLE, coalesce: 60_000 },
  ],
  [
    'kind: webhook\nshape: pagerduty\nrouting-key-file: pd',
    { url: { text: 'https://events.pagerduty.com/v2/enqueue' }, routingKey: { file: '/etc/sinks/pd' } },
  ],
  [
    'kind: syslog\naddress: "[2001:db8::1]:6514"\nformat: cef\nca: ca.pem',
    { ...base, kind: 'syslog', host: '2001:db8::1', port: 6514, tls: true, format: 'cef', ca: '/etc/sinks/ca.pem' },
  ],
  [
    'kind: syslog\naddress: siem.test:601\ntransport: tcp',
    { host: 'siem.test', port: 601, tls: false, format: 'json' },
  ],
  ['kind: ocsf\nfile: out.jsonl', { ...base, kind: 'ocsf', to: { file: '/etc/sinks/out.jsonl' } }],
  [
    'kind: ocsf\nurl: https://lake.test/\ntoken-file: t',
    { to: { url: { text: 'https://lake.test/' }, tokenFile: '/etc/sinks/t', ca: null } },
  ],
  ['kind: otlp\nurl: http://127.0.0.1:4318/v1/logs\nevents: all', { ...base, kind: 'otlp' }],
  [
    'kind: kafka\nbrokers: [a:9092, b:9092]\ntopic: audit\nuser: gate\npassword-file: pw',
    {
      ...base,
      kind: 'kafka',
      brokers: ['a:9092', 'b:9092'],
      tls: true,
      login: { mechanism: 'scram-sha-512', user: 'gate', passwordFile: '/etc/sinks/pw' },
    },
  ],
  ['kind: kafka\nbrokers: [a:9092]\ntopic: audit\ntransport: tcp', { tls: false, login: null }],
  [
    'kind: redis\nurl: rediss://u:p@redis.test/2\nstream: audit\nlength: 1000',
    { ...base, kind: 'redis', url: { text: 'rediss://u:p@redis.test/2' }, stream: 'audit', length: 1000 },
  ],
])('reads %j', (text, expected) => {
  expect(parse(text)).toMatchObject(expected);
});

it.each<[string, string]>([
  ['', '1:1: a sink file is a map that says its "kind"'],
  ['kind: [', '1:8: Flow sequence in block collection must be sufficiently indented and end with a ]'],
  ['kind: splunk', '1:7: "kind" must be one of webhook, syslog, ocsf, otlp, kafka, redis'],
  ['shape: slack', '1:1: "kind" must be one of webhook, syslog, ocsf, otlp, kafka, redis'],
  ['kind: otlp\nurl: https://a/\n  # x\nurls: b', '4:1: unknown key "urls"; see docs/reference/sinks.md'],
  ['kind: otlp', '1:7: "url" is missing: write it, or "url-file" for one that is a secret'],
  ['kind: otlp\nurl: otel:4318', '2:6: "url": write an address such as https://host/path'],
  ['kind: otlp\nurl: https://a/\nurl-file: b', '3:11: write "url" or "url-file"'],
  ['kind: otlp\nurl: https://a/\nevents: [refused]', '3:9: "events" must be all, or a list of allowed, denied,'],
  ['kind: otlp\nurl: https://a/\nspool: much', '3:8: "spool": write a size such as 1 GiB'],
  ['kind: syslog', '1:1: "address" is missing'],
  ['kind: syslog\naddress: siem.test', '2:10: "address": write host:port'],
  ['kind: syslog\naddress: siem.test:99999', '2:10: "address": write host:port'],
  ['kind: syslog\naddress: a:1\ntransport: udp', '3:12: "transport" must be one of tcp, tls'],
  ['kind: webhook\nurl: https://a/\ncoalesce: 5m', '3:11: "coalesce" is for people: slack, teams and pagerduty'],
  ['kind: webhook\nshape: slack\nurl: https://a/\ncoalesce: soon', '4:11: "coalesce": write a duration such as 5m'],
  ['kind: webhook\nshape: pagerduty', '2:8: "routing-key-file" is missing: the integration key'],
  ['kind: webhook\nurl: https://a/\nrouting-key: k\nshape: teams', '4:8: "routing-key" is for the shape pagerduty'],
  ['kind: ocsf\nurl: https://a/\nfile: b', '3:7: write "url" or "file"'],
  ['kind: kafka\nbrokers: [a]\ntopic: t', '2:11: "brokers": write host:port'],
  ['kind: kafka\nbrokers: [a:1]\ntopic: a b', '3:8: "topic": letters, digits'],
  ['kind: kafka\nbrokers: [a:1]\ntopic: t\nuser: u', '1:7: to log in, write "user" and "password-file"'],
  ['kind: redis\nurl: https://a/\nstream: s', '2:6: "url": write redis:// or rediss://'],
])('says of %j where and what is wrong', (text, message) => {
  expect(() => parse(text)).toThrow(`/etc/sinks/soc.yaml:${message}`);
});
