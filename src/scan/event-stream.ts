/** One event of a stream (HTML, "Server-sent events"): its lines, and the data they carry. */
export interface StreamEvent {
  readonly lines: readonly string[];
  /** Values of the `data` lines, joined; null where there is none. */
  readonly data: string | null;
}

/** An event that does not end. */
export class EventTooLong extends Error {
  override name = 'EventTooLong';
}

const BOM = '\ufeff';

/**
 * Reads a stream of events piece by piece. Lines may end in LF, CR or both; whoever writes the events again with LF alone
 * leaves their reader no other way to split them.
 */
export class EventStream {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  readonly #longest: number;
  #text = '';
  /** What came without the end of a line, not joined yet: an event that drips in is not copied again for each drop. */
  #drops: string[] = [];
  #dropped = 0;
  #lines: string[] = [];
  #size = 0;
  #started = false;
  /** The last line ended in CR: an LF behind it is part of that end. */
  #afterCr = false;

  /** `longest`: most characters of one event. */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** The events that these bytes complete. Throws EventTooLong. */
  push(bytes: Uint8Array): StreamEvent[] {
    const piece = this.#decoder.decode(bytes, { stream: true });
    this.#drops.push(piece);
    this.#dropped += piece.length;
    if (this.#size + this.#dropped > this.#longest && !/[\r\n]/.test(piece)) throw this.#tooLong();
    if (this.#started && !/[\r\n]/.test(piece)) return [];
    this.#text = this.#drops.join('');
    this.#drops = [];
    if (!this.#started && this.#text !== '') {
      this.#started = true;
      // Readers skip a byte order mark: kept, it would hide the name of the first field.
      if (this.#text.startsWith(BOM)) this.#text = this.#text.slice(BOM.length);
    }
    const events: StreamEvent[] = [];
    for (let line = this.#line(); line !== null; line = this.#line()) {
      if (line === '') {
        if (this.#lines.length > 0) events.push(eventOf(this.#lines));
        this.#lines = [];
        this.#size = 0;
      } else {
        this.#lines.push(line);
        this.#size += line.length + 1;
      }
    }
    this.#drops = [this.#text];
    this.#dropped = this.#text.length;
    if (this.#size + this.#dropped > this.#longest) throw this.#tooLong();
    return events;
  }

  #tooLong(): EventTooLong {
    return new EventTooLong(`an event of more than ${this.#longest} characters`);
  }

  #line(): string | null {
    if (this.#afterCr && this.#text !== '') {
      this.#afterCr = false;
      if (this.#text.startsWith('\n')) this.#text = this.#text.slice(1);
    }
    const end = this.#text.search(/[\r\n]/);
    if (end === -1) return null;
    const line = this.#text.slice(0, end);
    this.#afterCr = this.#text[end] === '\r';
    this.#text = this.#text.slice(end + 1);
    return line;
  }
}

/** An event as text, with other data where it is given. */
export function eventText(event: StreamEvent, data: string | null = null): string {
  if (data === null) return `${event.lines.join('\n')}\n\n`;
  const others = event.lines.filter((line) => fieldOf(line).name !== 'data');
  return `${[...others, ...data.split('\n').map((each) => `data: ${each}`)].join('\n')}\n\n`;
}

function eventOf(lines: readonly string[]): StreamEvent {
  const data = lines.map(fieldOf).filter(({ name }) => name === 'data');
  return { lines, data: data.length === 0 ? null : data.map(({ value }) => value).join('\n') };
}

function fieldOf(line: string): { name: string; value: string } {
  const colon = line.indexOf(':');
  if (colon === -1) return { name: line, value: '' };
  const value = line.slice(colon + 1);
  return { name: line.slice(0, colon), value: value.startsWith(' ') ? value.slice(1) : value };
}
