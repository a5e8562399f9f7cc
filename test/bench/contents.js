// What large bodies are made of. Noise is what most of them are, archives, images and packs; text is what is read most closely.
import { randomBytes } from 'node:crypto';

/** What nobody can make smaller. */
export const noise = (size) => randomBytes(size);

/** Lines of a log, no two of them alike. */
export function log(size) {
  const lines = [];
  let length = 0;
  for (let number = 0; length < size; number++) {
    const time = new Date(1_700_000_000_000 + number * 137).toISOString();
    const line = `${time} INFO worker-${number % 7} served GET /items/${number * 31} to 10.0.${number % 4}.${number % 250} in ${(number * 13) % 900} ms, ${number % 5} left in the queue\n`;
    lines.push(line);
    length += line.length;
  }
  return Buffer.from(lines.join('')).subarray(0, size);
}

/** What a row asks for, by its name. */
export const CONTENTS = { noise, log };
