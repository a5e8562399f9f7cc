import type { IntentEvent, InterruptedEvent } from '../model/audit-event.ts';
import { GENESIS, eventText } from './chain.ts';
import { AuditLog } from './log.ts';
import { SegmentFile, lanesIn, lastSegment } from './sinks/segment-file.ts';

export interface OpenAuditOptions {
  readonly folder: string;
  /** Which of the gate's processes writes here; the first of one alone. */
  readonly lane: number;
  /** How many lanes are written now: what the others left unfinished is for the first to say. */
  readonly lanes: number;
  /** Name of the process. */
  readonly instance: string;
  readonly version: string;
  readonly clock: () => number;
  readonly defer: (run: () => void) => void;
  readonly onState: (error: unknown) => void;
}

/**
 * Opens a segment that continues the last one of its lane, and says first which exchanges its process left without an end.
 * Throws what the file system throws.
 */
export function openAuditLog(options: OpenAuditOptions): AuditLog {
  const { folder, lane, lanes, instance, version, clock, defer, onState } = options;
  const predecessor = lastSegment(folder, lane);
  const now = new Date(clock());
  const left = lane === 1 ? lanesIn(folder).filter((each) => each > lanes) : [];
  const sink = new SegmentFile(folder, now, lane);
  const audit = new AuditLog({ sink, previous: predecessor?.hash ?? GENESIS, defer, onState });
  const time = now.toISOString();
  const segment = {
    instance,
    kind: 'segment',
    previous: predecessor?.name ?? null,
    time,
    torn: predecessor?.torn ?? 0,
    version,
  } as const;
  audit.append(eventText(segment), null).catch(onState);
  const open = [predecessor, ...left.map((each) => lastSegment(folder, each))].flatMap((each) => each?.open ?? []);
  for (const intent of open) audit.note(eventText(interrupted(intent, time)));
  return audit;
}

function interrupted(
  { agent, exchange, method, path, target, time: began }: IntentEvent,
  time: string,
): InterruptedEvent {
  return { agent, began, exchange, kind: 'interrupted', method, path, target, time };
}
