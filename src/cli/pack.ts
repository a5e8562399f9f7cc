import type { Command } from 'commander';
import { loadPolicy } from '../policy/load.ts';
import { parseOriginValue } from '../policy/parameters.ts';
import { didYouMean } from '../policy/suggest.ts';
import { CommandError } from './exit.ts';
import { configOf, withSettings } from './settings.ts';

/** `sallyport pack npm --registry URL`: the line that grants a package-registry pack for one registry. */
export function addPack(program: Command): void {
  withSettings(program.command('pack'), ['rules'])
    .description('print the line that grants a package-registry pack to an agent')
    .argument('<ecosystem>', 'npm, pypi, debian, go, crates, maven')
    .requiredOption('--registry <url>', 'the registry or mirror: a host, or a URL with a path prefix')
    .addHelpText('after', '\nExample:\n  sallyport pack npm --registry https://npm.mirror.example')
    .action((ecosystem: string, options: { registry: string }, command: Command) => {
      const { policy } = loadPolicy(configOf(command).rules);
      if (policy === null) throw new CommandError('the rules do not load; see "sallyport check"');
      const packs = [...policy.capabilities]
        .filter((name) => name.startsWith('packages.'))
        .map((name) => name.slice('packages.'.length));
      if (!packs.includes(ecosystem))
        throw new CommandError(`no pack "packages.${ecosystem}" in the rules; ${didYouMean(ecosystem, packs)}`);
      const registry = parseOriginValue(options.registry);
      if (registry === null)
        throw new CommandError(
          `"${options.registry}" is not a registry: write a host, or a URL without query or wildcards`,
        );
      process.stdout.write(`capabilities: [{ use: packages.${ecosystem}, with: { registry: ${registry} } }]\n`);
    });
}
