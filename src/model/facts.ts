import type { RequestPath } from './path.ts';
import type { Target } from './target.ts';

/** What is known of a request's body. */
export type BodyFacts =
  /** Nobody has asked for it yet: a rule that reads it does not hold. */
  | { readonly kind: 'unread' }
  /** The request has none. */
  | { readonly kind: 'none' }
  /** All of it, its content codings undone. */
  | { readonly kind: 'whole'; readonly bytes: Buffer; readonly contentType: readonly string[] }
  /** It cannot be seen through, and why. */
  | { readonly kind: 'unreadable'; readonly detail: string }
  | { readonly kind: 'too-large'; readonly limit: number };

/** Everything `decide` may know about one request. No socket, no clock: replaying the facts replays the decision. */
export interface Facts {
  readonly agent: string;
  /** Address the agent called from. */
  readonly source: string;
  readonly target: Target;
  readonly method: string;
  /** The request asks to become a WebSocket (RFC 6455 §4.1, RFC 8441 §5). */
  readonly websocket: boolean;
  readonly path: RequestPath;
  /** Query as sent, without the `?`; null when there is none. */
  readonly query: string | null;
  /** End-to-end header fields as name, value pairs, hop-by-hop ones removed; empty when no rule looks at headers. */
  readonly headers: readonly string[];
  /** Read only where a rule for this request asks for it. */
  readonly body: BodyFacts;
  /** Tools of the target that have changed since they were first seen, and were not acknowledged. */
  readonly changedTools: ReadonlySet<string>;
  /** Capabilities that the session holds of those its agent is granted; null: all, and the agent's own endpoints. */
  readonly granted: ReadonlySet<string> | null;
}
