import { readFileSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { errorCode } from '../model/error-code.ts';
import { MOST_PRINTS, documentsFile, readDocuments, writeDocuments } from '../proxy/document-store.ts';
import { scanKey } from '../proxy/scanners.ts';
import { BudgetExceeded } from '../scan/budget.ts';
import { FEWEST, type DocumentPrints } from '../scan/document-index.ts';
import { printsOfDocument } from '../scan/documents.ts';
import { compileEngine, type Engine } from '../scan/engine.ts';
import { CommandError } from './exit.ts';
import { filesBelow } from './files.ts';
import { progress } from './progress.ts';
import { configOf, withSettings } from './settings.ts';

const TAKEN_UP = 'A running gate takes it up within a second.';
/** Larger files are data, and no documents. */
const LARGEST = 256 * 1024 * 1024;

/** `sallyport documents`: texts of one's own of which no part must leave. Only keyed hashes of some shingles are kept. */
export function addDocuments(program: Command): void {
  const documents = program
    .command('documents')
    .description('fingerprint documents of your own: parts of them do not leave');
  withSettings(documents.command('add'), ['state'])
    .description('fingerprint a file, or all files of a folder; only keyed hashes are kept')
    .argument('<path>', 'file or folder')
    .addHelpText(
      'after',
      `\nExample:\n  sallyport documents add contracts/\n\nA document that was added before is replaced. ${TAKEN_UP}`,
    )
    .action((path: string, _options: object, command: Command) => addAll(path, configOf(command).state));
  withSettings(documents.command('list'), ['state'])
    .description('print what was added: names and sizes')
    .addHelpText('after', '\nExample:\n  sallyport documents list')
    .action((_options: object, command: Command) => {
      const lines = read(configOf(command).state).map(
        ({ name, added, prints }) => `${name}  ${prints.length} prints  ${added}\n`,
      );
      process.stdout.write(lines.length === 0 ? 'no document was added\n' : lines.join(''));
    });
  withSettings(documents.command('remove'), ['state'])
    .description('forget a document, or all of a folder')
    .argument('<name>', 'its name, or that of the folder it was added with')
    .addHelpText('after', `\nExample:\n  sallyport documents remove contracts/2026.md\n\n${TAKEN_UP}`)
    .action((name: string, _options: object, command: Command) => {
      const { state } = configOf(command);
      const all = read(state);
      const folder = `${name.replace(/\/+$/, '')}/`;
      const left = all.filter((each) => each.name !== name && !each.name.startsWith(folder));
      if (left.length === all.length)
        throw new CommandError(`no document was added as "${name}"; see "sallyport documents list"`);
      writeDocuments(documentsFile(state), left);
      process.stdout.write(`removed ${all.length - left.length} documents. ${TAKEN_UP}\n`);
    });
}

function addAll(path: string, state: string): void {
  const files = filesBelow(path);
  const key = scanKey(join(state, 'scan.key'));
  const engine = compileEngine([]);
  const added = new Date().toISOString();
  const root = resolve(path);
  const base = basename(root);
  const isFolder = statSync(root).isDirectory();
  const fresh = new Map<string, DocumentPrints>();
  for (const [index, file] of files.entries()) {
    progress(index, files.length, relative(root, file));
    const name = isFolder ? `${base}/${relative(root, resolve(file))}` : base;
    const prints = printsOf(file, name, key, engine);
    if (prints !== null) fresh.set(name, { name, added, prints });
  }
  progress(files.length, files.length, '');
  const all = [...read(state).filter(({ name }) => !fresh.has(name)), ...fresh.values()];
  const size = all.reduce((sum, { prints }) => sum + prints.length, 0);
  if (size > MOST_PRINTS)
    throw new CommandError(`${size} prints are more than the ${MOST_PRINTS} a gate keeps: add fewer documents`);
  writeDocuments(documentsFile(state), all);
  process.stdout.write(`added ${fresh.size} of ${files.length} files, ${size} prints in all. ${TAKEN_UP}\n`);
}

/** The prints of a file; null, with a line that says so, where there are none to speak of. */
function printsOf(file: string, name: string, key: Buffer, engine: Engine): Float64Array | null {
  const skip = (why: string): null => {
    process.stderr.write(`${name}: ${why}\n`);
    return null;
  };
  try {
    if (statSync(file).size > LARGEST) return skip('left out: too large for a document');
    const prints = printsOfDocument(readFileSync(file), key, engine);
    return prints.length < FEWEST ? skip('left out: too short to be told from other texts') : prints;
  } catch (error) {
    if (error instanceof BudgetExceeded) return skip('left out: too costly to read');
    return skip(`cannot be read: ${errorCode(error) ?? (error as Error).message}`);
  }
}

function read(state: string): readonly DocumentPrints[] {
  try {
    return readDocuments(documentsFile(state));
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}
