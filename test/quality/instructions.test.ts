import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadDetectors } from '../../src/policy/load.ts';
import { compileEngine, warm } from '../../src/scan/engine.ts';
import { textReadersOf } from '../../src/scan/readers/list.ts';
import { Scanner } from '../../src/scan/scanner.ts';
import type { Form } from '../../src/scan/text/answer-strings.ts';
import type { TextFinding } from '../../src/scan/text/answer-text.ts';
import { Screen } from '../../src/scan/text/screen.ts';
import { ScreenedText } from '../../src/scan/text/screened-text.ts';
import { randomOf } from '../support/samples.ts';
import { corpus } from './corpus.ts';

const SHARE = 0.998;
/** Files that hold what is looked for: source that matches invisible characters, and marks of chat templates in docs of an API. */
const KNOWN = /prettier\/plugins\/yaml|openai\/(?:src\/)?resources\/completions/;

const detectors = loadDetectors('rules/detectors').filter(({ family }) => family === 'injected-instructions');
const engine = compileEngine(detectors);
warm(engine);
const idle: Scanner[] = [];
const source = {
  take: () => idle.pop() ?? new Scanner(engine, Buffer.alloc(32, 1), textReadersOf),
  give: (scanner: Scanner) => void idle.push(scanner),
  screen: Screen.of(detectors),
};

const SENTENCES = ['scanning', 'limits', 'workers', 'sessions', 'quarantine', 'rollout']
  .flatMap((name) => readFileSync(`docs/reference/${name}.md`, 'utf8').split(/\n\n/))
  .map((text) => text.trim())
  .filter((text) => /^[A-Z][^]*\.$/.test(text) && !text.includes('`') && text.length > 80);

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
const pieces = (text: string): string[] => text.match(/[^]{1,5}/gu) ?? [];

/** How an instruction comes to an agent, in a text around it. */
const WAYS: ReadonlyArray<readonly [string, Form, (text: string, around: string) => string]> = [
  ['alone', 'text', (text) => text],
  ['behind a text', 'text', (text, around) => `${around}\n\n${text}\n`],
  ['before a text', 'text', (text, around) => `${text}\n\n${around}`],
  ['within a paragraph', 'text', (text, around) => `${around} ${text.trim()} ${around}`],
  ['an item of a list', 'text', (text, around) => `${around}\n\n- one\n- ${text.trim()}\n- three\n`],
  ['in bold', 'text', (text, around) => `${around}\n\n**${text.trim()}**\n`],
  ['a heading', 'text', (text, around) => `${around}\n\n## ${text.trim()}\n`],
  [
    'a paragraph of a page',
    'text',
    (text, around) => `<html><body><p>${around}</p><p>${escaped(text)}</p></body></html>`,
  ],
  [
    'a comment of a page',
    'text',
    (text, around) => `<p>${around}</p><!-- ${text.replaceAll('--', '')} --><p>${around}</p>`,
  ],
  ['hidden on a page', 'text', (text, around) => `<p>${around}</p><div style="display:none">${escaped(text)}</div>`],
  ['an attribute', 'text', (text, around) => `<p>${around}</p><img src="a.png" alt="${escaped(text)}">`],
  ['a comment in code', 'text', (text) => `function add(a, b) {\n  // ${text.trim()}\n  return a + b;\n}\n`],
  ['JSON', 'json', (text, around) => JSON.stringify({ id: 1, title: around, body: text })],
  ['JSON in JSON', 'json', (text, around) => JSON.stringify({ text: JSON.stringify({ title: around, body: text }) })],
  [
    'a result of a tool',
    'json',
    (text, around) =>
      JSON.stringify({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: `${around}\n\n${text}` }] } }),
  ],
  [
    'a description of a tool',
    'json',
    (text) => JSON.stringify({ result: { tools: [{ name: 'add', description: `Adds two numbers.\n${text}` }] } }),
  ],
  [
    'deltas',
    'events',
    (text, around) =>
      pieces(`${around}\n\n${text}`)
        .map((content) => event({ choices: [{ index: 0, delta: { content } }] }))
        .join(''),
  ],
  [
    'arguments in deltas',
    'events',
    (text) =>
      pieces(JSON.stringify({ note: text }))
        .map((partial_json) =>
          event({ type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json } }),
        )
        .join(''),
  ],
  ['lines of JSON', 'lines', (text, around) => `${JSON.stringify({ a: around })}\n${JSON.stringify({ b: text })}\n`],
];

function read(form: Form, text: Buffer): readonly TextFinding[] {
  const answer = new ScreenedText(form, source);
  const found: TextFinding[] = [];
  for (let at = 0; at < text.length; at += 65_536) found.push(...answer.push(text.subarray(at, at + 65_536)));
  return [...found, ...answer.end()];
}

function say(line: string): void {
  const { QUALITY_REPORT: file } = process.env;
  if (file !== undefined) appendFileSync(file, `${line}\n`);
}

describe('quality of what is found in answers', () => {
  it('finds every sample in whichever way it comes', () => {
    const missed = new Map<string, number>();
    let all = 0;
    let found = 0;
    const random = randomOf(7);
    for (const { name } of detectors) {
      // How characters nobody sees come is what they are.
      if (name === 'smuggled-text' || name === 'invisible-characters' || name === 'chat-template-mark') continue;
      const folder = `test/fixtures/detectors/${name}`;
      for (const file of readdirSync(folder).filter((each) => each.startsWith('hit.'))) {
        const sample = readFileSync(`${folder}/${file}`, 'utf8').trim();
        if (sample.includes('<')) continue;
        const sentence = sample.split(/\n\n/).at(-1) as string;
        for (const [way, form, make] of WAYS)
          for (let round = 0; round < 5; round++) {
            const around = SENTENCES[Math.floor(random() * SENTENCES.length)] as string;
            all++;
            if (read(form, Buffer.from(make(sentence, around))).some(({ detector }) => detector === name)) found++;
            else missed.set(`${name} ${way}`, (missed.get(`${name} ${way}`) ?? 0) + 1);
          }
      }
    }
    say(`instructions: ${((100 * found) / all).toFixed(2)} % of ${all} found`);
    for (const [what, count] of missed) say(`  missed ${count} × ${what}`);
    expect(found / all).toBeGreaterThanOrEqual(SHARE);
  });

  it('tells nobody of what is harmless', () => {
    const told: string[] = [];
    let bytes = 0;
    let time = 0;
    for (const { name, bytes: content } of corpus()) {
      if (content.subarray(0, 4096).includes(0) || /\.pdf(?:\.gz)?$/.test(name)) continue;
      bytes += content.length;
      const began = performance.now();
      const form = name.endsWith('.json') ? 'json' : 'text';
      for (const { detector, severity } of read(form, content))
        if (severity !== 'low' && !KNOWN.test(name)) told.push(`${detector} in ${name}`);
      time += performance.now() - began;
    }
    say(`answers: ${told.length} findings in ${(bytes / 1e6).toFixed(0)} MB, ${(bytes / 1e3 / time).toFixed(0)} MB/s`);
    for (const each of told.slice(0, 50)) say(`  ${each}`);
    // One in a hundred megabytes is somebody who does tell somebody not to tell.
    expect(told.length).toBeLessThanOrEqual(Math.ceil(bytes / 100e6));
  });
});
