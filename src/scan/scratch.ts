/** How deep encodings may be nested. Deeper ones are read as what they are. */
export const DEEPEST = 4;

/**
 * Room to decode into, one for each depth: before what a view is fed is copied, the views below it may have to be read, and
 * these decode something too.
 */
export function scratch(size: number): (depth: number) => Uint8Array {
  const rooms = Array.from({ length: DEEPEST + 1 }, () => new Uint8Array(size));
  return (depth) => rooms[depth] as Uint8Array;
}
