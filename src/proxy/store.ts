import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { ConfigError, type Config } from '../config/config.ts';
import type { CounterStore } from '../limits/store.ts';
import { FallbackStore } from '../limits/stores/fallback.ts';
import { JournalFile } from '../limits/stores/journal.ts';
import { MemoryStore } from '../limits/stores/memory.ts';
import { RedisStore } from '../limits/stores/redis.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * Opens the store the configuration names: `local`, or a shared one with it behind for outages, where that is asked for.
 * `answers` is told when a shared store goes away and when it is back.
 */
export function openStore(
  { store }: Config,
  trust: SecureContext,
  local: CounterStore,
  log: Log,
  answers: (answers: boolean) => void,
): CounterStore {
  const { address, timeout, grace } = store;
  if (address === null) return local;
  const onState = (error: Error | null): void => {
    answers(error === null);
    if (error === null) log.info('the store of counters answers again');
    else log.error(`the store of counters is away: ${error.message}`);
  };
  const shared = new RedisStore({ address, timeout, trust, onState });
  return grace === 0 ? shared : new FallbackStore({ shared, local, grace, clock: () => Date.now() });
}

/**
 * Counters in this process: over restarts where they are all there are. Throws ConfigError for what an earlier gate left that
 * cannot be read.
 */
export function openLocalStore({ store, state }: Config, clock: () => number, log: Log): MemoryStore {
  if (store.address !== null) return new MemoryStore({ clock, journal: null });
  const onState = (error: unknown): void => {
    if (error === null) log.info('counters can be written down again');
    else log.error({ err: error }, 'counters cannot be written down: a restart would forget them');
  };
  const journal = new JournalFile({ path: join(state, 'limits.jsonl'), defer: setImmediate, onState });
  try {
    return new MemoryStore({ clock, journal });
  } catch (error) {
    throw new ConfigError(`state: ${(error as Error).message}`);
  }
}
