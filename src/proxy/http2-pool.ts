import type { GuardedAddress } from '../network/guard.ts';
import type { Http2Upstream } from './adapters/http2-upstream.ts';
import type { UpstreamExchange } from './message.ts';

/** Targets that are remembered to speak nothing but HTTP/2; beyond, all are forgotten and found out again. */
const MAX_REMEMBERED = 2000;

/** HTTP/2 sessions with upstreams by agent and target: sessions are never shared by agents. */
export class Http2Pool {
  readonly #sessions = new Map<string, Http2Upstream[]>();
  readonly #dialling = new Map<string, Promise<unknown>>();
  readonly #onlyHttp2 = new Set<string>();

  /** An exchange on a session that stands, to one of these addresses; null when there is none with room. */
  take(agent: string, address: GuardedAddress): UpstreamExchange | null {
    const key = keyOf(agent, address.target.key);
    const list = this.#sessions.get(key);
    if (list === undefined) return null;
    const alive = list.filter((session) => !session.gone);
    if (alive.length === 0) this.#sessions.delete(key);
    else if (alive.length < list.length) this.#sessions.set(key, alive);
    const session = alive.find((each) => each.hasRoom && address.addresses.includes(each.address));
    return session?.open() ?? null;
  }

  keep(agent: string, target: string, session: Http2Upstream): void {
    const key = keyOf(agent, target);
    const list = this.#sessions.get(key);
    if (list === undefined) this.#sessions.set(key, [session]);
    else list.push(session);
  }

  /** Says that a connection is being made which others may come to share. */
  announce(agent: string, target: string, dialling: Promise<unknown>): void {
    const key = keyOf(agent, target);
    const noted = dialling.catch(() => undefined).finally(() => this.#dialling.delete(key));
    this.#dialling.set(key, noted);
  }

  /** Waits for a connection that is being made; an exchange on it if it can be shared. */
  async whenDialled(agent: string, address: GuardedAddress): Promise<UpstreamExchange | null> {
    const dialling = this.#dialling.get(keyOf(agent, address.target.key));
    if (dialling === undefined) return null;
    await dialling;
    return this.take(agent, address);
  }

  speaksOnlyHttp2(target: string): boolean {
    return this.#onlyHttp2.has(target);
  }

  rememberOnlyHttp2(target: string): void {
    if (this.#onlyHttp2.size >= MAX_REMEMBERED) this.#onlyHttp2.clear();
    this.#onlyHttp2.add(target);
  }

  close(): void {
    for (const list of this.#sessions.values()) for (const session of list) session.destroy();
    this.#sessions.clear();
  }
}

function keyOf(agent: string, target: string): string {
  return `${agent} ${target}`;
}
