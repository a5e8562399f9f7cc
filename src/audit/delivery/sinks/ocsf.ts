import { appendFileSync } from 'node:fs';
import { errorCode } from '../../../model/error-code.ts';
import type { OcsfSink } from '../../../model/sink.ts';
import { ocsfEventOf } from '../../ocsf.ts';
import type { Carrier, SentEvent } from '../event.ts';
import { HttpPoster } from './http-post.ts';

/** Events of the Open Cybersecurity Schema Framework: an array in each request, or a line each in a file. */
export function openOcsf({ to }: OcsfSink, version: string): Carrier<SentEvent> {
  const texts = (events: readonly SentEvent[]): string[] =>
    events.map(({ event, id }) => JSON.stringify(ocsfEventOf(event, version, id)));
  if ('file' in to)
    return {
      send: (events) => Promise.resolve().then(() => appendTo(to.file, texts(events))),
      close: () => undefined,
    };
  const poster = new HttpPoster(to);
  return {
    send: async (events) => {
      await poster.post(`[${texts(events).join(',')}]`);
      return 0;
    },
    close: () => poster.close(),
  };
}

/** Opened each time: whoever rotates it may move it away at any moment. */
function appendTo(file: string, lines: readonly string[]): number {
  try {
    appendFileSync(file, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
    return 0;
  } catch (error) {
    throw new Error(`${file} cannot be written: ${errorCode(error)}`, { cause: error });
  }
}
