import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../model/error-code.ts';
import { listFiles } from '../policy/source.ts';

const generation = z.string().regex(/^[0-9a-f]{16}$/);
const file = z.strictObject({
  version: z.literal(1),
  /** What has been in force, the latest last. */
  history: z.array(z.strictObject({ generation, since: z.string() })),
  /** What is tried out, and since when. */
  canary: z.strictObject({ generation, since: z.string() }).nullable(),
  /** What was taken back: it comes into force again only when somebody says so. */
  rejected: z.array(z.strictObject({ generation, time: z.string(), by: z.string(), reason: z.string() })),
});

export type GenerationState = z.infer<typeof file>;

export const NO_GENERATIONS: GenerationState = { version: 1, history: [], canary: null, rejected: [] };

/** Generations that are kept: enough to go back a few, not a second version control. */
const KEPT = 10;

/** The rules that have been in force, kept below `state/` so that one can go back to them whatever the folder of rules says. */
export class GenerationStore {
  readonly #folder: string;

  constructor(state: string) {
    this.#folder = join(state, 'policy');
  }

  /** What is remembered. Throws an Error with one line for a file that is not what was written. */
  read(): GenerationState {
    const path = join(this.#folder, 'generations.json');
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return NO_GENERATIONS;
      throw new Error(`state: ${path} cannot be read: ${errorCode(error)}`, { cause: error });
    }
    try {
      return file.parse(JSON.parse(text));
    } catch (error) {
      throw new Error(
        `state: ${path} is not what the gate wrote there: restore it, or remove it to start from the rules as they are`,
        { cause: error },
      );
    }
  }

  /** Written beside and renamed: whoever reads it reads all of it. Copies nobody needs any more are removed. */
  write(state: GenerationState): GenerationState {
    const kept = { ...state, history: state.history.slice(-KEPT), rejected: state.rejected.slice(-KEPT) };
    const path = join(this.#folder, 'generations.json');
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.new`, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    const needed = new Set([...kept.history.map((each) => each.generation), kept.canary?.generation]);
    for (const name of readdirSync(this.#folder))
      if (/^[0-9a-f]{16}$/.test(name) && !needed.has(name))
        rmSync(join(this.#folder, name), { recursive: true, force: true });
    return kept;
  }

  /** Keeps a copy of the rule files below `root`, as they are now. */
  keep(id: string, root: string): void {
    const copy = join(this.#folder, id);
    if (statSync(copy, { throwIfNoEntry: false }) !== undefined) return;
    const unfinished = `${copy}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true, mode: 0o700 });
    for (const each of listFiles(root, [])) {
      const to = join(unfinished, basename(root), relative(root, each));
      mkdirSync(dirname(to), { recursive: true });
      cpSync(each, to, { dereference: true });
    }
    renameSync(unfinished, copy);
  }

  /** Where the copy of a generation lies: the folder (or file) of rules as it was; null where there is none. */
  rootOf(id: string): string | null {
    try {
      const name = readdirSync(join(this.#folder, id))[0];
      return name === undefined ? null : join(this.#folder, id, name);
    } catch {
      return null;
    }
  }
}
