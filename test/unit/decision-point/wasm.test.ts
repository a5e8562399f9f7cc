import { describe, expect, it } from 'vitest';
import { WasmPolicy } from '../../../src/decision-point/wasm.ts';

// Policies that opa compiled are asked in test/proxy/decision-point.test.ts.
describe('WasmPolicy', () => {
  it.each([
    ['text', Buffer.from('not wasm')],
    ['nothing', Buffer.alloc(0)],
    ['a WebAssembly module that is no policy', Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])],
  ])('does not take %s', (_what, bytes) => {
    expect(() => new WasmPolicy({ bytes, entrypoint: 'a/b', data: {} })).toThrow(
      /^it is not a policy that OPA compiled: /,
    );
  });
});
