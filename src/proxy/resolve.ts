import { guard, type GuardedAddress } from '../network/guard.ts';
import type { Exchange } from './exchange.ts';
import type { Permit } from './permit.ts';
import type { Services } from './services.ts';

/** Resolves the target of a permitted request, and guards what it leads to. Throws Denial. */
export function resolve(
  permit: Permit,
  exchange: Exchange,
  { names }: Services,
): GuardedAddress | Promise<GuardedAddress> {
  exchange.trace?.step('resolve');
  return guard(permit, names, exchange.now.network);
}
