import { z } from 'zod';
import { rulesFile } from './schema.ts';

/** Where the schema says it lives, for editors that keep several. */
const ID = 'urn:sallyport:rules:1';

/** The rules language as JSON Schema (2020-12), for editors: the same source that files are checked against. */
export function rulesJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(rulesFile, { unrepresentable: 'any', io: 'input' });
  return { $schema, $id: ID, title: 'Sallyport rules', ...rest };
}

/** The same as text, as it is committed and printed. */
export function rulesJsonSchemaText(): string {
  return `${JSON.stringify(rulesJsonSchema(), null, 2)}\n`;
}
