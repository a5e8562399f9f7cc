import type { Command } from 'commander';
import { inputJsonSchemaText } from '../decision-point/input.ts';
import { rulesJsonSchemaText } from '../policy/json-schema.ts';

/** `sallyport schema`: the JSON Schema of rule files, by which editors complete and check them. */
export function addSchema(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of rule files, for editors')
    .option('--input', 'print the one of what external policies are told instead')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport schema > rules.schema.json\n\nName it in the first line of a rule file:\n  # yaml-language-server: $schema=rules.schema.json',
    )
    .action(
      ({ input }: { input?: true }) =>
        void process.stdout.write(input === true ? inputJsonSchemaText() : rulesJsonSchemaText()),
    );
}
