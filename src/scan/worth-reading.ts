import type { Engine } from './engine.ts';

/**
 * Whether anything may be found in bytes that something short was decoded to: most of what looks encoded is no text, and decodes to
 * noise. Without a literal nothing matches, and readers need text.
 */
export function isWorthReading(bytes: Uint8Array, size: number, engine: Engine): boolean {
  const { kernel, registered, documents } = engine;
  return registered.current.size > 0 || documents.current.size > 0 || kernel.tells(bytes, size);
}
