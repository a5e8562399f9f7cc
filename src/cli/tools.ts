import type { Command } from 'commander';
import { readTools, toolsFile, writeTools } from '../proxy/tool-registry.ts';
import { CommandError, EXIT } from './exit.ts';
import { configOf, withSettings } from './settings.ts';

/** `sallyport tools`: tools of MCP servers that are not what they were, and the word that they may be used as they are now. */
export function addTools(program: Command): void {
  const tools = program.command('tools').description('review tools of MCP servers that have changed');
  withSettings(tools.command('list'), ['state'])
    .description('print the tools that have changed since they were first seen')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport tools list\n\nExit codes: 0 none has changed, 1 some have, 2 wrong usage.',
    )
    .action((_options: object, command: Command) => {
      const { servers } = read(toolsFile(configOf(command).state));
      const changed = Object.entries(servers).flatMap(([server, own]) =>
        Object.entries(own).flatMap(([tool, { seen, changed: change }]) =>
          change === undefined ? [] : [`${server} ${tool}  first seen ${seen}, changed ${change.seen}`],
        ),
      );
      process.stdout.write(changed.length === 0 ? 'no tool has changed\n' : `${changed.join('\n')}\n`);
      process.exitCode = changed.length === 0 ? EXIT.ok : EXIT.negative;
    });
  withSettings(tools.command('ack'), ['state'])
    .description('acknowledge a tool as it is now; a running gate takes it up at once')
    .argument('<server>', 'the server, as scheme://host:port')
    .argument('<tool>', 'the tool')
    .addHelpText('after', '\nExample:\n  sallyport tools ack https://mcp.example.com:443 search')
    .action((server: string, tool: string, _options: object, command: Command) => {
      const path = toolsFile(configOf(command).state);
      const known = read(path);
      const own = known.servers[server] ?? {};
      const change = Object.hasOwn(own, tool) ? own[tool]?.changed : undefined;
      if (change === undefined)
        throw new CommandError(`no changed tool "${tool}" of ${server}; see "sallyport tools list"`);
      writeTools(path, { version: 1, servers: { ...known.servers, [server]: { ...own, [tool]: change } } });
      process.stdout.write(`acknowledged ${tool} of ${server}\n`);
    });
}

function read(path: string): ReturnType<typeof readTools> {
  try {
    return readTools(path);
  } catch (error) {
    throw new CommandError((error as Error).message);
  }
}
