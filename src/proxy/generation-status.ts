import type { Tally } from '../policy/rollout.ts';
import type { GenerationState } from './generation-store.ts';

/** What `sallyport policy status` shows of one generation. */
export interface GenerationStatus extends Tally {
  readonly generation: string;
  readonly since: string;
}

export interface PolicyStatus {
  readonly inForce: GenerationStatus;
  readonly canary:
    (GenerationStatus & { readonly share: number; readonly until: string; readonly others: Tally }) | null;
  /** What was taken back, the latest last. */
  readonly rejected: GenerationState['rejected'];
  /** Earlier generations, the latest last. */
  readonly earlier: GenerationState['history'];
}
