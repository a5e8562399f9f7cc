import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { LineCounter, isAlias, isMap, isScalar, parseDocument, type Document, type Node, type Pair } from 'yaml';
import { fileProblem, problemAt, type Problem, type Range, type SourceText } from './problem.ts';
import { errorCode } from '../model/error-code.ts';

/** Bytes a rule file may have. */
export const MAX_FILE = 1024 * 1024;
/** Alias expansions in one file: enough for shared lists, far below a "billion laughs". */
const MAX_ALIASES = 1000;

/** A rule file as positions and as plain values. */
export interface Source extends SourceText {
  readonly document: Document.Parsed;
  readonly value: unknown;
}

export interface ReadResult {
  readonly sources: readonly Source[];
  readonly problems: readonly Problem[];
  /** SHA-256 over names and contents of all files: two gates with the same rules show the same generation. */
  readonly generation: string;
}

/** Reads every `*.yaml` and `*.yml` below a folder (or one file), in name order. */
export function readSources(root: string): ReadResult {
  const problems: Problem[] = [];
  const sources: Source[] = [];
  const hash = createHash('sha256');
  for (const file of listFiles(root, problems)) {
    try {
      const bytes = readFileSync(file);
      hash.update(`${file.slice(root.length)}\0${bytes.length}\0`).update(bytes);
      const source = parseSource(file, bytes, problems, join(basename(root), relative(root, file)));
      if (source !== null) sources.push(source);
    } catch (error) {
      problems.push(fileProblem(file, `cannot be read: ${errorCode(error)}`));
    }
  }
  return { sources, problems, generation: hash.digest('hex').slice(0, 16) };
}

/** Parses one file; what is wrong with it is added to `problems`. */
export function parseSource(file: string, bytes: Buffer, problems: Problem[], name: string = file): Source | null {
  if (bytes.length > MAX_FILE) {
    problems.push(
      fileProblem(file, `is larger than ${MAX_FILE} bytes`, 'split it: files below the rules folder are merged'),
    );
    return null;
  }
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    merge: false,
    uniqueKeys: true,
    prettyErrors: false,
  });
  const source = { file, name, text, lines, document };
  // A warning of the parser is a tag or directive it did not understand: nothing here honours those.
  for (const error of [...document.errors, ...document.warnings]) {
    problems.push(problemAt(source, error.pos, yamlMessage(error.code, error.message), { hint: yamlHint(error.code) }));
  }
  if (document.errors.length > 0 || document.warnings.length > 0) return null;
  try {
    return { ...source, value: document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown };
  } catch (error) {
    problems.push(
      fileProblem(
        file,
        `cannot be expanded: ${(error as Error).message}`,
        'write repeated parts out, or use a capability',
      ),
    );
    return null;
  }
}

/** The offsets of the value at a path of keys and indexes; of the nearest parent where it does not exist. */
export function rangeOf(source: Source, path: ReadonlyArray<PropertyKey>): Range {
  let node: unknown = source.document.contents;
  let range: Range = [0, 1];
  for (let depth = 0; ; depth++) {
    if (isAlias(node)) node = node.resolve(source.document);
    const own = (node as Node | null)?.range;
    if (own != null) range = [own[0], own[1]];
    if (depth === path.length) return range;
    node = childOf(node, path[depth] as PropertyKey);
    if (node === undefined) return range;
  }
}

/** The offsets of a key of the map at `path`. */
export function keyRangeOf(source: Source, path: ReadonlyArray<PropertyKey>, key: string): Range {
  let node: unknown = source.document.contents;
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(source.document);
    node = childOf(node, step);
  }
  if (isAlias(node)) node = node.resolve(source.document);
  const pair = isMap(node) ? pairOf(node.items, key) : undefined;
  const range = (pair?.key as Node | undefined)?.range;
  return range == null ? rangeOf(source, path) : [range[0], range[1]];
}

function childOf(node: unknown, step: PropertyKey): unknown {
  if (isMap(node)) return pairOf(node.items, String(step))?.value ?? undefined;
  const items = (node as { items?: unknown[] } | null)?.items;
  return typeof step === 'number' ? items?.[step] : undefined;
}

/** Keys of a map to its pairs, made once a map: files with thousands of agents are looked up by name, not searched. */
const pairIndexes = new WeakMap<readonly Pair[], Map<string, Pair>>();

function pairOf(items: readonly Pair[], key: string): Pair | undefined {
  let index = pairIndexes.get(items);
  if (index === undefined) {
    index = new Map(items.map((pair) => [String(isScalar(pair.key) ? pair.key.value : pair.key), pair]));
    pairIndexes.set(items, index);
  }
  return index.get(key);
}

/** Rule files below a folder, in name order; links to files are followed. */
export function listFiles(root: string, problems: Problem[]): string[] {
  try {
    if (statSync(root).isFile()) return [root];
    return readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.ya?ml$/.test(name) && !hidden(name))
      .map((name) => join(root, name))
      .filter((file) => statSync(file).isFile())
      .sort();
  } catch (error) {
    const code = errorCode(error);
    const what = code === 'ENOENT' ? 'does not exist' : `cannot be read: ${code}`;
    problems.push(fileProblem(root, `the rules folder ${what}`, 'name it with --rules'));
    return [];
  }
}

/** Editors' backups, `.git`, and the `..data` folders behind which Kubernetes keeps the files it links to. */
function hidden(name: string): boolean {
  return name.split('/').some((part) => part.startsWith('.'));
}

function yamlMessage(code: string, message: string): string {
  if (code === 'TAG_RESOLVE_FAILED') return 'YAML tags are not honoured in rules';
  if (code === 'DUPLICATE_KEY') return 'this key stands twice in the same map';
  return (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
}

function yamlHint(code: string): string | null {
  if (code === 'DUPLICATE_KEY') return 'remove one of the two, or merge them';
  if (code === 'TAB_AS_INDENT') return 'indent with spaces';
  if (code === 'TAG_RESOLVE_FAILED') return 'remove the tag; plain strings, numbers, lists and maps are all there is';
  if (code === 'BAD_ALIAS' || code === 'UNEXPECTED_TOKEN') return 'text that starts with * & ! % @ ` needs quotes';
  return null;
}
