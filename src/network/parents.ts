import type { Host } from '../model/host.ts';
import type { ParentProxy } from '../model/parent-proxy.ts';

/** Parent proxies by the hosts they lead to. */
export class Parents {
  readonly #byPattern: ReadonlyMap<string, ParentProxy | null>;

  /**
   * Takes host pattern → parent proxy; null: straight to the host. A pattern is a host, `*.` or `**.` before a name (one
   * label, or one and more), or `**` for every host, addresses included.
   */
  constructor(parents: Iterable<readonly [string, ParentProxy | null]>) {
    this.#byPattern = new Map(parents);
  }

  /** The parent of the nearest pattern: the host itself, then the longest name behind a wildcard. */
  find(host: Host): ParentProxy | null {
    if (this.#byPattern.size === 0) return null;
    const { text } = host;
    const own = this.#byPattern.get(text);
    if (own !== undefined) return own;
    const found = host.kind === 'name' ? this.#findByName(text) : undefined;
    // Null is an answer too: this host has no parent, whatever `**` says.
    return found === undefined ? (this.#byPattern.get('**') ?? null) : found;
  }

  #findByName(text: string): ParentProxy | null | undefined {
    let first = true;
    for (let dot = text.indexOf('.'); dot !== -1; dot = text.indexOf('.', dot + 1)) {
      const name = text.slice(dot);
      const found = (first ? this.#byPattern.get(`*${name}`) : undefined) ?? this.#byPattern.get(`**${name}`);
      if (found !== undefined) return found;
      first = false;
    }
    return undefined;
  }
}
