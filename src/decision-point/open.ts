import { readFileSync } from 'node:fs';
import type { SecureContext } from 'node:tls';
import { errorCode } from '../model/error-code.ts';
import type { DecisionPoints } from './decision-point.ts';
import { OpaServer } from './opa.ts';
import { WasmPolicy } from './wasm.ts';

/** What is said of decision points in the configuration. */
export interface DecisionPointTerms {
  readonly opa: {
    readonly url: URL;
    readonly path: string;
    /** Milliseconds. */
    readonly timeout: number;
    readonly tokenFile: string | null;
  } | null;
  readonly wasm: {
    readonly file: string;
    readonly entrypoint: string;
    readonly data: string | null;
  } | null;
  /** What inputs hold beside what they always hold. */
  readonly input: { readonly headers: readonly string[]; readonly body: boolean };
}

/** A file that is not what the configuration says it is. */
export class DecisionPointError extends Error {
  override name = 'DecisionPointError';
  readonly file: string;

  constructor(file: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.file = file;
  }
}

/** Opens what the configuration names, and again when its files have changed; connections to a server are kept over that. */
export class DecisionPointOpener {
  readonly #terms: DecisionPointTerms;
  readonly #server: OpaServer | null;

  constructor(terms: DecisionPointTerms, trust: SecureContext) {
    this.#terms = terms;
    this.#server = terms.opa === null ? null : new OpaServer({ ...terms.opa, trust });
  }

  /** Who is to be asked; in this process first, for that is quicker. Throws DecisionPointError, and changes nothing. */
  open(): DecisionPoints {
    const { opa, wasm, input } = this.#terms;
    const compiled = wasm === null ? [] : [openWasm(wasm)];
    if (this.#server !== null) this.#server.token = tokenOf(opa?.tokenFile ?? null);
    return {
      points: [...compiled, ...(this.#server === null ? [] : [this.#server])],
      headers: new Set(input.headers.map((name) => name.toLowerCase())),
      body: input.body,
    };
  }

  close(): void {
    this.#server?.close();
  }
}

function openWasm({ file, entrypoint, data }: NonNullable<DecisionPointTerms['wasm']>): WasmPolicy {
  const bytes = read('policy.wasm.file', file);
  const document = data === null ? {} : parseData(data);
  try {
    return new WasmPolicy({ bytes, entrypoint, data: document });
  } catch (error) {
    throw new DecisionPointError(file, (error as Error).message, error);
  }
}

function parseData(file: string): object {
  const text = read('policy.wasm.data', file).toString('utf8');
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below.
  }
  throw new DecisionPointError(file, 'it is not a JSON object (policy.wasm.data)');
}

function tokenOf(file: string | null): string | null {
  if (file === null) return null;
  const token = read('policy.opa.token-file', file).toString('utf8').trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new DecisionPointError(file, 'it does not hold a token on one line (policy.opa.token-file)');
}

function read(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new DecisionPointError(file, `it cannot be read: ${errorCode(error)} (${setting})`, error);
  }
}
