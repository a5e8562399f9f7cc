import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Search, type FoundEvent, type Wanted } from '../audit/search.ts';
import { placesOf } from '../audit/segment-index.ts';
import { makeIndex, readIndex } from '../audit/sinks/index-file.ts';
import { timeOf } from '../audit/sinks/segment-file.ts';
import { auditFiles } from './audit-files.ts';
import { GrowingFile } from './growing-file.ts';
import { progress } from './progress.ts';

/** Bytes of a segment that are read at once. */
const CHUNK = 4 * 1024 * 1024;
const LF = 0x0a;

/** Events of all segments; those of one lane in order, lanes one after another. */
export function* eventsIn(path: string, wanted: Wanted): Generator<FoundEvent> {
  const { folder, lanes } = auditFiles(path);
  const finder = new Search(wanted);
  const segments = [...lanes.values()].flat().length;
  let done = 0;
  for (const names of lanes.values())
    for (const [index, name] of names.entries()) {
      progress(++done, segments, name);
      // The next one begins where this one ends.
      const end = names[index + 1];
      if (wanted.since !== undefined && end !== undefined && timeOf(end) < wanted.since && timeOf(end) > 0) continue;
      if (wanted.until !== undefined && timeOf(name) > wanted.until) continue;
      yield* eventsOf(join(folder, name), end !== undefined, wanted, finder);
    }
}

/** Events of a segment: of one that is over, only where its index says that something may be. */
function* eventsOf(file: string, isOver: boolean, wanted: Wanted, finder: Search): Generator<FoundEvent> {
  const isNarrow = Object.values(wanted).some((each) => each !== undefined);
  const index = isOver && isNarrow ? (readIndex(file) ?? makeIndex(file)) : null;
  if (index === null) {
    for (const bytes of new GrowingFile(file).more()) yield* finder.in(bytes);
    return;
  }
  const descriptor = openSync(file, 'r');
  try {
    for (const [from, to] of placesOf(index, wanted))
      for (const bytes of wholeLines(descriptor, from, to)) yield* finder.in(bytes);
  } finally {
    closeSync(descriptor);
  }
}

/** A part of a file that begins and ends with whole lines, in pieces that do. */
function* wholeLines(descriptor: number, from: number, to: number): Generator<Buffer> {
  let rest = Buffer.alloc(0);
  for (let at = from; at < to;) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, to - at));
    const size = readSync(descriptor, chunk, 0, chunk.length, at);
    if (size === 0) break;
    at += size;
    const bytes = rest.length === 0 ? chunk.subarray(0, size) : Buffer.concat([rest, chunk.subarray(0, size)]);
    const end = bytes.lastIndexOf(LF) + 1;
    yield bytes.subarray(0, end);
    rest = bytes.subarray(end);
  }
}
