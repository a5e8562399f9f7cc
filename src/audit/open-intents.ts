import type { IntentEvent } from '../model/audit-event.ts';

const LF = 0x0a;
/** Texts inside an event have their quotes escaped: these can be nothing but members. */
const EXCHANGE = /"exchange":"([^"]+)"/;
const INTENT = '"kind":"intent"';
const ENDINGS = ['"kind":"outcome"', '"kind":"interrupted"'];

/** Intents that nothing followed, in the order they were recorded. A last line without its end says nothing. */
export function openIntents(segments: readonly Buffer[]): IntentEvent[] {
  const open = new Map<string, Buffer>();
  for (const bytes of segments)
    for (let at = 0, end = bytes.indexOf(LF); end !== -1; at = end + 1, end = bytes.indexOf(LF, at)) {
      const text = bytes.toString('latin1', at, end);
      const id = EXCHANGE.exec(text)?.[1];
      if (id === undefined) continue;
      if (text.includes(INTENT)) open.set(id, bytes.subarray(at, end));
      else if (ENDINGS.some((ending) => text.includes(ending))) open.delete(id);
    }
  return [...open.values()].flatMap((line) => {
    try {
      return [JSON.parse(line.toString('utf8')) as IntentEvent];
    } catch {
      return [];
    }
  });
}
