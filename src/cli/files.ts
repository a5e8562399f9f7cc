import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../model/error-code.ts';
import { CommandError } from './exit.ts';

/** A file itself, or all files below a folder, in order; links are not followed. Throws CommandError. */
export function filesBelow(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch (error) {
    throw new CommandError(`${path} cannot be read: ${errorCode(error)}`);
  }
  const files: string[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const each = join(folder, name);
      const entry = lstatSync(each);
      if (entry.isDirectory()) walk(each);
      else if (entry.isFile()) files.push(each);
    }
  };
  walk(path);
  return files;
}
