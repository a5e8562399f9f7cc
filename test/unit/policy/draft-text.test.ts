import { expect, it } from 'vitest';
import { draftText } from '../../../src/policy/draft-text.ts';
import { loadFiles } from '../../support/policy.ts';

// What drafts say is tested with those who make them, in learn.test.ts.
it('draftText() names what was left out, most frequent first, and loads without a word', () => {
  const use = { count: 1, first: '2026-01-01T00:00:00Z', last: '2026-01-01T00:00:59Z' };
  const rules = [
    {
      scheme: 'https',
      host: 'api.test',
      port: '',
      segments: ['a', '*'],
      methods: new Map([['GET', 1]]),
      websocket: false,
      stars: [{ what: 'identifiers', values: new Set(['T02AB', '17', `1${'0'.repeat(60)}`]) } as const],
      use,
    },
  ];
  const leftOut = new Map([
    ['refused: address-forbidden', 1],
    ['allowed already', 12],
  ]);
  const text = draftText([{ agent: 'bot', rules, use, spared: 0 }], {
    names: new Map([['bot', 'bot.learned']]),
    leftOut,
  });
  expect(text).toContain(
    '# Left out, 12 requests: allowed already\n# Left out, 1 request: refused: address-forbidden\nversion: 1\n',
  );
  expect(text).toContain(`      # *: 3 identifiers, such as 17, 1${'0'.repeat(39)}…\n`);
  expect(text).not.toContain('T02AB');
  expect(loadFiles({ 'draft.yaml': text }).problems).toEqual([]);
});
