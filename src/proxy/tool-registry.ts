import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../model/error-code.ts';
import { NO_CHANGED_TOOLS, type ToolReview } from '../policy/content/tools.ts';
import type { Log } from '../telemetry/log.ts';

const seen = z.strictObject({ fingerprint: z.string(), seen: z.string() });
const file = z.strictObject({
  version: z.literal(1),
  /** By server (`scheme://host:port`), then by tool. */
  servers: z.record(z.string(), z.record(z.string(), seen.extend({ changed: seen.optional() }))),
});
type ToolFile = z.infer<typeof file>;

/** Tools of one server that are remembered: far above what any has, far below what fills memory. */
const MAX_TOOLS = 2000;
const MAX_SERVERS = 2000;

/** Where the tools of servers are remembered. */
export const toolsFile = (state: string): string => join(state, 'tools.json');

/** Reads what is remembered of tools. Throws an Error with one line for a file that is not that. */
export function readTools(path: string): ToolFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { version: 1, servers: {} };
    throw new Error(`${path} cannot be read: ${errorCode(error)}`, { cause: error });
  }
  try {
    return file.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${path} is not what the gate wrote there: restore it, or remove it and review every tool again`, {
      cause: error,
    });
  }
}

/** Writes it beside and renames: whoever reads the file reads all of it. */
export function writeTools(path: string, tools: ToolFile): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(tools, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** What a process has seen of a tool, for the one that writes it down. */
export interface ToolNews {
  readonly server: string;
  readonly tool: string;
  readonly entry: ToolFile['servers'][string][string];
}

/**
 * What tools were when they were first seen. A tool whose description or schema is another later is not shown and may not
 * be called until a person has acknowledged it (`sallyport tools ack`): what a model reads of a tool tells it what to do.
 */
export class ToolRegistry {
  readonly #path: string;
  readonly #clock: () => number;
  readonly #log: Log;
  readonly #tell: ((news: ToolNews) => void) | null;
  #tools: ToolFile;
  #stamp: string;
  readonly #changed = new Map<string, ReadonlySet<string>>();

  /** `tell`: another process writes the file; it is told what was seen. */
  constructor(path: string, clock: () => number, log: Log, tell: ((news: ToolNews) => void) | null = null) {
    this.#tell = tell;
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
    this.#tools = readTools(path);
    this.#stamp = stampOf(path);
  }

  /** Tools of a server that have changed, and were not acknowledged. */
  changed(server: string): ReadonlySet<string> {
    this.#refresh();
    let names = this.#changed.get(server);
    if (names === undefined) {
      const own = Object.entries(this.#tools.servers[server] ?? {}).filter(([, tool]) => tool.changed !== undefined);
      names = own.length === 0 ? NO_CHANGED_TOOLS : new Set(own.map(([name]) => name));
      this.#changed.set(server, names);
    }
    return names;
  }

  reviewOf(server: string): ToolReview {
    return { stands: (tool, fingerprint) => this.#stands(server, tool, fingerprint) };
  }

  #stands(server: string, tool: string, fingerprint: string): boolean {
    this.#refresh();
    const own = this.#tools.servers[server] ?? {};
    const known = Object.hasOwn(own, tool) ? own[tool] : undefined;
    if (known?.fingerprint === fingerprint && known.changed === undefined) return true;
    // A change that is taken back is one all the same: whoever reviews it sees that it was there.
    if (known?.changed !== undefined && known.changed.fingerprint === fingerprint) return false;
    const now = { fingerprint, seen: new Date(this.#clock()).toISOString() };
    if (known === undefined) {
      const room = Object.keys(own).length < MAX_TOOLS && Object.keys(this.#tools.servers).length < MAX_SERVERS;
      if (room) this.#keep({ server, tool, entry: now });
      return room;
    }
    if (known.fingerprint === fingerprint) return false;
    this.#keep({ server, tool, entry: { ...known, changed: now } });
    this.#log.warn(
      { server, tool, reason: 'tool-changed' },
      'a tool is not what it was when it was first seen: it is denied until acknowledged (sallyport tools)',
    );
    return false;
  }

  /** Takes up what another process has seen: the first who saw a tool is right, and a change stays one. */
  learn(news: ToolNews): void {
    this.#refresh();
    const own = this.#tools.servers[news.server] ?? {};
    const known = Object.hasOwn(own, news.tool) ? own[news.tool] : undefined;
    if (known === undefined) this.#keep(news);
    else if (
      known.changed === undefined &&
      news.entry.fingerprint === known.fingerprint &&
      news.entry.changed !== undefined
    )
      this.#keep(news);
    else if (known.changed === undefined && news.entry.fingerprint !== known.fingerprint)
      this.#keep({ ...news, entry: { ...known, changed: news.entry } });
  }

  #keep(news: ToolNews): void {
    const { server, tool, entry } = news;
    const own = { ...this.#tools.servers[server], [tool]: entry };
    this.#tools = { version: 1, servers: { ...this.#tools.servers, [server]: own } };
    this.#changed.clear();
    if (this.#tell !== null) {
      this.#tell(news);
      return;
    }
    try {
      writeTools(this.#path, this.#tools);
      this.#stamp = stampOf(this.#path);
    } catch (error) {
      // What was seen still counts for as long as the gate runs.
      this.#log.error({ err: error }, 'what was seen of tools cannot be written');
    }
  }

  /** Takes up what an acknowledgement wrote. */
  #refresh(): void {
    const stamp = stampOf(this.#path);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#tools = readTools(this.#path);
      this.#changed.clear();
    } catch (error) {
      this.#log.error(`${(error as Error).message}; what was known before stays`);
    }
  }
}

function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
}
