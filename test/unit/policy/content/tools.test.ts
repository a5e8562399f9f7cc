import { describe, expect, it } from 'vitest';
import { McpPredicate } from '../../../../src/policy/content/rpc.ts';
import { shownTools, type ToolReview } from '../../../../src/policy/content/tools.ts';

describe('shownTools()', () => {
  const tools = new McpPredicate({ tools: ['read_*'] });
  const all: ToolReview = { stands: () => true };
  const shown = (text: string): string | null => shownTools(Buffer.from(text), tools, all);
  const list = (...names: string[]): string =>
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      result: { tools: names.map((name) => ({ name, big: 1 })), nextCursor: 'x' },
    });

  it('leaves the granted ones, and everything else as it was', () => {
    expect(shown(list('read_a', 'write_b', 'read_c'))).toBe(list('read_a', 'read_c'));
    expect(shown(`[${list('write_b')},{"jsonrpc":"2.0","id":2,"result":{}}]`)).toBe(
      `[${list()},{"jsonrpc":"2.0","id":2,"result":{}}]`,
    );
  });

  it('has nothing to do with other answers', () => {
    expect(shown(list('read_a'))).toBeNull();
    expect(shown('{"jsonrpc":"2.0","id":1,"error":{}}')).toBeNull();
    expect(shown('"text"')).toBeNull();
  });

  it('takes no tool without a name, and no answer with two readings', () => {
    expect(shown('{"result":{"tools":[{},5,{"name":5}]}}')).toBe('{"result":{"tools":[]}}');
    expect(() => shown('{"result":{"tools":[]},"result":{"tools":[{"name":"write_b"}]}}')).toThrow(/twice/);
  });

  it('leaves out granted tools that do not stand, by a fingerprint that order does not change', () => {
    const seen: string[] = [];
    const review: ToolReview = {
      stands: (tool, fingerprint) => (seen.push(`${tool} ${fingerprint}`), tool !== 'read_b'),
    };
    const one = '{"result":{"tools":[{"name":"read_a","inputSchema":{"x":1,"y":[1,2]}},{"name":"read_b"}]}}';
    const other =
      '{"result":{"tools":[{"inputSchema":{"y":[1,2],"x":1},"name":"read_a","_meta":{"z":1}},{"name":"write_c"}]}}';
    const third = '{"result":{"tools":[{"name":"read_a","inputSchema":{"x":1,"y":[2,1]}}]}}';
    expect(shownTools(Buffer.from(one), tools, review)).not.toContain('read_b');
    shownTools(Buffer.from(other), tools, review);
    shownTools(Buffer.from(third), tools, review);
    expect(seen.map((each) => each.split(' ')[0])).toEqual(['read_a', 'read_b', 'read_a', 'read_a']);
    expect(seen[0]).toBe(seen[2]);
    expect(seen[0]).not.toBe(seen[3]);
  });
});
