import { brotliDecompressSync, constants } from 'node:zlib';

const LEAST = 16;
const EXPANSION = 64;
/** Little may expand to as much as this all the same: text that repeats itself. */
const ROOM = 128 * 1024;

/**
 * What the first `size` bytes expand to as Brotli (RFC 7932); null where they are something else. Brotli has no mark of its
 * own: only streams with the windows that encoders choose by themselves (22 and 24 bits) are tried.
 */
export function unbrotli(bytes: Uint8Array, size: number): Buffer | null {
  try {
    const given = Buffer.from(bytes.buffer, bytes.byteOffset, size);
    const expanded = brotliDecompressSync(given, {
      maxOutputLength: mostOf(size),
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
    });
    return expanded.length === 0 ? null : expanded;
  } catch {
    return null;
  }
}

/**
 * Windows of 22 or 24 bits, then either a last block (RFC 7932 §9.2), whose length follows in two bytes, or one of several, of
 * which no more is known.
 */
export function mayBeBrotli(bytes: Uint8Array, size: number): boolean {
  if (size < LEAST) return false;
  const first = bytes[0] as number;
  const window = first & 15;
  if (window !== 0x0b && window !== 0x0f) return false;
  const rest = first >> 4;
  if (rest === 0 || rest === 8) return true;
  const length = (bytes[1] as number) + ((bytes[2] as number) << 8) + 1;
  return rest === 1 && length >= size / 2 && length <= mostOf(size);
}

function mostOf(size: number): number {
  return Math.max(EXPANSION * size, ROOM);
}
