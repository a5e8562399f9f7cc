import type { Socket } from 'node:net';
import type { AgentConnection } from './message.ts';

/** Whose a tunnel is. */
export interface Owner {
  readonly agent: string;
  readonly session: { readonly id: string } | null;
}

/** The open agent connections, for counting, draining and ending them. */
export class Connections {
  /** Each with whose it is known to be; null outside of tunnels, where each request says. */
  readonly #agents = new Map<AgentConnection, Owner | null>();
  readonly #tunnels = new Map<Socket, Owner>();
  /** Connections that have not said yet what they want. */
  readonly #waiting = new Set<Socket>();
  #inside = 0;
  #draining = false;
  #whenEmpty: (() => void) | null = null;

  /** Connections agents have opened; what runs inside a tunnel is not another one. */
  get size(): number {
    return this.#agents.size - this.#inside;
  }

  get tunnels(): number {
    return this.#tunnels.size;
  }

  /** True once no connection shall carry another request. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Counts a connection in, or (with its owner) the HTTP inside a tunnel; call the result when it ends. */
  enter(agent: AgentConnection, owner: Owner | null): () => void {
    this.#agents.set(agent, owner);
    if (owner !== null) this.#inside++;
    return () => {
      this.#agents.delete(agent);
      if (owner !== null) this.#inside--;
      if (this.#agents.size === 0) this.#whenEmpty?.();
    };
  }

  /** Notes a connection that has not said yet what it wants: draining does not wait for it. */
  enterWaiting(socket: Socket): () => void {
    this.#waiting.add(socket);
    return () => this.#waiting.delete(socket);
  }

  enterTunnel(socket: Socket, owner: Owner): () => void {
    this.#tunnels.set(socket, owner);
    return () => this.#tunnels.delete(socket);
  }

  /** Ends idle connections now, busy ones after their exchange; resolves when none is left or the limit has passed. */
  async drain(limit: number): Promise<boolean> {
    this.#draining = true;
    for (const socket of this.#waiting) socket.destroy();
    for (const agent of this.#agents.keys()) {
      if (agent.idle) agent.destroy();
      else agent.retire();
    }
    if (this.#agents.size === 0) return true;
    let timer: NodeJS.Timeout | undefined;
    const emptied = await new Promise<boolean>((resolve) => {
      this.#whenEmpty = () => resolve(true);
      timer = setTimeout(() => resolve(false), limit);
    });
    clearTimeout(timer);
    return emptied;
  }

  /** Says goodbye on every connection of these agents, and ends within `grace` milliseconds what does not end by itself. */
  dismiss(concerns: (agent: string, session: string | null) => boolean, grace: number): void {
    for (const [agent, owner] of this.#agents)
      if (owner !== null && concerns(owner.agent, owner.session?.id ?? null)) agent.retire();
    const sockets = [...this.#tunnels]
      .filter(([, owner]) => concerns(owner.agent, owner.session?.id ?? null))
      .map(([socket]) => socket);
    if (sockets.length > 0) setTimeout(() => sockets.forEach((socket) => socket.destroy()), grace);
  }

  /** Ends every connection now. */
  destroy(): void {
    for (const agent of this.#agents.keys()) agent.destroy();
    for (const socket of [...this.#tunnels.keys(), ...this.#waiting]) socket.destroy();
  }
}
