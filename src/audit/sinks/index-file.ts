import { closeSync, mkdirSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { IndexBuilder, type SegmentIndex } from '../segment-index.ts';

const CHUNK = 4 * 1024 * 1024;

/** Where the index of a segment stands: in a folder beside that of the log, which holds evidence and nothing else. */
export function indexFileOf(segment: string): string {
  return join(`${dirname(segment)}.index`, basename(segment).replace(/jsonl$/, 'json'));
}

/** The index of a segment, where one was made of all that it is now; else null. */
export function readIndex(segment: string): SegmentIndex | null {
  try {
    const index = JSON.parse(readFileSync(indexFileOf(segment), 'utf8')) as SegmentIndex;
    return index.version === 1 && index.size === statSync(segment).size ? index : null;
  } catch {
    return null;
  }
}

/** Makes the index of a segment that is over, and keeps it where that can be. Throws where the segment cannot be read. */
export function makeIndex(segment: string): SegmentIndex {
  const builder = new IndexBuilder();
  const descriptor = openSync(segment, 'r');
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const size = readSync(descriptor, chunk);
      if (size === 0) break;
      builder.push(chunk.subarray(0, size));
    }
  } finally {
    closeSync(descriptor);
  }
  const index = builder.end();
  keep(indexFileOf(segment), index);
  return index;
}

/** Who may only read the log searches all the same. */
function keep(file: string, index: SegmentIndex): void {
  const fresh = `${file}.${process.pid}.new`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(fresh, JSON.stringify(index), { mode: 0o600 });
    renameSync(fresh, file);
  } catch {
    // Made again by the next search.
  }
}
