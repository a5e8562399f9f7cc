import { join } from 'node:path';
import type { Command } from 'commander';
import type { SinkEvent } from '../model/audit-event.ts';
import type { Sink } from '../model/sink.ts';
import type { Config } from '../config/config.ts';
import { loadSinks } from '../config/load.ts';
import { CommandError, EXIT } from './exit.ts';
import { configOf, withSettings } from './settings.ts';

/** `sallyport audit sinks`: where events are sent, how far each has come, and whether it can be reached. */
export function addSinks(audit: Command): void {
  withSettings(audit.command('sinks'), ['state', 'audit.sinks'])
    .description('list the sinks, and how far behind the log each is; or send each a test event')
    .argument('[name...]', 'only these')
    .option('--test', 'send an event of kind "sink", action "tested", by the same way as all others')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport audit sinks --audit-sinks sinks\n  sallyport audit sinks soc --test\n\nExit codes: 0 all is well, 1 a test did not arrive, 2 a sink file is wrong.',
    )
    .action(async (names: readonly string[], { test }: { test?: true }, command: Command) => {
      const config = configOf(command);
      const sinks = wanted(config, names);
      if (test === true) await testAll(sinks);
      else await list(sinks, config);
    });
}

function wanted({ audit }: Config, names: readonly string[]): readonly Sink[] {
  const sinks = loadSinks(audit.sinks);
  if (sinks.length === 0) throw new CommandError('there are no sinks: name their folder with --audit-sinks');
  for (const name of names)
    if (!sinks.some((sink) => sink.name === name))
      throw new CommandError(`there is no sink "${name}"; there are ${sinks.map((sink) => sink.name).join(', ')}`);
  return names.length === 0 ? sinks : sinks.filter(({ name }) => names.includes(name));
}

async function list(sinks: readonly Sink[], { state }: Config): Promise<void> {
  const { PlaceFile } = await import('../audit/delivery/sinks/place-file.ts');
  const { Follower } = await import('../audit/delivery/sinks/follower.ts');
  const rows = sinks.map((sink) => {
    const place = new PlaceFile(join(state, 'sinks'), sink.name).read();
    const behind = place === null ? null : new Follower(join(state, 'audit'), place).behind;
    return [sink.name, kindOf(sink), behindText(behind), sink.events.join(',')];
  });
  const all = [['SINK', 'KIND', 'BEHIND', 'EVENTS'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  for (const row of all)
    process.stdout.write(
      `${row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    );
}

function kindOf(sink: Sink): string {
  return sink.kind === 'webhook' && sink.shape !== 'events' ? sink.shape : sink.kind;
}

function behindText(bytes: number | null): string {
  if (bytes === null) return 'not begun';
  if (bytes === 0) return 'nothing';
  return bytes < 1024 ** 2 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

async function testAll(sinks: readonly Sink[]): Promise<void> {
  const { sendTo } = await import('../audit/delivery/sinks/open-sink.ts');
  const { VERSION } = await import('../version.ts');
  let failed = 0;
  for (const sink of sinks) {
    const event: SinkEvent = {
      action: 'tested',
      detail: 'somebody asks whether this arrives',
      kind: 'sink',
      sink: sink.name,
      time: new Date().toISOString(),
    };
    try {
      await sendTo(sink, event, { version: VERSION, clock: Date.now });
      process.stdout.write(`${sink.name}: the receiver has taken a test event\n`);
    } catch (error) {
      failed++;
      process.stdout.write(`${sink.name}: ${(error as Error).message}\n`);
    }
  }
  if (failed > 0) throw new CommandError(`${failed} of ${sinks.length} test events did not arrive`, EXIT.negative);
}
