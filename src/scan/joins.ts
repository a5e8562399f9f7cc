import { FROM, PER_VALUE, TO, valuesIn, type JsonValues } from './json-strings.ts';

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
export function joinedStrings(body: Uint8Array, { places }: JsonValues = valuesIn(body)): Buffer | null {
  let size = 0;
  let count = 0;
  for (let place = 0; place < places.length; place += PER_VALUE) {
    const length = lengthAt(places, place);
    size += length;
    if (length > 0) count++;
  }
  // Less than the shortest secret is no secret cut up.
  if (count < 2 || size < SHORTEST) return null;
  const joined = Buffer.allocUnsafe(2 * size + 1);
  joined[size] = LINE_FEED;
  let put = 0;
  let back = joined.length;
  for (let place = 0; place < places.length; place += PER_VALUE) {
    const length = lengthAt(places, place);
    const from = places[place + FROM] as number;
    back -= length;
    for (let at = 0; at < length; at++) joined[put + at] = joined[back + at] = body[from + at] as number;
    put += length;
  }
  return joined;
}

/** Length of a string that may be a part; 0: it is none. */
function lengthAt(places: readonly number[], place: number): number {
  const length = (places[place + TO] as number) - (places[place + FROM] as number);
  return length > 1 && length <= LONGEST ? length : 0;
}
