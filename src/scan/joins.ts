/** Bytes of the shortest secret. */
export const SHORTEST = 16;
/** Bytes of joined text. */
const MOST = 16 * 1024;

/** Segments of a path and values of a query without what parts them; null where there is nothing to join. */
export function joinedTarget(target: string): Buffer | null {
  const question = target.indexOf('?');
  const path = question === -1 ? target : target.slice(0, question);
  const segments = path.split('/');
  const parted = question !== -1 && target.includes('&', question);
  if (!parted && segments.length < 4) return null;
  const values = question === -1 ? [] : target.slice(question + 1).split('&');
  for (let at = 0; at < values.length; at++) {
    const pair = values[at] as string;
    values[at] = pair.slice(pair.indexOf('=') + 1);
  }
  const query = values.join('');
  if (query.length < SHORTEST && path.length < SHORTEST) return null;
  const joined = `${segments.join('')} ${query} ${values.reverse().join('')}`;
  return Buffer.from(joined.length > MOST ? joined.slice(0, MOST) : joined, 'latin1');
}
