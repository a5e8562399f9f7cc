import { readFileSync } from 'node:fs';
import { errorCode } from '../../../model/error-code.ts';
import type { Secret } from '../../../model/sink.ts';

/** A secret as it is now: its file may be written anew at any time. Throws an Error with one line that says nothing of it. */
export function readSecret(secret: Secret): string {
  return 'text' in secret ? secret.text : readSecretFile(secret.file);
}

/** The text of a file without the white space around it. */
export function readSecretFile(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(`${file} cannot be read: ${errorCode(error)}`, { cause: error });
  }
  if (text === '') throw new Error(`${file} is empty`);
  return text;
}
