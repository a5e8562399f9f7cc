import { join } from 'node:path';
import { z } from 'zod';
import { Registered, type RegisteredValue } from '../scan/registered.ts';
import { Watched, readState, writeWhole } from './watched.ts';

const print = z.strictObject({
  length: z.int().min(1),
  anchors: z.array(z.number()).length(4),
  digest: z.string().regex(/^[0-9a-f]{32}$/),
});
const value = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
  kind: z.enum(['value', 'canary']),
  registered: z.string(),
  belongsTo: z.array(z.string()),
  prints: z.array(print).min(1),
});
const file = z.strictObject({ version: z.literal(1), values: z.array(value) });

export function registryFile(state: string): string {
  return join(state, 'registered.json');
}

/** Values that were registered. Throws an Error with one line for a file that no gate wrote. */
export function readRegistry(path: string): readonly RegisteredValue[] {
  return readState(path, (value) => file.parse(value).values, 'register values') ?? [];
}

export function writeRegistry(path: string, values: readonly RegisteredValue[]): void {
  writeWhole(path, `${JSON.stringify({ version: 1, values }, null, 1)}\n`);
}

/** The registered values as they stand in the state folder, taken up while the gate runs. */
export function watchRegistry(state: string, key: Buffer, failed: (error: Error) => void): Watched<Registered> {
  const path = registryFile(state);
  return new Watched(path, () => new Registered(readRegistry(path), key), failed);
}
