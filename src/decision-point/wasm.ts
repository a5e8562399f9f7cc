import { createRequire } from 'node:module';
import type { LoadedPolicy } from '@open-policy-agent/opa-wasm';
import type { DecisionPoint } from './decision-point.ts';

type Library = typeof import('@open-policy-agent/opa-wasm');
/** Loaded where a policy is; its ES module leaves out the function that does without promises. */
const library = (): Library => createRequire(import.meta.url)('@open-policy-agent/opa-wasm') as Library;

export interface WasmOptions {
  /** What `opa build -t wasm` made: the bytes of `policy.wasm`. */
  readonly bytes: Uint8Array;
  readonly entrypoint: string;
  /** The document `data`. */
  readonly data: object;
}

/** 64 KiB pages: what a policy may use at most (256 MiB). */
const MAX_PAGES = 4096;

/** A policy that its users compiled to WebAssembly, asked in this process. Throws for bytes that are no such policy. */
export class WasmPolicy implements DecisionPoint {
  readonly name = 'wasm';
  readonly #options: WasmOptions;
  #policy: LoadedPolicy;

  constructor(options: WasmOptions) {
    this.#options = options;
    try {
      this.#policy = this.#instance();
    } catch (error) {
      throw new Error(`it is not a policy that OPA compiled: ${wordsOf(error)}`, { cause: error });
    }
    const { entrypoint } = options;
    const known = Object.keys(this.#policy.entrypoints as object);
    if (!known.includes(entrypoint))
      throw new Error(`it has no entrypoint "${entrypoint}", but ${known.join(', ')} (opa build -e names them)`);
  }

  ask(input: string): unknown {
    try {
      const bytes = new TextEncoder().encode(input);
      const results = this.#policy.evaluate(bytes.buffer, this.#options.entrypoint) as unknown;
      // A set of results, one for each way the rule can hold: a complete rule has one, an undefined one none.
      const first: unknown = Array.isArray(results) ? results[0] : undefined;
      return typeof first === 'object' && first !== null && 'result' in first ? first.result : undefined;
    } catch (error) {
      // What a trap leaves behind is not known: the next input meets a fresh one.
      this.#policy = this.#instance();
      throw new Error(wordsOf(error), { cause: error });
    }
  }

  #instance(): LoadedPolicy {
    const policy = library().loadPolicySync(this.#options.bytes, { initial: 5, maximum: MAX_PAGES });
    policy.setData(this.#options.data);
    return policy;
  }
}

/** The library throws plain strings. */
function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
