import { describe, expect, it } from 'vitest';
import { VALIDATORS } from '../../../src/scan/validators/list.ts';
import type { ValidatorName } from '../../../src/model/detector.ts';

/** Published examples of each, and the same with one character changed. Numbers of real people are none. */
const EXAMPLES: ReadonlyArray<readonly [ValidatorName, readonly string[], readonly string[]]> = [
  [
    'card',
    ['4539 1488 0343 6467', '3782-822463-10005', '5425233430109903'],
    ['4539 1488 0343 6468', '4111 1111 1111 1111', '9999999999999995', '45 39148803436467'],
  ],
  [
    'iban',
    ['DE89 3704 0044 0532 0130 00', 'GB29NWBK60161331926819', 'FR14 2004 1010 0505 0001 3M02 606'],
    ['DE89 3704 0044 0532 0130 01', 'DE89370400440532013', 'ZZ89370400440532013000'],
  ],
  [
    'ssn',
    ['536-90-4399', '536904399'],
    ['000-12-3456', '666-12-3456', '900-12-3456', '123-45-6789', '536-00-4399', '078-05-1120'],
  ],
  [
    'sin',
    ['046 454 286'.replace('046', '130').replace('454', '692').replace('286', '544')],
    ['046 454 286', '130 692 545'],
  ],
  ['nino', ['AA 12 34 57 C'], ['BG 12 34 57 C', 'AA 12 34 56 C', 'AA 12 34 57 E', 'DA 12 34 57 C']],
  ['nhs-number', ['943 476 5919'], ['943 476 5918', '000 000 0000']],
  ['nir', ['2 55 08 14 168 025 38'], ['2 55 08 14 168 025 39', '3 55 08 14 168 025 38']],
  ['steuer-id', ['86095742719', '47036892816'], ['86095742710', '12345678901']],
  ['aba-routing', ['021000021', '121000248'], ['021000022', '981000021']],
  ['verhoeff', ['2341 2341 2346'], ['2341 2341 2345', '1341 2341 2346']],
  ['dni', ['12345678Z', 'X1234567L'], ['12345678A', 'X1234567Z']],
  ['bsn', ['111222333'], ['111222334', '111111110']],
  ['be-national-number', ['85.07.30-033.28'], ['85.07.30-033.29', '85.13.30-033.28']],
  ['pesel', ['44051401359'], ['44051401358', '44991401359']],
  ['personnummer', ['811228-9874', '19811228-9874'], ['811228-9873', '811328-9874']],
  ['ean13', ['756.9217.0769.85'], ['756.9217.0769.84']],
  ['cpf', ['529.982.247-25'], ['529.982.247-26', '111.111.111-11']],
  ['tfn', ['123 456 782'], ['123 456 789']],
  ['base58check', ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'], ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb', '0OIl']],
  [
    'bech32',
    [['bc1qw508d6qejxtdg4y5r3zar', 'vary0c5xw7kv8f3t4'].join('')],
    [['bc1qw508d6qejxtdg4y5r3zar', 'vary0c5xw7kv8f3t5'].join(''), 'bc1Qw508d6'],
  ],
  ['mixed-case', ['0xAbc', '0xaB'], ['0xabc', '0xABC']],
  ['mixed', ['aB3dE5', 'abc123def', 'xYZabCDefGH'], ['abcdef', 'ABCDEF', 'camelCaseWord', '123456']],
  ['not-hex', ['xyz'], ['abc123']],
  ['not-uuid', ['x'], ['0b0b0b0b-77aa-4c1e-9b1d-000000000000']],
  [
    'credential-url',
    [`postgres://app:${['h7Gk', '29dLq'].join('')}@db/x`],
    [
      'postgres://app:password@db/x',
      'postgres://app:${PW}@db/x',
      'postgres://app:<pw>@db',
      'postgres://app:***@db',
      'https://host/x',
    ],
  ],
  [
    'strong-tail',
    ['login bob password h7Gk29'],
    ['login bob password password', 'login bob password bobwillknow', 'u:$PASSWORD'],
  ],
];

describe.each(EXAMPLES)('%s', (name, right, wrong) => {
  it.each([...right])('holds for %s', (text) => {
    expect(VALIDATORS[name](text)).toBe(true);
  });
  it.each([...wrong])('does not hold for %s', (text) => {
    expect(VALIDATORS[name](text)).toBe(false);
  });
});

it('a JSON Web Token names an algorithm and says something of its bearer', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (head: object, payload: object): string => `${part(head)}.${part(payload)}.c2ln`;
  expect(VALIDATORS.jwt(token({ alg: 'HS256' }, { sub: 'u1', exp: 1 }))).toBe(true);
  expect(VALIDATORS.jwt(token({ x: 1 }, { sub: 'u1' }))).toBe(false);
  expect(VALIDATORS.jwt(token({ alg: 'HS256' }, { some: 'payload' }))).toBe(false);
  expect(VALIDATORS.jwt(token({ alg: 'HS256', typ: 'JWT' }, { sub: '1234567890', name: 'John Doe', iat: 1 }))).toBe(
    false,
  );
});

it('every validator has examples', () => {
  expect([...EXAMPLES.map(([name]) => name), 'jwt'].sort()).toEqual(Object.keys(VALIDATORS).sort());
});
