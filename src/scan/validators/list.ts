import type { ValidatorName } from '../../model/detector.ts';
import { card } from './card.ts';
import { iban } from './iban.ts';
import {
  abaRouting,
  belgianNationalNumber,
  bsn,
  cpf,
  dni,
  ean13,
  nhs,
  nino,
  nir,
  personnummer,
  pesel,
  sin,
  ssn,
  steuerId,
  tfn,
  verhoeff,
} from './national-id.ts';
import { credentialUrl, jwt, mixed, notHex, notUuid, strongTail } from './shape.ts';
import { base58check, bech32, mixedCase } from './wallet.ts';

/** Whether a match, as Latin-1 text, can be what its detector says. */
export type Validator = (text: string) => boolean;

/** Validators by the name rule files call them by. */
export const VALIDATORS: Readonly<Record<ValidatorName, Validator>> = {
  'aba-routing': abaRouting,
  base58check,
  bech32,
  'be-national-number': belgianNationalNumber,
  bsn,
  card,
  cpf,
  'credential-url': credentialUrl,
  dni,
  ean13,
  iban,
  jwt,
  mixed,
  'mixed-case': mixedCase,
  'nhs-number': nhs,
  nino,
  nir,
  'not-hex': notHex,
  'not-uuid': notUuid,
  personnummer,
  pesel,
  sin,
  ssn,
  'steuer-id': steuerId,
  'strong-tail': strongTail,
  tfn,
  verhoeff,
};
