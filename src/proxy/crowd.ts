import type { Socket } from 'node:net';
import { Denial } from '../model/denial.ts';

/** A connection's seat among all. */
export interface Seat {
  /** Whose it is; null until it has said so. */
  readonly owner: string | null;
  /** It has said whose it is. Throws the denial where that agent has as many connections as there is room for one. */
  claim(agent: string): void;
}

/** Share of all connections that may be open without having said whose they are. */
const SILENT_SHARE = 1 / 4;

/** Why connections were turned away. */
export interface TurnedAway {
  /** Their agent had too many. */
  crowded: number;
  /** They had said nothing for longest when there were too many of that kind. */
  silent: number;
}

/**
 * The open connections of everybody, so that nobody takes all the room. An agent may have as many as there is room left
 * (Choudhury and Hahne's dynamic threshold): one alone gets half of all, two a third each, and whoever comes next finds room.
 * Of those that have not said whose they are, the one that has waited longest makes way for the next.
 */
export class Crowd {
  readonly turnedAway: TurnedAway = { crowded: 0, silent: 0 };
  readonly #max: number;
  readonly #silent = new Set<Socket>();
  readonly #byAgent = new Map<string, number>();
  #claimed = 0;

  /** `max`: connections there may be. */
  constructor(max: number) {
    this.#max = max;
  }

  enter(socket: Socket): Seat {
    if (this.#silent.size >= Math.max(1, this.#max * SILENT_SHARE)) this.#evict();
    this.#silent.add(socket);
    const seat = {
      owner: null as string | null,
      claim: (agent: string): void => {
        if (seat.owner !== null || socket.destroyed) return;
        this.#claim(agent);
        this.#silent.delete(socket);
        seat.owner = agent;
      },
    };
    socket.once('close', () => {
      this.#silent.delete(socket);
      if (seat.owner !== null) this.#leave(seat.owner);
    });
    return seat;
  }

  #claim(agent: string): void {
    const own = this.#byAgent.get(agent) ?? 0;
    if (own >= this.#max - this.#claimed) {
      this.turnedAway.crowded++;
      throw new Denial('rate-exceeded', `${agent} has ${own} connections open, as many as there is room for`, {
        headers: ['Retry-After', '1'],
      });
    }
    this.#claimed++;
    this.#byAgent.set(agent, own + 1);
  }

  #leave(agent: string): void {
    this.#claimed--;
    const own = (this.#byAgent.get(agent) ?? 1) - 1;
    if (own === 0) this.#byAgent.delete(agent);
    else this.#byAgent.set(agent, own);
  }

  #evict(): void {
    const [oldest] = this.#silent;
    if (oldest === undefined) return;
    this.turnedAway.silent++;
    this.#silent.delete(oldest);
    oldest.destroy();
  }
}
