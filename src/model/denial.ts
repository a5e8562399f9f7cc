import { REASONS, type Reason } from './reason.ts';

export interface DenialOptions {
  /** Status in place of the reason's own, where an RFC asks for one (417, 421, 431, 505). */
  readonly status?: number;
  /** The rule that refused, as `file:line: text`. */
  readonly rule?: string;
  /** The YAML that would allow it. */
  readonly remedy?: string;
  /** Extra header lines of the refusal, as name, value pairs. */
  readonly headers?: readonly string[];
  readonly capability?: string;
  readonly cause?: unknown;
}

/**
 * An expected refusal. Thrown, never returned: a forgotten `catch` fails closed.
 * `detail` is shown to the agent and written to the record: it never holds a secret, a body or a query value.
 */
export class Denial extends Error {
  readonly reason: Reason;
  readonly status: number;
  readonly rule: string | null;
  readonly remedy: string | null;
  readonly headers: readonly string[];
  readonly capability: string | null;

  constructor(reason: Reason, detail: string, options: DenialOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Denial';
    this.reason = reason;
    this.status = options.status ?? REASONS[reason].status;
    this.rule = options.rule ?? null;
    this.remedy = options.remedy ?? null;
    this.headers = options.headers ?? [];
    this.capability = options.capability ?? null;
  }
}

/** Any thrown value as the denial the agent is told: what was not expected is a fault, and a fault denies. */
export function asDenial(thrown: unknown): Denial {
  if (thrown instanceof Denial) return thrown;
  return new Denial('internal-fault', 'the gate failed while handling this request', { cause: thrown });
}
