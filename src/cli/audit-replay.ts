import { join } from 'node:path';
import type { Command } from 'commander';
import { Search } from '../audit/search.ts';
import type { AuditEvent } from '../model/audit-event.ts';
import { auditFiles } from './audit-files.ts';
import { CommandError, EXIT } from './exit.ts';
import { GrowingFile } from './growing-file.ts';
import { configOf, withSettings } from './settings.ts';

/** `sallyport audit replay`: one exchange, step by step. */
export function addAuditReplay(audit: Command): void {
  withSettings(audit.command('replay'), ['state', 'rules'])
    .description(
      'show one exchange step by step: what was asked, which rule decided and which nearly did, findings, timing',
    )
    .argument('<exchange>', 'its id, as refusals and events say it')
    .option('--log <path>', 'folder of the log, or a segment; that of the gate by default')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport audit replay sallyport-1a2b3c4d-17\n\nWhat was decided then is as it was recorded. The rules that nearly decided and the limits come from the rules of then, which the gate keeps (the last ten); where it does not have them any more, from those of now, and that is said.',
    )
    .action(async (exchange: string, options: { log?: string }, command: Command) => {
      const { state, rules } = configOf(command);
      const events = eventsOf(exchange, options.log ?? join(state, 'audit'));
      // Rules take longer to load than everything else here.
      const { exchangeSteps } = await import('./exchange-steps.ts');
      const { GenerationStore } = await import('../proxy/generation-store.ts');
      const store = new GenerationStore(state);
      process.stdout.write(exchangeSteps(events, { now: rules, kept: (generation) => store.rootOf(generation) }));
    });
}

function eventsOf(exchange: string, path: string): AuditEvent[] {
  const { folder, lanes } = auditFiles(path);
  const search = new Search({ exchange });
  const events: AuditEvent[] = [];
  for (const name of [...lanes.values()].flat())
    for (const bytes of new GrowingFile(join(folder, name)).more())
      for (const { event } of search.in(bytes)) events.push(event);
  if (events.length === 0) throw new CommandError(`${path} has no event of an exchange ${exchange}`, EXIT.negative);
  return events;
}
