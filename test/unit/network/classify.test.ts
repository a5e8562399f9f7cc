import { describe, expect, it } from 'vitest';

import { addressSetOf, classify, contains } from '../../../src/network/classify.ts';

describe('classify()', () => {
  it.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2001:4860:4860::8888'])(
    '%s is public',
    (address) => {
      expect(classify(address)).toBe('public');
    },
  );
  it.each([
    '0.0.0.0',
    '10.255.255.255',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '169.254.1.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.19.255.255',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'febf::1',
    'fc00::1',
    'fdff::1',
    'ff02::1',
    '100::1',
    '2001:db8::1',
    '::127.0.0.1',
    '::7f00:1',
    '::a00:1',
  ])('%s is private', (address) => {
    expect(classify(address)).toBe('private');
  });
  it.each([
    '169.254.169.254',
    '169.254.170.2',
    '168.63.129.16',
    '100.100.100.200',
    'fd00:ec2::254',
    '64:ff9b::808:808',
    '64:ff9b:1::1',
    '2002:808:808::1',
    '2001:0:1::1',
    '::a9fe:a9fe',
  ])('%s is never reachable', (address) => {
    expect(classify(address)).toBe('never');
  });
});

it('address sets hold both families', () => {
  const set = addressSetOf([
    { address: '10.0.0.0', prefix: 8, family: 'ipv4' },
    { address: 'fd00::', prefix: 8, family: 'ipv6' },
  ]);
  expect(['10.1.1.1', '11.1.1.1', 'fd12::1', 'fe80::1'].map((address) => contains(set, address))).toEqual([
    true,
    false,
    true,
    false,
  ]);
});
