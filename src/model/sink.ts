/** What an event is about, as sinks choose by it. An exchange may be of more than one. */
export const EVENT_CLASSES = [
  'allowed',
  'denied',
  'would-deny',
  'findings',
  'interrupted',
  'halt',
  'policy',
  'session',
  'audit-log',
  'sink',
] as const;
export type EventClass = (typeof EVENT_CLASSES)[number];

/** Where events of the audit log are taken, as a file of the folder of sinks says it. */
export interface SinkTerms {
  /** Name of its file; its place in the log is kept by it. */
  readonly name: string;
  readonly events: readonly EventClass[];
  /** Bytes of the log it may be behind; the oldest beyond that are dropped, and that is recorded. */
  readonly spool: number;
}

/** How a TLS connection is trusted: CA certificates in a PEM file beside the system's; null: those alone. */
export interface SinkTrust {
  readonly ca: string | null;
}

/** A receiver of HTTP requests. */
export interface HttpReceiver extends SinkTrust {
  readonly url: Secret;
  /** File of the token that goes into `Authorization: Bearer`; null: none. */
  readonly tokenFile: string | null;
}

/** A text that may be a secret: said in the file, or in a file of its own, which is read when it is needed. */
export type Secret = { readonly text: string } | { readonly file: string };

export type WebhookShape = 'events' | 'slack' | 'teams' | 'pagerduty';

export interface WebhookSink extends SinkTerms, HttpReceiver {
  readonly kind: 'webhook';
  readonly shape: WebhookShape;
  /** File of the key that signs each request; null: none is signed. */
  readonly secretFile: string | null;
  /** PagerDuty's integration key. */
  readonly routingKey: Secret | null;
  /** Milliseconds that events of one cause are counted before they are told of again; for people alone. */
  readonly coalesce: number;
}

export interface SyslogSink extends SinkTerms, SinkTrust {
  readonly kind: 'syslog';
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly format: 'json' | 'cef';
}

export interface OcsfSink extends SinkTerms {
  readonly kind: 'ocsf';
  /** Requests with an array of events; or a file, a line for each. */
  readonly to: HttpReceiver | { readonly file: string };
}

export interface OtlpSink extends SinkTerms, HttpReceiver {
  readonly kind: 'otlp';
}

export interface KafkaSink extends SinkTerms, SinkTrust {
  readonly kind: 'kafka';
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly tls: boolean;
  readonly login: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly user: string;
    readonly passwordFile: string;
  } | null;
}

export interface RedisSink extends SinkTerms, SinkTrust {
  readonly kind: 'redis';
  readonly url: Secret;
  readonly stream: string;
  /** Entries the stream is trimmed to, about; null: it is not. */
  readonly length: number | null;
}

export type Sink = WebhookSink | SyslogSink | OcsfSink | OtlpSink | KafkaSink | RedisSink;

/** How a sink does, since it was told last. */
export interface SinkReport {
  readonly sink: string;
  /** Events, or messages to people. */
  readonly delivered: number;
  readonly dropped: number;
  /** Attempts that failed. */
  readonly failures: number;
  /** Bytes of the log it has not taken. */
  readonly behind: number;
  readonly failing: boolean;
}
