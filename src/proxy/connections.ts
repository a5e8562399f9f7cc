import type { Socket } from 'node:net';
import type { AgentConnection } from './message.ts';

/** The open agent connections, for counting, draining and ending them. */
export class Connections {
  readonly #agents = new Set<AgentConnection>();
  readonly #tunnels = new Set<Socket>();
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

  /** Counts a connection in, or the HTTP inside a tunnel; call the result when it ends. */
  enter(agent: AgentConnection, where: 'outside' | 'inside'): () => void {
    this.#agents.add(agent);
    if (where === 'inside') this.#inside++;
    return () => {
      this.#agents.delete(agent);
      if (where === 'inside') this.#inside--;
      if (this.#agents.size === 0) this.#whenEmpty?.();
    };
  }

  enterTunnel(socket: Socket): () => void {
    this.#tunnels.add(socket);
    return () => this.#tunnels.delete(socket);
  }

  /** Ends idle connections now, busy ones after their exchange; resolves when none is left or the limit has passed. */
  async drain(limit: number): Promise<boolean> {
    this.#draining = true;
    for (const agent of this.#agents) {
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

  /** Ends every connection now. */
  destroy(): void {
    for (const agent of this.#agents) agent.destroy();
    for (const socket of this.#tunnels) socket.destroy();
  }
}
