import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOpaque, shapeOf } from '../../../src/policy/path-shape.ts';

const pattern = (path: string): string => {
  const { texts, holes } = shapeOf(path);
  return texts
    .map((text, index) => text + (holes[index] === undefined ? '' : holes[index].opaque ? '#' : '*'))
    .join('');
};

describe('shapeOf()', () => {
  it.each([
    ['/', '/'],
    ['/v1/messages', '/v1/messages'],
    ['/v2.1/users', '/v2.1/users'],
    ['/v1beta1/models', '/v1beta1/models'],
    ['/repos/acme/site/issues/42', '/repos/acme/site/issues/*'],
    ['/reports/2026-11-21', '/reports/*'],
    ['/pkg/-/pkg-1.2.3.tgz', '/pkg/-/pkg-*.tgz'],
    ['/tickets/INC0012345', '/tickets/INC*'],
    ['/commit/e3b0c442', '/commit/*'],
    ['/services/T02ABC9/B03DEF8', '/services/*/*'],
    ['/models/gpt-4o-mini', '/models/gpt-4o-mini'],
    ['/a%2Fb%20c', '/a%2Fb%20c'],
    ['/users/', '/users/'],
    ['/item7', '/item*'],
  ])('%s is %s', (path, expected) => {
    expect(pattern(path)).toBe(expected);
  });

  it('puts a path back together from its parts', () => {
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        const { texts, holes } = shapeOf(path === '' ? '/' : path);
        expect(texts.map((text, index) => text + (holes[index]?.value ?? '')).join('')).toBe(path === '' ? '/' : path);
      }),
    );
  });
});

/** Built from pieces: nothing here is a secret, and nothing should look like one to a scanner. */
const SECRETS = [
  ['gh', 'p_16C7e42F292c6912E7710c838347Ae178B4a'],
  ['sk-', 'ant-api03-abcdefghijklmnop'],
  ['bot123456:', 'AAEhBOweik6ad9r_QXMENQjcrbGdR'],
  ['xox', 'b-123456789012-abcdefABCDEF'],
  ['AK', 'IAIOSFODNN7EXAMPLE'],
  ['550e8400-e29b-41d4-', 'a716-446655440000'],
  ['9f86d081', '884c7d659a2feaa0'],
  ['xK8fQ2mZp1', 'LrT9vB'],
  ['eyJhbGciOi', 'JIUzI1NiIsInR5cCI6'],
].map((pieces) => pieces.join(''));

describe('isOpaque()', () => {
  it.each(SECRETS)('takes %s for what may be a secret', (text) => {
    expect(isOpaque(text)).toBe(true);
    expect(isOpaque(`${text}.json`)).toBe(true);
  });

  it.each([
    'issues',
    'CreateMultipartUpload',
    'getUserAccountInformationList',
    'internationalization',
    'kubernetes-dashboard-deployment',
    'claude-3-5-sonnet-20241022',
    'chat.postMessage',
    '1234567890123456789012',
    'some-very-long-title-of-a-page-2026-11-21',
    'get-user-by-id-2024-11-01-report-for-accounting',
    'acme-team-prod-us-east-1-bucket',
  ])('takes %s for words', (text) => {
    expect(isOpaque(text)).toBe(false);
  });
});
