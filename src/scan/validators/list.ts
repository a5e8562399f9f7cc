import { iban } from './iban.ts';
import { base58check, bech32, mixedCase } from './wallet.ts';
import { card } from './card.ts';
import { credentialUrl, jwt, mixed, notHex, notUuid } from './shape.ts';
import { abaRouting, nhs, nino, nir, sin, ssn, steuerId, verhoeff } from './national-id.ts';

/** Whether a match, as Latin-1 text, can be what its detector says. */
export type Validator = (text: string) => boolean;

/** Validators by the name rule files call them by. */
export const VALIDATORS: ReadonlyMap<string, Validator> = new Map<string, Validator>([
  ['aba-routing', abaRouting],
  ['base58check', base58check],
  ['bech32', bech32],
  ['card', card],
  ['credential-url', credentialUrl],
  ['mixed-case', mixedCase],
  ['iban', iban],
  ['jwt', jwt],
  ['mixed', mixed],
  ['nhs-number', nhs],
  ['nino', nino],
  ['nir', nir],
  ['not-hex', notHex],
  ['not-uuid', notUuid],
  ['sin', sin],
  ['ssn', ssn],
  ['steuer-id', steuerId],
  ['verhoeff', verhoeff],
]);
