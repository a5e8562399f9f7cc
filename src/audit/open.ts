import { basename } from 'node:path';
import type { AuditLogEvent, IntentEvent, InterruptedEvent, SegmentEvent } from '../model/audit-event.ts';
import { GENESIS, eventText } from './chain.ts';
import { AuditLog, type AuditLogOptions, type Segment } from './log.ts';
import { Tampered } from './notary.ts';
import { currentKey, openAuditKey, type AuditKey } from './sinks/audit-keys.ts';
import { NotaryThread, notaryHere, type MovableNotarizer } from './sinks/notary.ts';
import { SegmentFile, segmentName, timeOf } from './sinks/segment-file.ts';
import { lanesIn, lastSegment } from './sinks/segments.ts';

export interface OpenAuditOptions extends Pick<
  AuditLogOptions,
  'defer' | 'durability' | 'checkpoint' | 'rotate' | 'onState'
> {
  readonly folder: string;
  /** Folder of the keys that sign. */
  readonly keys: string;
  /** Which of the gate's processes writes here; the first of one alone. */
  readonly lane: number;
  /** How many lanes are written now: what the others left unfinished is for the first to say. */
  readonly lanes: number;
  /** Name of the process. */
  readonly instance: string;
  readonly version: string;
  readonly clock: () => number;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Opens a segment that continues the last one of its lane, and says first which exchanges its process left without an end.
 * Throws what the file system throws.
 */
export function openAuditLog(options: OpenAuditOptions): AuditLog {
  const { folder, lane, lanes, clock } = options;
  const predecessor = lastSegment(folder, lane);
  const left = lane === 1 ? lanesIn(folder).filter((each) => each > lanes) : [];
  const segments = new Segments(options, predecessor);
  const log = new AuditLog({
    ...options,
    segment: segments.next(),
    next: () => segments.next(),
    previous: predecessor?.hash ?? GENESIS,
    isOver: () => segments.keyHasChanged,
    onTrouble: (error) => segments.trouble(error),
    onClosed: () => segments.close(),
  });
  segments.listen(log);
  const open = [predecessor, ...left.map((each) => lastSegment(folder, each))].flatMap((each) => each?.open ?? []);
  const time = new Date(clock()).toISOString();
  for (const intent of open) log.note(eventText(interrupted(intent, time)));
  return log;
}

/** Makes one segment after another, each with its first event and its notary. */
class Segments {
  readonly #options: OpenAuditOptions;
  readonly #thread: NotaryThread | null;
  #log: AuditLog | null = null;
  #name: string | null;
  /** Bytes that the last one has behind its last seal. */
  #torn: number;
  #key: AuditKey | null = null;

  constructor(options: OpenAuditOptions, last: { readonly name: string; readonly torn: number } | null) {
    this.#options = options;
    this.#thread = NotaryThread.available ? new NotaryThread(options.clock) : null;
    this.#name = last?.name ?? null;
    this.#torn = last?.torn ?? 0;
  }

  /** Who is told what happened to a file. */
  listen(log: AuditLog): void {
    this.#log = log;
  }

  /** Another key signs from the next segment on. */
  get keyHasChanged(): boolean {
    return this.#currentKey().text !== this.#key?.text;
  }

  /** The key in the folder; the one in use where that has none any more, or cannot be read: a log is not signed by a key out of nowhere. */
  #currentKey(): AuditKey {
    const { keys, onTrouble } = this.#options;
    if (this.#key === null) return openAuditKey(keys);
    try {
      return currentKey(keys) ?? this.#key;
    } catch (error) {
      onTrouble(error);
      return this.#key;
    }
  }

  /** What is on disk is not what was written: that is put on record, in a segment of its own. */
  trouble(error: unknown): void {
    this.#options.onTrouble(error);
    if (!(error instanceof Tampered) || this.#log === null) return;
    const segment = this.#name ?? '';
    this.#log.rotate();
    this.#record({ action: 'changed', detail: error.message, segment });
  }

  close(): void {
    this.#thread?.close();
  }

  next(): Segment {
    const { folder, lane, clock, durability } = this.#options;
    // A clock that was set back must not put it before the one it continues.
    const made = Math.max(clock(), this.#name === null ? 0 : timeOf(this.#name) + 1);
    const name = segmentName(made, lane);
    const key = this.#currentKey();
    let notary: MovableNotarizer | null = null;
    const onRestored = (file: string): void => {
      notary?.moved(file);
      this.#restored(basename(file));
    };
    const sink = new SegmentFile(folder, name, { durable: durability === 'disk', onRestored });
    const begin: Segment['begin'] = (previous, carried) => {
      const header = this.#header({ name, previous, key, carried });
      this.#name = name;
      this.#torn = 0;
      this.#key = key;
      const segment = { file: sink.file, origin: header.origin, previous, key };
      notary = this.#thread?.open(segment) ?? notaryHere(segment, clock);
      return { header: eventText(header), notary };
    };
    return { sink, begin };
  }

  #header({ name, previous, key, carried }: Beginning): SegmentEvent {
    const { instance, lane, version, clock } = this.#options;
    const { text, endorsement } = key;
    return {
      ...(carried.length === 0 ? {} : { carried }),
      continues: previous,
      ...(endorsement === null ? {} : { endorsement }),
      instance,
      key: text,
      kind: 'segment',
      lane,
      origin: `${key.name}/${name.replace(/\.jsonl$/, '')}`,
      previous: this.#name,
      time: new Date(clock()).toISOString(),
      torn: this.#torn,
      version,
    };
  }

  #restored(segment: string): void {
    const detail = 'the file of the segment was deleted, and has been written again';
    // Under another name, where somebody has put a file in its place.
    this.#name = segment;
    this.#options.onTrouble(new Error(`${detail}: ${segment}`));
    this.#record({ action: 'restored', detail, segment });
  }

  #record({
    action,
    detail,
    segment,
  }: Pick<AuditLogEvent, 'action' | 'detail' | 'segment'> & { readonly segment: string }): void {
    const time = new Date(this.#options.clock()).toISOString();
    this.#log?.note(eventText({ action, detail, kind: 'audit-log', segment, time }));
  }
}

/** What the first event of a segment is made of. */
interface Beginning {
  readonly name: string;
  readonly previous: string;
  readonly key: AuditKey;
  readonly carried: readonly IntentEvent[];
}

function interrupted(
  { agent, exchange, method, path, target, time: began }: IntentEvent,
  time: string,
): InterruptedEvent {
  return { agent, began, exchange, kind: 'interrupted', method, path, target, time };
}
