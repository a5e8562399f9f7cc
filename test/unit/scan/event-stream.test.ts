import { describe, expect, it } from 'vitest';
import { EventStream, EventTooLong, eventText } from '../../../src/scan/event-stream.ts';

const TEXT = 'id: 1\ndata: a\ndata:b\n\n: comment\n\nevent: x\ndata\ndata: é\n\ndata: unfinished';
const EXPECTED = [
  { lines: ['id: 1', 'data: a', 'data:b'], data: 'a\nb' },
  { lines: [': comment'], data: null },
  { lines: ['event: x', 'data', 'data: é'], data: '\né' },
];

describe('EventStream', () => {
  it.each([1, 2, 3, 1000])('reads events in pieces of %i bytes, whatever ends their lines', (size) => {
    for (const end of ['\n', '\r\n', '\r']) {
      const bytes = Buffer.from(TEXT.replaceAll('\n', end));
      const stream = new EventStream(1000);
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
        bytes.subarray(at * size, (at + 1) * size),
      );
      expect(pieces.flatMap((piece) => stream.push(piece))).toEqual(EXPECTED);
    }
  });

  it('reads line ends that are mixed as their reader does', () => {
    const stream = new EventStream(1000);
    expect(stream.push(Buffer.from('data: a\r\ndata: b\n\rdata: c\r\r')).map(({ data }) => data)).toEqual([
      'a\nb',
      'c',
    ]);
  });

  it('skips a byte order mark, which would hide the first field', () => {
    expect(new EventStream(100).push(Buffer.from('\ufeffdata: a\n\n'))).toMatchObject([{ data: 'a' }]);
  });

  it('has an end of its patience', () => {
    expect(() => new EventStream(10).push(Buffer.from('data: longer than that'))).toThrow(EventTooLong);
    const stream = new EventStream(20);
    stream.push(Buffer.from('data: a\n'));
    expect(() => stream.push(Buffer.from('data: b\ndata: c\n'))).toThrow(EventTooLong);
  });
});

describe('eventText()', () => {
  it('writes an event again, with other data where there is some', () => {
    const [event] = new EventStream(100).push(Buffer.from('id: 7\r\ndata: a\r\n\r\n'));
    if (event === undefined) throw new Error('no event');
    expect(eventText(event)).toBe('id: 7\ndata: a\n\n');
    expect(eventText(event, 'b\nc')).toBe('id: 7\ndata: b\ndata: c\n\n');
  });
});
