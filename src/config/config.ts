import type { Host } from '../model/host.ts';
import type { StoreAddress } from '../model/store-address.ts';
import type { ParentProxy } from '../model/parent-proxy.ts';

/** Everything the gate can be told, resolved and frozen. */
export interface Config {
  readonly listen: {
    readonly proxy: ListenAddress;
    readonly admin: ListenAddress;
    readonly https: ListenAddress | null;
    /** Names of the gate itself, for its certificate. */
    readonly names: readonly Host[];
    /** File of the CA of client certificates. */
    readonly clientCa: string | null;
    readonly socks: ListenAddress | null;
    readonly transparent: ListenAddress | null;
    /** Path of a Unix socket. */
    readonly unix: string | null;
  };
  /** Folder of rule files. */
  readonly rules: string;
  /** External policies that have a say in what the rules allow. */
  readonly policy: {
    readonly opa: {
      readonly url: URL;
      readonly path: string;
      /** Milliseconds. */
      readonly timeout: number;
      readonly tokenFile: string | null;
    } | null;
    readonly wasm: { readonly file: string; readonly entrypoint: string; readonly data: string | null } | null;
    readonly input: { readonly headers: readonly string[]; readonly body: boolean };
  };
  /** Where limits are counted. */
  readonly store: {
    /** Null: in this process. */
    readonly address: StoreAddress | null;
    /** Milliseconds. */
    readonly timeout: number;
    /** Milliseconds that this gate may count alone when the store is away; 0: it denies at once. */
    readonly grace: number;
  };
  /** Keys of sessions: their file (null: in `state`), and how long each signs, in milliseconds. */
  readonly sessions: { readonly keys: string | null; readonly rotate: number };
  /** How changed rules come into force; null: at once. `denyRate` null: whatever they refuse. */
  readonly rollout: { readonly share: number; readonly duration: number; readonly denyRate: number | null } | null;
  /** Folder of the CA. */
  readonly certs: string;
  /** Folder of what the gate keeps. */
  readonly state: string;
  readonly audit: {
    /** When an event counts as recorded. */
    readonly durability: 'os' | 'disk';
    /** When it is signed. */
    readonly checkpoint: { readonly events: number; readonly milliseconds: number };
    /** When a segment ends. */
    readonly rotate: { readonly bytes: number; readonly milliseconds: number };
    /** Milliseconds that it is kept; null: forever. */
    readonly retention: number | null;
    /** To whose keys transcripts are encrypted, and how many bytes of a body they keep. */
    readonly transcript: { readonly recipients: readonly string[]; readonly body: number };
    /** Folder of where its events are sent; null: nowhere. Read by who sends them: others may not even be allowed to. */
    readonly sinks: string | null;
  };
  /** Where spans are sent; null: nowhere. */
  readonly traces: {
    readonly url: string;
    readonly tokenFile: string | null;
    readonly ca: string | null;
    /** Of the traces begun by the gate. */
    readonly share: number;
  } | null;
  readonly upstream: {
    /** Files of CA certificates trusted beside the system's. */
    readonly ca: readonly string[];
    /** `host:port` or `**:port` → dial address. */
    readonly pins: ReadonlyMap<string, { readonly host: string; readonly port: number }>;
    /** Host pattern → parent proxy; null: straight to the host. */
    readonly parents: ReadonlyMap<string, ParentProxy | null>;
    /** DNS servers to ask; empty: those of the system. */
    readonly resolvers: readonly string[];
    /** Milliseconds. */
    readonly timeouts: { readonly connect: number; readonly firstByte: number; readonly idle: number };
  };
  /** Bytes of a request body held whole before the first one leaves. */
  readonly inspect: { readonly buffer: number };
  readonly log: { readonly level: LogLevel; readonly format: 'auto' | 'json' | 'text' };
  /** Milliseconds a stopping gate waits for exchanges to end. */
  readonly drain: number;
  /** Connections of agents there may be; null: as many as is good. */
  readonly connections: { readonly max: number | null };
  /** Processes that carry the traffic; with 1 there is no other process beside it. */
  readonly workers: number;
  /** Every text this was read from, by setting, paths made absolute: another process reads the same from them. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A mistake in the configuration: one line with its place. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}
