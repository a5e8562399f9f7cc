import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import { loadConfig } from '../../src/config/load.ts';
import { startGate as start, type SoleGate } from '../../src/main.ts';
import type { AuditEvent, ExchangeEvent, OutcomeEvent } from '../../src/model/audit-event.ts';
import { until } from './until.ts';

/** The token of agent `bot` in tests. */
export const TOKEN = ['test', 'token', 'of', 'bot'].join('-');
export const TOKEN_HASH = `sha256:${createHash('sha256').update(TOKEN).digest('hex')}`;
export const BASIC = `Basic ${Buffer.from(`bot:${TOKEN}`).toString('base64')}`;

export interface TestGate {
  readonly gate: SoleGate;
  readonly port: number;
  readonly adminUrl: string;
  readonly folder: string;
  /** PEM of the gate's CA. */
  readonly ca: string;
  /** Audit events so far, the segment event left out. */
  events(): ExchangeEvent[];
  /** Waits until an outcome satisfies the test, and returns it. */
  outcome(test?: (event: OutcomeEvent) => boolean): Promise<OutcomeEvent>;
  auditText(): string;
  writeRules(files: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

export interface GateOptions {
  /** Rule files by name; `agents.yaml` with agent `bot` is made from `allow` and `deny` when left out. */
  readonly rules?: Readonly<Record<string, string>>;
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly mode?: string;
  /** Further lines of agent bot, indented by four. */
  readonly more?: string;
  readonly pins?: readonly string[];
  readonly upstreamCa?: string;
  readonly flags?: Readonly<Record<string, string | readonly string[]>>;
}

/** A real gate on free ports, with its own folders. */
export async function startGate(options: GateOptions = {}): Promise<TestGate> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  const writeRules = (files: Readonly<Record<string, string>>): void => {
    rmSync(join(folder, 'rules'), { recursive: true, force: true });
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, 'rules', name)), { recursive: true });
      writeFileSync(join(folder, 'rules', name), text);
    }
  };
  writeRules(options.rules ?? { 'agents.yaml': botRules(options) });
  if (options.upstreamCa !== undefined) writeFileSync(join(folder, 'upstream-ca.pem'), options.upstreamCa);
  const flags = new Map<string, readonly string[]>([
    ['listen.proxy', ['127.0.0.1:0']],
    ['listen.admin', ['127.0.0.1:0']],
    ['rules', ['rules']],
    ['drain', ['5s']],
    ['upstream.pins', options.pins ?? []],
    ...(options.upstreamCa === undefined ? [] : [['upstream.ca', ['upstream-ca.pem']] as const]),
    ...Object.entries(options.flags ?? {}).map(([key, value]) => [key, [value].flat()] as const),
  ]);
  const config = loadConfig({ file: null, environment: {}, flags, workingFolder: folder });
  const gate = await start(config, pino({ level: 'silent' }));
  const auditFolder = join(config.state, 'audit');
  const auditText = (): string =>
    readdirSync(auditFolder)
      .map((name) => readFileSync(join(auditFolder, name), 'utf8'))
      .join('');
  const events = (): ExchangeEvent[] =>
    auditText()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as AuditEvent)
      .filter((event) => event.kind === 'intent' || event.kind === 'outcome');
  return {
    gate,
    port: Number(gate.proxy.split(':').at(-1)),
    adminUrl: `http://${gate.admin}`,
    folder,
    ca: readFileSync(gate.caFile, 'utf8'),
    events,
    auditText,
    outcome: (test = () => true) =>
      until(
        () => events().find((event): event is OutcomeEvent => event.kind === 'outcome' && test(event)),
        'an audit outcome',
      ),
    writeRules,
    close: async () => {
      gate.close();
      rmSync(folder, { recursive: true, force: true });
      await Promise.resolve();
    },
  };
}

/** Rules with one agent, `bot`. */
export function botRules(options: GateOptions): string {
  const list = (key: string, items: readonly string[] | undefined): string =>
    items === undefined || items.length === 0
      ? ''
      : `    ${key}:\n${items.map((item) => `      - ${item.startsWith('{') ? item : JSON.stringify(item)}\n`).join('')}`;
  return `version: 1
agents:
  bot:
    identity: { token: "${TOKEN_HASH}" }
${options.mode === undefined ? '' : `    mode: ${options.mode}\n`}${list('allow', options.allow)}${list('deny', options.deny)}${options.more ?? ''}`;
}
