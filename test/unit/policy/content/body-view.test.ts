import { describe, expect, it } from 'vitest';
import { BodyView } from '../../../../src/policy/content/body-view.ts';
import { wholeBody } from '../../../support/policy.ts';

const detail = (reading: { ok: boolean }): unknown => ('detail' in reading ? reading.detail : 'read');

describe('BodyView', () => {
  it('reads JSON of a JSON type', () => {
    expect(new BodyView(wholeBody('{"a":true}')).json()).toEqual({ ok: true, value: new Map([['a', true]]) });
    expect(detail(new BodyView(wholeBody('{"a":true}', 'text/plain')).json())).toBe('its content type is not JSON');
    expect(detail(new BodyView(wholeBody('{"a":1,"a":2}')).json())).toMatch(/as JSON, a name stands twice/);
    expect(detail(new BodyView({ kind: 'whole', bytes: Buffer.from('{}'), contentType: [] }).json())).toMatch(
      /missing/,
    );
  });

  it('reads JSON whatever its type, for denies', () => {
    expect(new BodyView(wholeBody('{}', 'text/plain')).anyJson().ok).toBe(true);
    expect(new BodyView({ kind: 'too-large', limit: 5 }).anyJson().ok).toBe(false);
  });

  it('reads forms', () => {
    const type = 'application/x-www-form-urlencoded';
    expect(new BodyView(wholeBody('a=1&b=%20c', type)).form()).toEqual({ ok: true, value: ['a', '1', 'b', ' c'] });
    expect(new BodyView(wholeBody('a=%zz', type)).form().ok).toBe(false);
    expect(new BodyView(wholeBody('a=1', `${type}; charset=utf-16`)).form().ok).toBe(false);
    expect(new BodyView(wholeBody('a=1', `${type}; charset=UTF-8`)).form().ok).toBe(true);
    expect(new BodyView(wholeBody('a=1')).form().ok).toBe(false);
    expect(new BodyView(wholeBody('a=1')).anyForm().ok).toBe(true);
  });

  it('reads multipart forms', () => {
    const type = 'multipart/form-data; boundary=B';
    expect(new BodyView(wholeBody('--B--', type)).parts()).toEqual({ ok: true, value: [] });
    expect(new BodyView(wholeBody('--B', type)).parts().ok).toBe(false);
    expect(new BodyView(wholeBody('--B--', 'multipart/form-data')).parts().ok).toBe(false);
  });

  it('says what it could not read', () => {
    expect(detail(new BodyView({ kind: 'unread' }).json())).toBe('it has not been read');
    expect(detail(new BodyView({ kind: 'none' }).json())).toBe('there is none');
    expect(detail(new BodyView({ kind: 'unreadable', detail: 'why' }).json())).toBe('why');
    expect(new BodyView({ kind: 'too-large', limit: 5 }).json()).toMatchObject({ tooLarge: true });
    expect(new BodyView({ kind: 'none' }).absent).toBe(true);
  });
});
