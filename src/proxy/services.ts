import type { SecureContext } from 'node:tls';
import type { AuditLog } from '../audit/log.ts';
import type { Tracer } from '../telemetry/tracer.ts';
import type { Transcripts } from '../audit/transcripts/sinks/transcripts.ts';
import type { FailureThrottle } from '../identity/throttle.ts';
import type { NameService } from '../network/resolver.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { LeafCache } from '../tls/leaves.ts';
import type { HaltView } from './halt-set.ts';
import type { Http2Pool } from './http2-pool.ts';
import type { InFlight } from './in-flight.ts';
import type { Leases } from './leases.ts';
import type { Quarantine } from './quarantine.ts';
import type { Sessions } from './sessions.ts';
import type { Novelties } from './novelties.ts';
import type { Scanners } from './scanners.ts';
import type { UpstreamPool } from './pool.ts';
import type { Crowd } from './crowd.ts';
import type { Trails } from './trails.ts';
import type { Turns } from './turns.ts';
import type { GenerationView } from './snapshot.ts';
import type { ToolRegistry } from './tool-registry.ts';

/** What the data plane is given by `main`. */
export interface Services {
  readonly generations: GenerationView;
  readonly names: NameService;
  readonly throttle: FailureThrottle;
  readonly leaves: LeafCache;
  readonly pool: UpstreamPool;
  readonly http2: Http2Pool;
  readonly inFlight: InFlight;
  readonly sessions: Sessions;
  /** Everybody's connections. */
  readonly crowd: Crowd;
  /** Whose work begins next. */
  readonly turns: Turns;
  /** What people have stopped. */
  readonly halts: HaltView;
  /** Contains agents that are refused too often. */
  readonly quarantine: Quarantine;
  /** What exchanges under way have taken of limits. */
  readonly leases: Leases;
  /** Look for what must not leave. */
  readonly scanners: Scanners;
  /** What sessions have sent in requests before. */
  readonly trails: Trails;
  /** What agents have sent and received, where it is limited how much may be new. */
  readonly novelties: Novelties;
  readonly audit: AuditLog;
  /** What is known of the tools of MCP servers. */
  readonly tools: ToolRegistry;
  readonly metrics: Metrics;
  readonly log: Log;
  /** One context for all upstream connections: trust is the same for all. */
  readonly upstreamTrust: SecureContext;
  /** TLS sessions of earlier upstream connections, by target: a resumed handshake is half as long. */
  readonly upstreamSessions: Map<string, Buffer>;
  readonly timeouts: { readonly connect: number; readonly firstByte: number; readonly idle: number };
  /** Bytes of a request body held whole. */
  /** Exports traces; null: nobody traces. */
  readonly tracer: Tracer | null;
  /** Keeps what is said; null where nobody could read it. */
  readonly transcripts: Transcripts | null;
  /** Bytes of a body that a transcript keeps. */
  readonly transcriptBody: number;
  readonly inspectBuffer: number;
  /** This gate's name in `Via`, for loops: the same in all its processes. */
  readonly pseudonym: string;
  /** This process's own name: exchanges are called after it. */
  readonly instance: string;
}
