import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { GENESIS, eventText, link } from '../../../src/audit/chain.ts';

it('a link hashes the hash before it and the text of its event', () => {
  const text = eventText({ instance: 'i', kind: 'segment', previous: null, time: 't', torn: 0, version: '1' });
  const { line, hash } = link(text, GENESIS);
  expect(hash).toBe(
    createHash('sha256')
      .update(`${'0'.repeat(64)}\n${text}`)
      .digest('hex'),
  );
  expect(line).toBe(`{"event":${text},"hash":"${hash}"}\n`);
});
