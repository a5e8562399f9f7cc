import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { SessionKey } from '../identity/session-token.ts';
import { errorCode } from '../model/error-code.ts';
import { LONGEST_SESSION } from '../model/session.ts';

const key = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{8}$/),
  secret: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  made: z.number(),
});
const file = z.strictObject({ version: z.literal(1), keys: z.array(key).min(1) });
type KeyFile = z.infer<typeof file>;

export interface SessionKeysOptions {
  readonly path: string;
  /** Milliseconds a key signs before the next one does. */
  readonly rotate: number;
  readonly clock: () => number;
}

/**
 * The keys that sign sessions, the newest last. Gates that share the file take each other's sessions; what one of them
 * changes there the others see.
 */
export class SessionKeys {
  readonly #options: SessionKeysOptions;
  #file: KeyFile;
  #byId: ReadonlyMap<string, SessionKey>;
  #stamp = '';

  /** Throws an Error with one line for a file that holds no keys. */
  constructor(options: SessionKeysOptions) {
    this.#options = options;
    this.#file = this.#read() ?? this.#write([this.#make()]);
    this.#byId = new Map();
    this.#take(this.#file);
  }

  /** All keys that are accepted, by id. */
  get all(): ReadonlyMap<string, SessionKey> {
    this.#refresh();
    return this.#byId;
  }

  /** The key to sign with; a new one where the last has signed long enough. */
  signing(): SessionKey {
    this.#refresh();
    const last = this.#file.keys.at(-1);
    if (last === undefined || this.#options.clock() - last.made >= this.#options.rotate) this.rotate();
    return this.#file.keys.at(-1) as SessionKey;
  }

  /** Signs with a new key from now on; old ones are kept that much longer than they sign, until what they signed has ended. */
  rotate(): void {
    const { rotate, clock } = this.#options;
    const young = this.#file.keys.filter(({ made }) => clock() - made < rotate + LONGEST_SESSION);
    this.#take(this.#write([...young, this.#make()]));
  }

  /** Accepts nothing any more that was signed before. */
  revokeAll(): void {
    this.#take(this.#write([this.#make()]));
  }

  #make(): KeyFile['keys'][number] {
    const [id, secret] = [randomBytes(4).toString('hex'), randomBytes(32).toString('base64url')];
    return { id, secret, made: this.#options.clock() };
  }

  #take(keys: KeyFile): void {
    this.#file = keys;
    this.#byId = new Map(keys.keys.map((each) => [each.id, each]));
    this.#stamp = this.#stampNow();
  }

  #refresh(): void {
    if (this.#stampNow() === this.#stamp) return;
    const read = this.#read();
    if (read !== null) this.#take(read);
  }

  #stampNow(): string {
    const stat = statSync(this.#options.path, { throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
  }

  #read(): KeyFile | null {
    const { path } = this.#options;
    let text: string;
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return null;
      throw new Error(`${path} cannot be read: ${errorCode(error)}`, { cause: error });
    }
    const read = file.safeParse(parse(text));
    if (read.success) return read.data;
    throw new Error(`${path} holds no session keys: restore it, or remove it and make every session anew`);
  }

  #write(keys: KeyFile['keys']): KeyFile {
    const { path } = this.#options;
    const made: KeyFile = { version: 1, keys };
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return made;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
