import { join } from 'node:path';
import type { SecureContext } from 'node:tls';
import { ConfigError, type Config } from '../config/config.ts';
import type { CounterStore } from '../limits/store.ts';
import { FallbackStore } from '../limits/stores/fallback.ts';
import { JournalFile } from '../limits/stores/journal.ts';
import { MemoryStore } from '../limits/stores/memory.ts';
import { RedisStore } from '../limits/stores/redis.ts';
import type { Log } from '../telemetry/log.ts';

/** Opens the store the configuration names; `answers` is told when it goes away and when it is back. Throws ConfigError for what an earlier gate left that cannot be read. */
export function openStore(
  { store, state }: Config,
  trust: SecureContext,
  clock: () => number,
  log: Log,
  answers: (answers: boolean) => void,
): CounterStore {
  const { address, timeout, grace } = store;
  if (address === null) return openMemory(state, clock, log);
  const onState = (error: Error | null): void => {
    answers(error === null);
    if (error === null) log.info('the store of counters answers again');
    else log.error(`the store of counters is away: ${error.message}`);
  };
  const shared = new RedisStore({ address, timeout, trust, onState });
  return grace === 0
    ? shared
    : new FallbackStore({ shared, local: new MemoryStore({ clock, journal: null }), grace, clock });
}

function openMemory(state: string, clock: () => number, log: Log): MemoryStore {
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
