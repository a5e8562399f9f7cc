import { readFileSync } from 'node:fs';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { ConfigError } from '../config/config.ts';
import { errorCode } from '../model/error-code.ts';

/** The system's roots and those of `upstream.ca`; there is no way to trust less than a verified chain. */
export function trust(files: readonly string[]): SecureContext {
  const own = files.map((file) => readPem('upstream.ca', file));
  return createSecureContext({ ca: [...rootCertificates, ...systemRoots(), ...own], minVersion: 'TLSv1.2' });
}

export function readPem(setting: string, file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (!text.includes('-----BEGIN CERTIFICATE-----'))
      throw Object.assign(new Error(), { code: 'not a PEM file of certificates' });
    return text;
  } catch (error) {
    throw new ConfigError(`${setting}: ${file} cannot be used: ${errorCode(error)}`);
  }
}

/** Roots that the machine's administrator added, where Node does not read them by itself. */
function systemRoots(): string[] {
  for (const file of ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem']) {
    try {
      return [readFileSync(file, 'utf8')];
    } catch {
      continue;
    }
  }
  return [];
}
