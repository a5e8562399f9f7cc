import { KERNEL } from './kernel-bytes.ts';

/** What is used of WebAssembly (https://www.w3.org/TR/wasm-js-api-2/): Node's types leave it to those of browsers. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Memory: new (pages: { initial: number; maximum: number }) => KernelMemory;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

/** The memory of one instance. What was made of its buffer is of no more use once it has grown. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Bytes of a page of memory. */
export const PAGE = 65_536;

let compiled: object | null = null;

/** An instance of the kernel with a memory of its own, and what it exports. */
export function instantiate<Exports>(
  initial: number,
  maximum = initial,
): { readonly memory: KernelMemory; readonly exports: Exports } {
  compiled ??= new WebAssembly.Module(Buffer.from(KERNEL, 'base64'));
  const memory = new WebAssembly.Memory({ initial, maximum });
  const exports = new WebAssembly.Instance(compiled, { env: { memory } }).exports as Exports;
  return { memory, exports };
}
