import { brotliDecompressSync, constants } from 'node:zlib';

const LEAST = 16;
const EXPANSION = 64;

/**
 * What the first `size` bytes expand to as Brotli (RFC 7932); null where they are something else. Brotli has no mark of its
 * own: only streams with the windows that encoders choose by themselves (22 and 24 bits) are tried.
 */
export function unbrotli(bytes: Uint8Array, size: number): Buffer | null {
  const window = (bytes[0] as number) & 15;
  if (size < LEAST || (window !== 0x0b && window !== 0x0f)) return null;
  try {
    const given = Buffer.from(bytes.buffer, bytes.byteOffset, size);
    const expanded = brotliDecompressSync(given, {
      maxOutputLength: EXPANSION * size,
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
    });
    return expanded.length === 0 ? null : expanded;
  } catch {
    return null;
  }
}
