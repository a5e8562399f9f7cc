import { generateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { createHash } from 'node:crypto';
import { VALIDATORS } from '../../src/scan/validators/list.ts';
import type { ValidatorName } from '../../src/model/detector.ts';

/** Numbers in [0, 1) that are the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const ALPHABETS: Readonly<Record<string, string>> = {
  AN: UPPER + LOWER + DIGITS,
  an: LOWER + DIGITS,
  UN: UPPER + DIGITS,
  Aa: UPPER + LOWER,
  hex: '0123456789abcdef',
  HEX: '0123456789ABCDEF',
  b64: `${UPPER}${LOWER}${DIGITS}+/`,
  w: `${UPPER}${LOWER}${DIGITS}${UPPER}${LOWER}${DIGITS}_-`,
  d: DIGITS,
  d2: '23456',
  b32: `${UPPER}234567`,
  b32l: `${LOWER}234567`,
  bech: 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L',
};

type Random = () => number;

function pick(alphabet: string, length: number, random: Random): string {
  let text = '';
  for (let i = 0; i < length; i++) text += alphabet[Math.floor(random() * alphabet.length)] ?? '';
  // What is random begins and ends with a letter or digit, as keys nearly always do.
  return text.replace(/^[-_+/]|[-_+/]$/g, 'q');
}

/** Fills in `#` (digit), `?` (upper-case letter) until a validator agrees. */
function valid(name: ValidatorName, shape: string, random: Random): string {
  for (let round = 0; round < 100_000; round++) {
    const text = shape.replace(/[#?]/g, (mark) => pick(mark === '#' ? DIGITS : UPPER, 1, random));
    if (VALIDATORS[name](text)) return text;
  }
  throw new Error(`no sample of ${shape} is valid to ${name}`);
}

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

function base58check(version: readonly number[], size: number, tail: readonly number[], random: Random): string {
  const payload = Buffer.from([...version, ...Array.from({ length: size }, () => Math.floor(random() * 256)), ...tail]);
  const sum = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
  let value = BigInt(`0x${Buffer.concat([payload, sum(sum(payload)).subarray(0, 4)]).toString('hex')}`);
  let text = '';
  for (; value > 0n; value /= 58n) text = (BASE58[Number(value % 58n)] ?? '') + text;
  for (const byte of payload)
    if (byte === 0) text = `1${text}`;
    else break;
  return text;
}

const json = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const uuid = (random: Random): string =>
  [8, 4, 4, 4, 12].map((length) => pick(ALPHABETS['hex'] as string, length, random)).join('-');
const many = (count: number, one: () => string): string => Array.from({ length: count }, one).join(', ');

const MADE: Readonly<Record<string, (random: Random) => string>> = {
  uuid,
  UUID: (random) => uuid(random).toUpperCase(),
  card: (random) => valid('card', '4### #### #### ####', random),
  iban: (random) => valid('iban', 'DE## 50## 0517 5407 3249 31', random),
  phones: (random) => many(12, () => `+4930${pick(DIGITS, 8, random)}`),
  emails: (random) => many(12, () => `${pick(LOWER, 7, random)}@${pick(LOWER, 6, random)}.org`),
  seed: (random) => {
    void random;
    return generateMnemonic(wordlist);
  },
  wif: (random) => base58check([0x80], 32, [1], random),
  xprv: (random) => base58check([0x04, 0x88, 0xad, 0xe4], 74, [], random),
  btc: (random) => base58check([0], 20, [], random),
  bech32: () => ['bc1qw508d6qejxtdg4y5r3zar', 'vary0c5xw7kv8f3t4'].join(''),
  jwt: (random) =>
    `${json({ alg: 'HS256', typ: 'JWT' })}.${json({ sub: pick(DIGITS, 10, random), iat: 1_700_000_000 })}.${pick(ALPHABETS['w'] as string, 43, random)}`,
  jwe: (random) =>
    `${json({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })}.${pick(ALPHABETS['w'] as string, 342, random)}.${pick(ALPHABETS['w'] as string, 16, random)}.${pick(ALPHABETS['w'] as string, 60, random)}.${pick(ALPHABETS['w'] as string, 22, random)}`,
  bytes64: (random) => `[${Array.from({ length: 64 }, () => Math.floor(random() * 256)).join(',')}]`,
  ssn: (random) => valid('ssn', '###-##-####', random),
  aba: (random) => valid('aba-routing', '#########', random),
  nhs: (random) => valid('nhs-number', '### ### ####', random),
  sin: (random) => valid('sin', '### ### ###', random),
  nir: (random) => valid('nir', '1 85 05 78 006 ### ##', random),
  steuer: (random) => valid('steuer-id', '###########', random),
  dni: (random) => valid('dni', '########?', random),
  bsn: (random) => valid('bsn', '#########', random),
  benrn: (random) => valid('be-national-number', '85.07.30-###.##', random),
  pesel: (random) => valid('pesel', '850730#####', random),
  personnummer: (random) => valid('personnummer', '19850730-####', random),
  ahv: (random) => valid('ean13', '756.####.####.##', random),
  cpf: (random) => valid('cpf', '###.###.###-##', random),
  aadhaar: (random) => valid('verhoeff', '4### #### ####', random),
  tfn: (random) => valid('tfn', '### ### ###', random),
};

/**
 * A fixture with its secrets made up: `{{AN:36}}` is 36 letters and digits, `{{uuid}}` a UUID, and so on. So no file holds
 * anything that a scanner of this repository would take for a secret. `{{}}` is nothing, and parts what would be one.
 */
export function fillIn(template: string, seed: number): string {
  const random = randomOf(seed * 2654435761 + 97);
  for (let i = 0; i < 8; i++) random();
  return template.replace(
    /\{\{(?:([A-Za-z0-9]+)(?::(\d+))?)?\}\}/g,
    (_, kind: string | undefined, length: string | undefined) => {
      if (kind === undefined) return '';
      if (length === undefined) {
        const made = MADE[kind];
        if (made === undefined) throw new Error(`no sample is called ${kind}`);
        return made(random);
      }
      const alphabet = ALPHABETS[kind];
      if (alphabet === undefined) throw new Error(`no alphabet is called ${kind}`);
      return pick(alphabet, Number(length), random);
    },
  );
}
