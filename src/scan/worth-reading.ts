import type { Engine } from './engine.ts';

/** Nothing that readers find is shorter, in bytes of text one after another. */
const LEAST = 8;
/** Bytes of text in ASCII, and NUL, which stands between the letters of other encodings. */
const TEXT = Uint8Array.from({ length: 128 }, (_, byte) =>
  (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d) || byte === 0 ? 1 : 0,
);

/**
 * Whether anything may be found in bytes that something short was decoded to: most of what looks encoded is no text, and decodes to
 * noise. Without a literal nothing matches, and readers need text.
 */
export function isWorthReading(bytes: Uint8Array, size: number, engine: Engine): boolean {
  const { kernel, registered, documents } = engine;
  if (registered.current.size > 0 || documents.current.size > 0 || holdsText(bytes, size)) return true;
  kernel.run(bytes, { from: 0, to: size, pending: 0, final: true });
  return kernel.count > 0;
}

function holdsText(bytes: Uint8Array, size: number): boolean {
  let length = 0;
  for (let at = 0; at < size; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x80) length = TEXT[byte] === 1 ? length + 1 : 0;
    else {
      const more = bytesOfCharacter(bytes, at, size);
      length = more === 0 ? 0 : length + more;
      at += Math.max(0, more - 1);
    }
    if (length >= LEAST) return true;
  }
  return false;
}

/** Bytes of the character of UTF-8 that begins at an index, beyond ASCII; 0: none does. */
function bytesOfCharacter(bytes: Uint8Array, at: number, size: number): number {
  const lead = bytes[at] as number;
  const length = lead >= 0xf5 || lead < 0xc2 ? 0 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  for (let next = at + 1; next < at + length; next++)
    if (next >= size || ((bytes[next] as number) & 0xc0) !== 0x80) return 0;
  return length;
}
