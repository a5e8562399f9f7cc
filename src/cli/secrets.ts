import { randomBytes, randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readRegistry, registryFile, writeRegistry } from '../proxy/registry.ts';
import { scanKey } from '../proxy/scanners.ts';
import { LONGEST, SHORTEST, printsOf, type RegisteredValue } from '../scan/registered.ts';
import { CommandError } from './exit.ts';
import { configOf, withSettings } from './settings.ts';
import { errorCode } from '../model/error-code.ts';

const TAKEN_UP = 'A running gate takes it up within a second.';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

interface RegisterOptions {
  readonly name: string;
  readonly fromEnv?: string;
  readonly file?: string;
  readonly stdin?: true;
  readonly belongsTo?: string[];
}

/** `sallyport secrets`: values of one's own that must not leave. Only keyed hashes of them are kept. */
export function addSecrets(program: Command): void {
  const secrets = program.command('secrets').description('register values of your own that must not leave');
  withSettings(secrets.command('register'), ['state'])
    .description('register a value; only keyed hashes of it are kept')
    .requiredOption('--name <name>', 'what findings call it')
    .option('--from-env <variable>', 'the environment variable that holds it')
    .option('--file <file>', 'the file that holds it; a line break at its end is none of it')
    .option('--stdin', 'read it from standard input')
    .option('--belongs-to <host>', 'host it may be sent to in header fields and queries; may be repeated', collect)
    .addHelpText(
      'after',
      `\nExamples:\n  sallyport secrets register --name stripe --from-env STRIPE_KEY --belongs-to api.stripe.com\n  pass show db | sallyport secrets register --name db --stdin\n\n${TAKEN_UP}`,
    )
    .action((options: RegisterOptions, command: Command) => {
      const { state } = configOf(command);
      add(state, options.name, 'value', valueOf(options), options.belongsTo ?? []);
      process.stdout.write(`registered ${options.name}. ${TAKEN_UP}\n`);
    });
  withSettings(secrets.command('list'), ['state'])
    .description('print what is registered: names, never values')
    .addHelpText('after', '\nExample:\n  sallyport secrets list')
    .action((_options: object, command: Command) => {
      const values = read(configOf(command).state);
      const lines = values.map(({ name, kind, registered, belongsTo }) => {
        const home = belongsTo.length === 0 ? '' : `  belongs to ${belongsTo.join(', ')}`;
        return `${name}  ${kind}  ${registered}${home}\n`;
      });
      process.stdout.write(lines.length === 0 ? 'nothing is registered\n' : lines.join(''));
    });
  withSettings(secrets.command('remove'), ['state'])
    .description('forget a value, or a canary')
    .argument('<name>', 'its name')
    .addHelpText('after', `\nExample:\n  sallyport secrets remove stripe\n\n${TAKEN_UP}`)
    .action((name: string, _options: object, command: Command) => {
      const { state } = configOf(command);
      const values = read(state);
      if (!values.some((each) => each.name === name))
        throw new CommandError(`nothing is registered as "${name}"; see "sallyport secrets list"`);
      writeRegistry(
        registryFile(state),
        values.filter((each) => each.name !== name),
      );
      process.stdout.write(`removed ${name}. ${TAKEN_UP}\n`);
    });
}

const KINDS = ['aws', 'github', 'database'] as const;

/** `sallyport canary create`: a fake credential to plant where only thieves look. */
export function addCanary(program: Command): void {
  const canary = program
    .command('canary')
    .description('fake credentials to plant: whoever sends one is refused and reported');
  withSettings(canary.command('create'), ['state'])
    .description('make a plausible fake credential, register it and print it once')
    .option('--kind <kind>', `what it looks like: ${KINDS.join(', ')}`, 'aws')
    .option('--name <name>', 'what findings call it; default: made of its kind')
    .addHelpText(
      'after',
      `\nExample:\n  sallyport canary create --kind aws >> ~/.aws/credentials\n\nIts appearance in anything an agent sends, in any encoding, is refused in every mode, observe too.\n${TAKEN_UP}`,
    )
    .action((options: { kind: string; name?: string }, command: Command) => {
      const kind = KINDS.find((each) => each === options.kind);
      if (kind === undefined) throw new CommandError(`--kind: "${options.kind}" is none of ${KINDS.join(', ')}`);
      const { state } = configOf(command);
      const name = options.name ?? `${kind}-${randomBytes(3).toString('hex')}`;
      const { text, secret } = makeCanary(kind);
      add(state, name, 'canary', Buffer.from(secret), []);
      process.stdout.write(text);
      process.stderr.write(`planted as ${name}: put the lines above where only a thief would look. ${TAKEN_UP}\n`);
    });
}

function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text];
}

function valueOf({ fromEnv, file, stdin }: RegisterOptions): Buffer {
  if ([fromEnv, file, stdin].filter((each) => each !== undefined).length !== 1)
    throw new CommandError('say where the value is: one of --from-env, --file and --stdin');
  if (fromEnv !== undefined) {
    const value = process.env[fromEnv];
    if (value === undefined) throw new CommandError(`the environment variable ${fromEnv} is not set`);
    return Buffer.from(value);
  }
  const source = file ?? 0;
  try {
    return withoutLineBreak(readFileSync(source));
  } catch (error) {
    throw new CommandError(`${file ?? 'standard input'} cannot be read: ${errorCode(error)}`);
  }
}

function withoutLineBreak(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--;
  return bytes.subarray(0, end);
}

function add(
  state: string,
  name: string,
  kind: RegisteredValue['kind'],
  value: Buffer,
  belongsTo: readonly string[],
): void {
  if (!NAME.test(name))
    throw new CommandError(`--name: "${name}" is not 1 to 100 letters, digits, dots, dashes and underscores`);
  if (value.length < SHORTEST)
    throw new CommandError(
      `the value has ${value.length} bytes; one of less than ${SHORTEST} would be found by chance`,
    );
  if (value.length > LONGEST)
    throw new CommandError(`the value has more than ${LONGEST} bytes; fingerprint documents instead`);
  if (new Set(value).size < 5)
    throw new CommandError('the value has fewer than five different bytes: it would be found by chance');
  const values = read(state);
  if (values.some((each) => each.name === name))
    throw new CommandError(`"${name}" is registered already; remove it first: sallyport secrets remove ${name}`);
  const key = scanKey(join(state, 'scan.key'));
  const registered = new Date().toISOString();
  writeRegistry(registryFile(state), [...values, { name, kind, registered, belongsTo, prints: printsOf(value, key) }]);
}

function read(state: string): readonly RegisteredValue[] {
  try {
    return readRegistry(registryFile(state));
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}

function draw(alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** What is planted, and the part of it that gives the thief away. */
function makeCanary(kind: (typeof KINDS)[number]): { readonly text: string; readonly secret: string } {
  if (kind === 'aws') {
    const id = `AKIA${draw('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`;
    const secret = draw(`${LETTERS}0123456789+/`, 40);
    return { text: `[backup]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`, secret };
  }
  if (kind === 'github') {
    const secret = `ghp_${draw(`${LETTERS}0123456789`, 36)}`;
    return { text: `GITHUB_TOKEN=${secret}\n`, secret };
  }
  const secret = draw(`${LETTERS}0123456789`, 24);
  return { text: `DATABASE_URL=postgresql://backup:${secret}@db-replica-2.internal:5432/production\n`, secret };
}
