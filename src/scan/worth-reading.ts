import type { Engine } from './engine.ts';

/**
 * Whether anything may be found in bytes that something short was decoded to: most of what looks encoded is no text, and decodes to
 * noise. Without a literal or a part of a value of one's own nothing matches, and readers need text.
 */
export function isWorthReading(bytes: Uint8Array, size: number, engine: Engine): boolean {
  return isAllSought(engine) || engine.kernel.tells(bytes, size);
}

/** The same for what characters [from, to), few of them, decode to as Base64, told for all alignments at once. */
export function isWorthDecoding(chars: Uint8Array, from: number, to: number, engine: Engine): boolean {
  return isAllSought(engine) || engine.kernel.tellsBase64(chars, from, to);
}

/** Whether anything at all may be sought: documents may be any bytes, and so may more values than the kernel has room for. */
export function isAllSought({ kernel, registered, documents }: Engine): boolean {
  return documents.current.size > 0 || !kernel.seek(registered.current);
}
