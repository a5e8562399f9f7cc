import { createReadStream, existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { Option, type Command } from 'commander';
import { errorCode } from '../model/error-code.ts';
import type { DetectorSpec } from '../model/detector.ts';
import type { Finding } from '../model/finding.ts';
import { loadDetectors, loadPolicy } from '../policy/load.ts';
import { watchDocuments } from '../proxy/document-store.ts';
import { watchRegistry } from '../proxy/registry.ts';
import { scanKey } from '../proxy/scanners.ts';
import { BudgetExceeded } from '../scan/budget.ts';
import { compileEngine, warm, type Engine } from '../scan/engine.ts';
import { textReadersOf } from '../scan/readers/list.ts';
import { Scanner } from '../scan/scanner.ts';
import { formOf } from '../scan/text/answer-strings.ts';
import { AnswerText, type TextFinding } from '../scan/text/answer-text.ts';
import { extentOf } from '../scan/redact.ts';
import { placeInBody, placeInFields, placeInTarget } from '../scan/where.ts';
import { EXIT } from './exit.ts';
import { filesBelow } from './files.ts';
import { progress } from './progress.ts';
import { configOf, withSettings } from './settings.ts';

const DETECTORS = fileURLToPath(new URL('../../rules/detectors', import.meta.url));
/** Bytes kept of a file, to show where in it something stands. */
const KEPT = 4 * 1024 * 1024;
/** Characters shown on either side of a finding. */
const AROUND = 24;

interface ScanOptions {
  readonly as: 'url' | 'header' | 'body' | 'response';
  readonly type?: string;
  readonly time?: true;
  readonly json?: true;
}

/** `sallyport scan`: what the scanner finds in a file, a folder or standard input, and how. */
export function addScan(program: Command): void {
  withSettings(program.command('scan'), ['rules', 'state'])
    .description('show what the scanner finds in a file, a folder or standard input, and through which decoders')
    .argument('[path]', 'file or folder; "-" or nothing: standard input', '-')
    .addOption(
      new Option('--as <what>', 'what the bytes are').choices(['url', 'header', 'body', 'response']).default('body'),
    )
    .option('--type <media type>', 'media type of a body, to say in which member something was found')
    .option('--time', 'say how long it took, and what was read')
    .option('--json', 'one JSON object a finding')
    .addHelpText(
      'after',
      '\nExamples:\n  sallyport scan --time src/\n  echo $BODY | sallyport scan --type application/json\n\nThe text of a finding is masked. Exit codes: 0 nothing was found, 1 something was, 2 wrong usage.',
    )
    .action(async (path: string, options: ScanOptions, command: Command) => {
      const scan = new Scan(enginesOf(command), options);
      const files = path === '-' ? null : filesBelow(path);
      if (files === null) await scan.stream('-', process.stdin);
      else await scan.files(files, path);
      scan.report();
      process.exitCode = scan.found > 0 ? EXIT.negative : EXIT.ok;
    });
}

/** What looks through bytes, and through what a text says: what ships, what the rules have, and what is registered. */
interface Engines {
  readonly bytes: Engine;
  readonly text: Engine;
}

function enginesOf(command: Command): Engines {
  const { rules, state } = configOf(command);
  const own = existsSync(rules) ? loadPolicy(rules).policy?.detectors : [];
  if (own === undefined) process.stderr.write(`the rules in ${rules} do not load: their detectors are left out\n`);
  const key = existsSync(join(state, 'scan.key')) ? scanKey(join(state, 'scan.key')) : Buffer.alloc(32, 1);
  const registry = watchRegistry(state, key, () => undefined);
  const documents = watchDocuments(state, key, () => undefined);
  registry.close();
  documents.close();
  const all = [...loadDetectors(DETECTORS), ...(own ?? [])];
  const ofText = ({ family }: DetectorSpec): boolean => family === 'injected-instructions';
  const bytes = compileEngine(
    all.filter((each) => !ofText(each)),
    registry,
    documents,
  );
  const text = compileEngine(all.filter(ofText));
  for (const engine of [bytes, text]) warm(engine);
  return { bytes, text };
}

class Scan {
  readonly #engines: Engines;
  readonly #options: ScanOptions;
  #scanner: Scanner;
  found = 0;
  #bytes = 0;
  #milliseconds = 0;
  #failed = 0;
  readonly #worked = new Map<string, number>();

  constructor(engines: Engines, options: ScanOptions) {
    this.#engines = engines;
    this.#options = options;
    this.#scanner = this.#fresh();
  }

  #fresh(): Scanner {
    return new Scanner(this.#engines.bytes, Buffer.alloc(32, 1));
  }

  async files(paths: readonly string[], root: string): Promise<void> {
    for (const [index, path] of paths.entries()) {
      progress(index, paths.length, relative(root, path));
      try {
        await this.stream(path, createReadStream(path, { highWaterMark: 256 * 1024 }));
      } catch (error) {
        if (error instanceof BudgetExceeded) throw error;
        this.#failed++;
        process.stderr.write(`${path}: ${errorCode(error) ?? (error as Error).message}\n`);
      }
    }
    progress(paths.length, paths.length, '');
  }

  async stream(name: string, source: AsyncIterable<Buffer | string>): Promise<void> {
    const findings: Finding[] = [];
    const kept: Buffer[] = [];
    let size = 0;
    const text = this.#textOf(name);
    const said: TextFinding[] = [];
    try {
      for await (const piece of source) {
        const bytes = typeof piece === 'string' ? Buffer.from(piece) : piece;
        if (size < KEPT) kept.push(bytes);
        size += bytes.length;
        findings.push(...this.#timed(() => this.#scanner.push(bytes)));
        if (text !== null) said.push(...this.#timed(() => text.push(bytes)));
      }
      findings.push(...this.#timed(() => this.#scanner.end()));
      if (text !== null) said.push(...this.#timed(() => text.end()));
    } catch (error) {
      if (!(error instanceof BudgetExceeded)) throw error;
      this.#add();
      this.#scanner = this.#fresh();
      process.stdout.write(`${name}  ${styleText('red', 'scan-budget')}  ${error.message}\n`);
      this.found++;
    }
    this.#bytes += size;
    this.#show(name, findings, Buffer.concat(kept));
    for (const each of said) this.#tell(name, each);
  }

  /** What reads what an answer says; null: it is none. */
  #textOf(name: string): AnswerText | null {
    const { as, type } = this.#options;
    if (as !== 'response') return null;
    const form = formOf(type ?? (name.endsWith('.json') ? 'application/json' : null));
    const take = (): Scanner => new Scanner(this.#engines.text, Buffer.alloc(32, 1), textReadersOf);
    return new AnswerText(form, { take, give: () => undefined, screen: null }, true);
  }

  /** Instructions are no secrets: they are shown as they are. */
  #tell(name: string, finding: TextFinding): void {
    const where = finding.hidden ? 'hidden text' : 'text';
    const { excerpt, ...rest } = finding;
    this.#line(name, where, rest);
    if (this.#options.json !== true && excerpt !== null) process.stdout.write(`    ${printable(excerpt)}\n`);
  }

  #line(name: string, where: string, finding: Finding): void {
    this.found++;
    if (this.#options.json === true) {
      process.stdout.write(`${JSON.stringify({ file: name, where, ...finding })}\n`);
      return;
    }
    const { severity, via, family, detector } = finding;
    const through = via.length === 0 ? '' : `  through ${via.join(' > ')}`;
    const mark = styleText(severity === 'low' ? 'dim' : severity === 'medium' ? 'yellow' : 'red', severity);
    process.stdout.write(`${name}  ${where}  ${mark}  ${family}  ${styleText('bold', detector)}${through}\n`);
  }

  #timed<F extends Finding>(step: () => readonly F[]): readonly F[] {
    const began = performance.now();
    const findings = step();
    this.#milliseconds += performance.now() - began;
    return findings;
  }

  #show(name: string, findings: readonly Finding[], kept: Buffer): void {
    const inOrder = [...findings].sort((a, b) => a.offset - b.offset);
    const blank = blanked(kept, findings);
    for (const finding of inOrder) {
      this.#line(name, this.#where(finding, kept), finding);
      const shown = this.#options.json === true ? null : masked(blank, finding);
      if (shown !== null) process.stdout.write(`    ${shown}\n`);
    }
  }

  #where({ offset }: Finding, kept: Buffer): string {
    const { as, type } = this.#options;
    if (offset >= kept.length) return `byte ${offset}`;
    if (as === 'url') return placeInTarget(kept.toString('latin1').trim(), offset);
    if (as === 'header') return placeInFields(`\r\n${kept.toString('latin1')}`, offset + 2);
    return placeInBody(kept, offset, type ?? null).replace(' of the body', '');
  }

  #add(): void {
    for (const [via, bytes] of this.#scanner.worked) this.#worked.set(via, (this.#worked.get(via) ?? 0) + bytes);
  }

  /** Says what it took, where that was asked for. */
  report(): void {
    if (this.#options.time !== true) return;
    this.#add();
    const rate = this.#milliseconds === 0 ? 0 : this.#bytes / 1000 / this.#milliseconds;
    const lines = [`${this.#bytes} bytes in ${this.#milliseconds.toFixed(1)} ms (${rate.toFixed(0)} MB/s)`];
    const byBytes = [...this.#worked].filter(([, bytes]) => bytes > 0).sort((a, b) => b[1] - a[1]);
    for (const [via, bytes] of byBytes.slice(0, 12)) lines.push(`${String(bytes).padStart(12)} bytes read ${via}`);
    if (this.#failed > 0) lines.push(`${this.#failed} files could not be read`);
    process.stderr.write(`${lines.join('\n')}\n`);
  }
}

/** The bytes with everything that was found in asterisks, but for its first characters. */
function blanked(bytes: Buffer, findings: readonly Finding[]): Buffer {
  const blank = Buffer.from(bytes);
  for (const finding of findings) {
    const { from, to } = extentOf(bytes, finding);
    blank.fill(
      '*',
      finding.via.length === 0 ? Math.min(to, from + Math.min(4, Math.floor((to - from) / 4))) : from,
      to,
    );
  }
  return blank;
}

/** Nothing that would steer a terminal. */
function printable(text: string): string {
  return text.slice(0, 160).replace(/[^\x20-\x7e]/g, '·');
}

/** The surroundings of a finding; null where they are not at hand. */
function masked(blank: Buffer, finding: Finding): string | null {
  if (finding.offset + finding.length > blank.length) return null;
  const { from, to } = extentOf(blank, finding);
  const text = blank.subarray(Math.max(0, from - AROUND), to + AROUND).toString('latin1');
  return text.replace(/\*{13,}/g, '************').replace(/[^\x20-\x7e]/g, '·');
}
