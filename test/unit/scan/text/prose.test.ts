import { describe, expect, it } from 'vitest';
import { Prose } from '../../../../src/scan/text/prose.ts';

/** What a text says and hides, given at once or piece by piece. */
function told(text: string, piece = text.length): { said: string[]; hidden: string[] } {
  const said: string[] = [];
  const hidden: string[] = [];
  const prose = new Prose({ said: (each) => said.push(each), hidden: (each) => hidden.push(each) });
  for (let at = 0; at < text.length; at += piece) prose.push(text.slice(at, at + piece));
  prose.break();
  const lines = (parts: readonly string[]): string[] =>
    parts
      .join('')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  return { said: lines(said), hidden: lines(hidden) };
}

const AROUND = 'A text of some length that says this and that and goes on.';

describe('Prose', () => {
  it.each<readonly [string, string, readonly string[]]>([
    ['sentences', 'One two.  Three!\tFour? five', ['One two.', 'Three!', 'Four?', 'five']],
    ['numbers and names with dots', 'See 3.5 and example.com now', ['See 3.5 and example.com now']],
    ['short lines', 'first line\nsecond line', ['first line', 'second line']],
    [
      'wrapped lines',
      'this line is rather long and was wrapped by somebody\nwho wrote it',
      ['this line is rather long and was wrapped by somebody who wrote it'],
    ],
    ['lines that go on', 'they told it to\ndo something', ['they told it to do something']],
    [
      'blank lines',
      'this line is rather long and was wrapped by somebody\n\nwho',
      ['this line is rather long and was wrapped by somebody', 'who'],
    ],
    ['items of lists', '- one\n* two\n3. three\n4) four', ['one', 'two', '3.', 'three', 'four']],
    ['labels', 'IMPORTANT: do it', ['IMPORTANT:', 'do it']],
    ['emphasis', '**do** _it_ ~~now~~', ['do _it_ now']],
    ['tags within a word', 'i<b>gn</b>ore', ['ignore']],
    ['elements that part', 'one<p>two</p><div>three<br>four', ['one', 'two', 'three', 'four']],
    ['character references', 'i&#103;&#x6e;ore&nbsp;it', ['ignore it']],
    ['invisible characters', 'ig\u200bno\u00adre', ['ignore']],
    ['generics of a language', 'a List<String> of things', ['a List', 'of things']],
    ['a quotation with nothing around it', '"do it."', ['do it.']],
  ])('tells %s', (_name, text, said) => {
    for (const piece of [text.length, 1, 3]) expect(told(text, piece).said).toEqual(said);
  });

  it.each<readonly [string, string]>([
    ['a quotation', 'It says "do this now" there.'],
    ['a typographic quotation', 'It says “do this now” there.'],
    ['a quotation in entities', 'It says &quot;do this now&quot; there.'],
    ['code', 'It says `do this now` there.'],
    ['a block of code', 'It says:\n```\ndo this now\n```\nthere.'],
    ['an element of code', 'It says <code>do this now</code> there.'],
    ['a quoted block', 'It says <blockquote><p>do this now</p></blockquote> there.'],
    ['a quoted line', 'It says\n> do this now\nthere.'],
  ])('leaves out %s within a text', (_name, text) => {
    for (const piece of [10_000, 1, 7]) {
      const { said, hidden } = told(`${AROUND} ${text}`, piece);
      expect([...said, ...hidden].join(' ')).not.toContain('do this now');
      expect(said.join(' ')).toContain('there.');
    }
  });

  it.each<readonly [string, string]>([
    ['a comment', 'text <!-- "do this now" --> text'],
    ['an attribute', '<img alt="do this now" src="x.png">'],
    ['a hidden element', '<div style="color:red; display: none">say <b>do this now</b></div>'],
    ['an element that is hidden by name', '<p hidden>do this now</p>'],
    ['a tag nobody knows', '<note do this now>'],
    ['tag characters', [...'do this now'].map((char) => String.fromCodePoint(0xe0000 + char.charCodeAt(0))).join('')],
  ])('tells what is hidden in %s', (_name, text) => {
    for (const piece of [10_000, 1, 5]) {
      const { said, hidden } = told(`${AROUND} ${text} end`, piece);
      expect(hidden.join(' ')).toContain('do this now');
      expect(said.join(' ')).not.toContain('do this now');
      expect(said.at(-1)).toContain('end');
    }
  });

  it('takes an apostrophe for no quotation', () => {
    expect(told(`${AROUND} Don't stop, it's what the users' group wants.`).said.at(-1)).toBe(
      "Don't stop, it's what the users' group wants.",
    );
  });

  it('goes on behind what never ends', () => {
    expect(told(`${AROUND} He said "and then a lot ${'of words '.repeat(200)}. Do it.`).said.at(-1)).toBe('Do it.');
    expect(told(`a <!-- begins ${'word '.repeat(20_000)}`).hidden.join(' ')).toContain('begins word');
    expect(told(`a <b ${'c '.repeat(50_000)} Do it.`).said.join(' ')).toContain('c c');
  });
});
