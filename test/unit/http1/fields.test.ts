import { describe, expect, it } from 'vitest';

import { END_TO_END, Fields, TO_AGENT, TO_UPSTREAM } from '../../../src/http1/fields.ts';
import { parseRequestHead } from '../../../src/http1/head.ts';

const head = parseRequestHead(
  'GET / HTTP/1.1\r\nHost: a\r\nX-One:  1 \r\nConnection: x-two, close\r\nX-Two: 2\r\nVIA: v\r\nx-one: 3',
);

describe('Fields', () => {
  it('give values by name, trimmed, in order', () => {
    expect(head.fields.values('x-one')).toEqual(['1', '3']);
    expect(head.fields.values('none')).toEqual([]);
  });

  it('give pairs and text without what a filter drops', () => {
    const filter = END_TO_END.naming(head.connection);
    expect(head.fields.pairs(filter)).toEqual(['Host', 'a', 'X-One', '1', 'VIA', 'v', 'x-one', '3']);
    expect(head.fields.text(TO_UPSTREAM.naming(head.connection))).toBe('\r\nX-One:  1 \r\nx-one: 3');
    expect(Fields.NONE.text(TO_AGENT)).toBe('');
  });
});

describe('FieldFilter', () => {
  it('does not let Connection name away what the next hop needs', () => {
    const filter = END_TO_END.naming(['host', 'content-type', 'x']);
    expect(['Host', 'Content-Type', 'X'].map((name) => filter.drops(name, 0, name.length))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('drops our own names from answers, in any case', () => {
    expect(
      ['SALLYPORT-REASON', 'Proxy-Status', 'Sallyport-Warning', 'Status'].map((name) =>
        TO_AGENT.drops(name, 0, name.length),
      ),
    ).toEqual([true, true, true, false]);
  });
});
