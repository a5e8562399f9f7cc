import type { Denial } from './denial.ts';

/** Body bytes that passed, each way. */
export interface Transfer {
  readonly sent: number;
  readonly received: number;
}

/** How an exchange ended. */
export type Outcome =
  | { readonly kind: 'delivered'; readonly status: number; readonly transfer: Transfer }
  /** The agent was told no. */
  | { readonly kind: 'refused'; readonly denial: Denial }
  /** The answer had begun when the upstream or the gate failed: the agent saw it end early. */
  | { readonly kind: 'truncated'; readonly status: number; readonly transfer: Transfer; readonly denial: Denial }
  /** The agent went away, or was cut off. */
  | { readonly kind: 'aborted'; readonly status: number | null; readonly transfer: Transfer };
