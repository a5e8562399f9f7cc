import { expect, it } from 'vitest';
import { openIntents } from '../../../src/audit/open-intents.ts';

const intent = (exchange: string, path = '/'): string =>
  JSON.stringify({ agent: 'bot', exchange, kind: 'intent', method: 'GET', path, target: 't', time: '' });
const outcome = (exchange: string): string => JSON.stringify({ agent: 'bot', exchange, kind: 'outcome' });
const openIn = (...segments: string[][]): string[] =>
  openIntents(segments.map((lines) => Buffer.from(lines.map((line) => `${line}\n`).join('')))).map(
    ({ exchange }) => exchange,
  );

it('finds intents that no outcome followed, over several segments', () => {
  expect(openIn([intent('a'), intent('b'), outcome('a')], [intent('c'), outcome('b')])).toEqual(['c']);
});

it('leaves out those that somebody has called interrupted already', () => {
  const said = JSON.stringify({ agent: 'bot', began: '', exchange: 'a', kind: 'interrupted' });
  expect(openIn([intent('a'), intent('b')], [said])).toEqual(['b']);
});

it('is not fooled by what an agent writes into a path', () => {
  const path = '/","exchange":"b","kind":"outcome';
  expect(openIn([intent('b'), intent('a', path)])).toEqual(['b', 'a']);
});

it('takes nothing from a last line without its end', () => {
  expect(openIntents([Buffer.from(`${intent('a')}\n${intent('b').slice(0, 60)}`)])).toMatchObject([{ exchange: 'a' }]);
});
