import type { IntentEvent, SegmentEvent } from '../model/audit-event.ts';

const LF = 0x0a;
/** Texts inside an event have their quotes escaped: these can be nothing but members. */
const EXCHANGE = /"exchange":"([^"]+)"/;
const INTENT = '"kind":"intent"';
const ENDINGS = ['"kind":"outcome"', '"kind":"interrupted"'];

const CARRIED = '{"carried":[';

/** Intents that nothing followed, in the order they were recorded. A last line without its end says nothing. */
export function openIntents(segments: readonly Buffer[]): IntentEvent[] {
  const open = new Map<string, Buffer>();
  for (const bytes of segments)
    for (let at = 0, end = bytes.indexOf(LF); end !== -1; at = end + 1, end = bytes.indexOf(LF, at)) {
      const text = bytes.toString('latin1', at, end);
      if (text.startsWith(CARRIED)) {
        carry(bytes.toString('utf8', at, end), open);
        continue;
      }
      const id = EXCHANGE.exec(text)?.[1];
      if (id === undefined) continue;
      if (text.includes(INTENT)) open.set(id, bytes.subarray(at, end));
      else if (ENDINGS.some((ending) => text.includes(ending))) open.delete(id);
    }
  return [...open.values()].flatMap((line) => parsed<IntentEvent>(line.toString('utf8')) ?? []);
}

/** What was under way when the segment began. */
function carry(line: string, open: Map<string, Buffer>): void {
  for (const intent of parsed<SegmentEvent>(line)?.carried ?? [])
    open.set(intent.exchange, Buffer.from(JSON.stringify(intent)));
}

function parsed<Event>(line: string): Event | null {
  try {
    return JSON.parse(line) as Event;
  } catch {
    return null;
  }
}
