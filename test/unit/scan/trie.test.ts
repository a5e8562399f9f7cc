import { describe, expect, it } from 'vitest';
import { Trie } from '../../../src/scan/trie.ts';

/** Symbols: 1 for a, 2 for b, 0 for all else. */
const classes = Uint8Array.from({ length: 256 }, (_, byte) => (byte === 0x61 ? 1 : byte === 0x62 ? 2 : 0));

/** Texts that end behind each symbol of an input. */
function endsIn(literals: readonly string[], input: readonly number[]): string[][] {
  const trie = new Trie(literals, classes, 3);
  const order = trie.order();
  const table = trie.table(order);
  let state = 0;
  return input.map((symbol) => {
    state = table[state + symbol] as number;
    return (trie.ends[order[state / 3] as number] as number[]).map((id) => literals[id] as string).sort();
  });
}

describe('Trie', () => {
  it('tells every text that ends at a place, also those within others', () => {
    expect(endsIn(['ab', 'b', 'aab'], [1, 1, 2, 2, 0, 1, 2])).toEqual([
      [],
      [],
      ['aab', 'ab', 'b'],
      ['b'],
      [],
      [],
      ['ab', 'b'],
    ]);
  });

  it('numbers the start first, and the states at which texts end last', () => {
    const trie = new Trie(['ab', 'b'], classes, 3);
    const order = trie.order();
    expect(order[0]).toBe(0);
    const ending = order.map((state) => (trie.ends[state] as number[]).length > 0);
    expect(ending).toEqual([...ending].sort());
    expect(ending.filter(Boolean)).toHaveLength(2);
  });

  it('tells how long the text of a state is', () => {
    const trie = new Trie(['aab'], classes, 3);
    expect([...trie.depths].sort()).toEqual([0, 1, 2, 3]);
  });
});
