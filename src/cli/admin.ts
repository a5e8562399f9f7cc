import type { Command } from 'commander';
import { AdminError, askGate } from '../control/client.ts';
import { readToken } from '../control/token.ts';
import { CommandError } from './exit.ts';
import { configOf } from './settings.ts';

/** Asks the gate that the settings of a command name, with the token in its state folder. Throws CommandError. */
export async function askAdmin(
  command: Command,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<unknown> {
  const { listen, state } = configOf(command);
  const token = tokenIn(state);
  try {
    return await askGate({ ...listen.admin, token }, method, path, body);
  } catch (error) {
    if (error instanceof AdminError) throw new CommandError(error.message);
    throw error;
  }
}

function tokenIn(state: string): string {
  try {
    return readToken(state);
  } catch (error) {
    throw new CommandError(`${(error as Error).message}; --state names the folder of the gate that is asked`);
  }
}
