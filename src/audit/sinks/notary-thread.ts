import { isMainThread, workerData, type MessagePort } from 'node:worker_threads';
import { Tampered } from '../notary.ts';
import { makeIndex } from './index-file.ts';
import { SegmentNotary, type SegmentToSign } from './segment-notary.ts';

/** What a signing thread is started with. `answers` counts what it has answered, for who waits without an event loop. */
export interface NotaryStart {
  readonly port: MessagePort;
  readonly answers: Int32Array;
}

/** What it is told. */
export type NotaryTask =
  | { readonly kind: 'open'; readonly segment: SegmentToSign }
  | { readonly kind: 'moved'; readonly file: string }
  | {
      readonly kind: 'checkpoint';
      readonly id: number;
      readonly to: number;
      readonly seal: string;
      readonly time: number;
    };

/** What it answers to a checkpoint. */
export interface NotaryAnswer {
  readonly id: number;
  /** Null where it has not signed. */
  readonly note: string | null;
  readonly problem: string | null;
  /** What is on disk is not what was written. */
  readonly tampered: boolean;
}

/** Serves whoever has the other end of the port. */
export function serveNotary({ port, answers }: NotaryStart): void {
  let notary: SegmentNotary | null = null;
  port.on('message', (task: NotaryTask) => {
    if (task.kind === 'open') {
      if (notary !== null) indexLater(notary.file);
      notary?.close();
      notary = new SegmentNotary(task.segment);
    } else if (task.kind === 'moved') notary?.moved(task.file);
    else {
      port.postMessage({ id: task.id, ...signed(notary, task) } satisfies NotaryAnswer);
      Atomics.add(answers, 0, 1);
      Atomics.notify(answers, 0);
    }
  });
}

/** The segment before is over: where things stand in it is written down, once nothing waits to be signed. */
function indexLater(segment: string): void {
  setImmediate(() => {
    try {
      makeIndex(segment);
    } catch {
      // A search makes it.
    }
  });
}

function signed(
  notary: SegmentNotary | null,
  { to, seal, time }: Extract<NotaryTask, { kind: 'checkpoint' }>,
): Omit<NotaryAnswer, 'id'> {
  try {
    if (notary === null) return { note: null, problem: 'no segment was opened', tampered: false };
    return { note: notary.checkpoint(to, seal, time), problem: null, tampered: false };
  } catch (error) {
    return { note: null, problem: (error as Error).message, tampered: error instanceof Tampered };
  }
}

if (!isMainThread && isStart(workerData)) serveNotary(workerData);

function isStart(data: unknown): data is NotaryStart {
  return typeof data === 'object' && data !== null && 'answers' in data;
}
