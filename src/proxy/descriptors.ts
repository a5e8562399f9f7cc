import { readFileSync } from 'node:fs';

/** Files, sockets included, that this process may have open; null where the system does not say. Node has raised it as far as it goes. */
export function descriptorLimit(): number | null {
  try {
    const match = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return match === null ? null : Number(match[1]);
  } catch {
    return null;
  }
}

/** For what is not a connection of an agent: files, listeners, stores. */
const OTHERS = 200;
/** An agent's connection, its upstream's, and one that is kept for later. */
const EACH = 3;

/** Connections of agents there can be, of those that are wanted. */
export function connectionsFor(wanted: number, descriptors: number | null): number {
  if (descriptors === null) return wanted;
  return Math.max(1, Math.min(wanted, Math.floor((descriptors - OTHERS) / EACH)));
}
