import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REASON_CODES } from '../../src/model/reason.ts';
import { EVENT_CLASSES } from '../../src/model/sink.ts';
import { SINK_SCHEMAS, parseSink } from '../../src/config/sinks.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { startGate } from '../support/gate.ts';
import { ROOT } from './sources.ts';

const read = (name: string): string => readFileSync(join(ROOT, 'docs/reference', name), 'utf8');

describe('reference pages', () => {
  it('have a paragraph for every reason, and invent none', () => {
    const headings = [...read('reasons.md').matchAll(/^### `([a-z-]+)`/gm)].map((match) => match[1]);
    expect([...headings].sort()).toEqual([...REASON_CODES].sort());
  });

  it('have a row for every metric of ours, and invent none', async () => {
    const gate = await startGate();
    const text = await (await fetch(`${gate.adminUrl}/metrics`)).text();
    await gate.close();
    const real = [...text.matchAll(/^# TYPE (sallyport_[a-z_]+) /gm)]
      .map((match) => match[1] ?? '')
      .filter((name) => !/^sallyport_(?:process|nodejs)_/.test(name));
    const documented = [...read('metrics.md').matchAll(/^\| `(sallyport_[a-z_]+)`/gm)].map((match) => match[1]);
    expect([...documented].sort()).toEqual([...real].sort());
  });

  it('are as generated: config, rules, cli', () => {
    const generated = JSON.parse(
      execFileSync(process.execPath, [join(ROOT, 'scripts/docs.js'), '--print'], { encoding: 'utf8' }),
    ) as Record<string, string>;
    expect(Object.keys(generated).sort()).toEqual([
      'cli.md',
      'config.md',
      'decision-input.schema.json',
      'detectors.md',
      'rules.md',
      'rules.schema.json',
    ]);
    for (const [name, text] of Object.entries(generated)) expect(read(name)).toBe(text);
  }, 60_000);

  it('show sinks that load, and name every key a sink file may have', () => {
    const text = read('sinks.md');
    const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, source = '']) => parseSink('/s/a.yaml', source));
    expect(new Set(examples.map(({ kind }) => kind))).toEqual(new Set(Object.keys(SINK_SCHEMAS)));
    const keys = new Set(Object.values(SINK_SCHEMAS).flatMap(({ shape }) => Object.keys(shape)));
    const unknown = [...keys].filter((key) => !new RegExp(`\`${key}\`|^${key}:`, 'm').test(text));
    expect(unknown).toEqual([]);
    for (const name of EVENT_CLASSES) expect(text).toContain(`\`${name}\``);
  });

  it('name every setting', () => {
    for (const setting of SETTINGS) expect(read('config.md')).toContain(`\`${setting.key}\``);
  });
});

describe('runbooks', () => {
  it('name commands that there are', () => {
    const known = new Set(
      [...read('cli.md').matchAll(/^## sallyport (.+)$/gm)].flatMap(([, words = '']) =>
        words.split(' ').map((_, at, all) => all.slice(0, at + 1).join(' ')),
      ),
    );
    const unknown = readdirSync(join(ROOT, 'docs/runbooks')).flatMap((name) => {
      const text = readFileSync(join(ROOT, 'docs/runbooks', name), 'utf8');
      return [...text.matchAll(/(?:^|`)sallyport ([a-z-]+(?: [a-z-]+)*)/gm)].flatMap(([, said = '']) => {
        const words = said.split(' ');
        const [first = '', second = ''] = words;
        const isGroup = [...known].some((each) => each.startsWith(`${first} `)) && !['halt'].includes(first);
        const command = isGroup && second !== '' ? `${first} ${second}` : first;
        return known.has(command) || (known.has(first) && first === 'kill') ? [] : [`${name}: sallyport ${said}`];
      });
    });
    expect(unknown).toEqual([]);
  });
});

describe('the repository', () => {
  it('holds no private key and no token', () => {
    const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
      .split('\0')
      .filter((name) => name !== '');
    const marker = ['-----BEGIN', '(?:EC |RSA )?PRIVATE KEY-----\\n[A-Za-z0-9+/]'].join(' ');
    const secrets = new RegExp(`${marker}|\\b(?:ghp|sk-ant|AKIA)[_-]?[A-Za-z0-9]{16,}`);
    expect(files.filter((name) => secrets.test(readFileSync(join(ROOT, name), 'utf8')))).toEqual([]);
  });

  it('ships a lockfile that names no registry host', () => {
    expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved"/);
  });
});
