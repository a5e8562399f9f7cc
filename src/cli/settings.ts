import { Command, Option } from 'commander';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { Setting } from '../config/setting.ts';
import { SETTINGS, flagOf, variableOf } from '../config/settings.ts';

/** Adds `--config` and the flags of settings to a command. */
export function withSettings(command: Command, keys: readonly string[] | 'all'): Command {
  command.option('--config <file>', 'configuration file (SALLYPORT_CONFIG)');
  for (const setting of SETTINGS) {
    if (keys !== 'all' && !keys.includes(setting.key)) continue;
    const standard = setting.default === '' ? '' : ` (default: ${setting.default})`;
    const option = new Option(
      `${flagOf(setting)} <value>`,
      `${setting.describe} ${setting.form}${standard} [${variableOf(setting)}]`,
    );
    if (setting.many === true)
      option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
    command.addOption(option);
  }
  return command;
}

/** The configuration a command runs with: its flags over the environment over the file over the defaults. */
export function configOf(command: Command): Config {
  const options = command.opts<Record<string, string | string[] | undefined>>();
  const flags = new Map<string, readonly string[]>();
  for (const setting of SETTINGS) {
    const value = options[attributeOf(setting)];
    if (value !== undefined) flags.set(setting.key, [value].flat());
  }
  const file = (options['config'] as string | undefined) ?? process.env['SALLYPORT_CONFIG'] ?? null;
  return loadConfig({ file, environment: process.env, flags, workingFolder: process.cwd() });
}

function attributeOf(setting: Setting): string {
  return new Option(flagOf(setting)).attributeName();
}

/** The configuration's own words for a key may be used as a flag: `--listen.proxy` is `--listen-proxy`. */
export function dotsToDashes(argument: string): string {
  const match = /^--([a-z.-]+)(=.*)?$/.exec(argument);
  return match === null ? argument : `--${(match[1] ?? '').replaceAll('.', '-')}${match[2] ?? ''}`;
}
