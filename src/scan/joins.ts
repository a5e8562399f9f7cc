import { eachString } from './json-strings.ts';

/** Longer strings hold no part of a secret that was cut up: cutting makes short ones. */
const LONGEST = 96;
/** Bytes of the shortest secret. */
const SHORTEST = 16;
const LINE_FEED = 0x0a;
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

/** The short strings of a JSON text without what stands between them: values, then values in reverse. */
export function joinedStrings(body: Uint8Array): Buffer | null {
  const places: number[] = [];
  let size = 0;
  eachString(body, (from, to, isName, hasSpace) => {
    // A part of a secret has no spaces in it; sentences have.
    if (!isName && !hasSpace && to - from <= LONGEST && to > from + 1) {
      places.push(from, to);
      size += to - from;
    }
    return size < MOST;
  });
  // Less than the shortest secret is no secret cut up.
  if (places.length < 4 || size < SHORTEST) return null;
  const joined = Buffer.allocUnsafe(2 * size + 1);
  let put = 0;
  const copy = (place: number): void => {
    for (let from = places[place] as number; from < (places[place + 1] as number); from++)
      joined[put++] = body[from] as number;
  };
  for (let place = 0; place < places.length; place += 2) copy(place);
  joined[put++] = LINE_FEED;
  for (let place = places.length - 2; place >= 0; place -= 2) copy(place);
  return joined.subarray(0, put);
}
