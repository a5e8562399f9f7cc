import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Command } from 'commander';
import { createAuthority, importAuthority, loadAuthority, openAuthority, type Authority } from '../tls/authority.ts';
import { readPkcs12 } from '../tls/pkcs12.ts';
import { CommandError } from './exit.ts';
import { shortPath } from './places.ts';
import { configOf, withSettings } from './settings.ts';
import { errorCode } from '../model/error-code.ts';

const RELOAD = 'A running gate takes it up on SIGHUP; agents must trust the new certificate.';

/** `sallyport ca show|export|rotate|import`. */
export function addCa(program: Command): void {
  const ca = program.command('ca').description("manage the gate's certificate authority");
  withSettings(ca.command('show'), ['certs'])
    .description('print subject, validity and fingerprint')
    .addHelpText('after', '\nExample:\n  sallyport ca show')
    .action((_options: object, command: Command) => {
      process.stdout.write(describe(loadAuthority(configOf(command).certs, new Date())));
    });
  withSettings(ca.command('export'), ['certs'])
    .description('print the CA certificate as PEM, for trust stores (made first if there is none)')
    .addHelpText('after', '\nExample:\n  sallyport ca export > gate-ca.pem')
    .action((_options: object, command: Command) => {
      process.stdout.write(openAuthority(configOf(command).certs, new Date()).authority.certificatePem);
    });
  withSettings(ca.command('rotate'), ['certs'])
    .description('make a new CA in place of the old one')
    .option(
      '--permit-name <suffix>',
      'limit the CA to hosts under this suffix; may be repeated',
      (text: string, before: string[] | undefined) => [...(before ?? []), text],
    )
    .addHelpText('after', `\nExample:\n  sallyport ca rotate\n\n${RELOAD}`)
    .action((options: { permitName?: string[] }, command: Command) => {
      const authority = createAuthority(configOf(command).certs, new Date(), {
        permittedNames: options.permitName ?? [],
      });
      process.stdout.write(`${describe(authority)}${RELOAD}\n`);
    });
  withSettings(ca.command('import'), ['certs'])
    .description("use a CA of your company's PKI: PEM certificate and key, or one PKCS#12 file")
    .argument('<certificate>', 'PEM certificate (chain behind it), or a .p12/.pfx file')
    .argument('[key]', 'PEM private key, unencrypted; not with PKCS#12')
    .option('--password-file <file>', 'file that holds the password of the PKCS#12 file')
    .addHelpText(
      'after',
      `\nExamples:\n  sallyport ca import ca.pem ca-key.pem\n  sallyport ca import company.p12 --password-file secret.txt\n\n${RELOAD}`,
    )
    .action((certificate: string, key: string | undefined, options: { passwordFile?: string }, command: Command) => {
      const { certificatePem, keyPem } = readPair(certificate, key, options.passwordFile);
      const authority = importAuthority(configOf(command).certs, certificatePem, keyPem, new Date());
      process.stdout.write(`${describe(authority)}${RELOAD}\n`);
    });
}

function readPair(
  certificate: string,
  key: string | undefined,
  passwordFile: string | undefined,
): { certificatePem: string; keyPem: string } {
  if (['.p12', '.pfx'].includes(extname(certificate).toLowerCase())) {
    const password =
      passwordFile === undefined
        ? ''
        : read(passwordFile)
            .toString('utf8')
            .replace(/\r?\n$/, '');
    return readPkcs12(read(certificate), password);
  }
  if (key === undefined) throw new CommandError('a PEM certificate needs its key: sallyport ca import CERTIFICATE KEY');
  return { certificatePem: read(certificate).toString('utf8'), keyPem: read(key).toString('utf8') };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${errorCode(error)}`);
  }
}

function describe(authority: Authority): string {
  const { certificate } = authority;
  return `file         ${shortPath(authority.certificateFile)}
subject      ${certificate.subject.split('\n').join(', ')}
valid until  ${certificate.validTo}
sha-256      ${certificate.fingerprint256}
`;
}
