import { ChannelWatch } from '../scan/channel.ts';
import { Trail } from '../scan/trail.ts';
import type { Session } from '../model/session.ts';

/** Sessions, or agents without one, whose trail is kept in this process. */
const MOST = 256;

/** What is remembered of one session. */
export interface Memory {
  readonly trail: Trail;
  readonly channels: ChannelWatch;
}

/** What agents sent in requests before, as far as a later one may go on with it. */
export class Trails {
  readonly #all = new Map<string, Memory>();
  /** Who was asked about last, mostly the one who is asked about next. */
  #last = '';
  #memory: Memory | null = null;

  of({ agent, session }: { readonly agent: string | null; readonly session: Session | null }): Memory {
    const key = session === null ? `agent ${agent ?? ''}` : `session ${session.id}`;
    if (this.#memory !== null && key === this.#last) return this.#memory;
    const memory = this.#all.get(key) ?? { trail: new Trail(), channels: new ChannelWatch() };
    this.#last = key;
    this.#memory = memory;
    this.#all.delete(key);
    this.#all.set(key, memory);
    if (this.#all.size > MOST) this.#all.delete(this.#all.keys().next().value as string);
    return memory;
  }
}
