import { join } from 'node:path';
import { z } from 'zod';
import { Documents, type DocumentPrints } from '../scan/document-index.ts';
import { Watched, readState, writeWhole } from './watched.ts';

/** Prints of all documents together: 12 bytes of memory each, in each process of a gate. */
export const MOST_PRINTS = 4_000_000;

const document = z.strictObject({
  name: z.string().min(1).max(1000),
  added: z.string(),
  /** Prints as doubles, little-endian, in Base64. */
  prints: z.base64(),
});
const file = z.strictObject({ version: z.literal(1), documents: z.array(document) });

export function documentsFile(state: string): string {
  return join(state, 'documents.json');
}

/** Documents that were added. Throws an Error with one line for a file that no gate wrote. */
export function readDocuments(path: string): readonly DocumentPrints[] {
  const read = (value: unknown): DocumentPrints[] =>
    file.parse(value).documents.map((each) => ({ ...each, prints: decoded(each.prints) }));
  return readState(path, read, 'add documents') ?? [];
}

function decoded(text: string): Float64Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % 8 !== 0) throw new Error('prints of an odd length');
  return Float64Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(8 * index));
}

export function writeDocuments(path: string, documents: readonly DocumentPrints[]): void {
  const encoded = documents.map(({ name, added, prints }) => {
    const bytes = Buffer.alloc(8 * prints.length);
    prints.forEach((print, index) => bytes.writeDoubleLE(print, 8 * index));
    return { name, added, prints: bytes.toString('base64') };
  });
  writeWhole(path, `${JSON.stringify({ version: 1, documents: encoded })}\n`);
}

/** The documents as they stand in the state folder, taken up while the gate runs. */
export function watchDocuments(state: string, key: Buffer, failed: (error: Error) => void): Watched<Documents> {
  const path = documentsFile(state);
  return new Watched(path, () => new Documents(readDocuments(path), key), failed);
}
