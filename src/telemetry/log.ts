import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

/** The log of a process, as the configuration says; `auto` is text for a person and JSON for everything else. */
export function openLog(level: string, format: 'auto' | 'json' | 'text'): Log {
  return makeLog({ level, format: format === 'auto' ? (process.stdout.isTTY ? 'text' : 'json') : format });
}

/** The operational log: JSON lines, or readable text for a person at a terminal. Secrets never reach it. */
export function makeLog(options: { level: string; format: 'json' | 'text' }): Log {
  const settings = { level: options.level, base: {}, timestamp: pino.stdTimeFunctions.isoTime };
  if (options.format === 'json') return pino(settings, pino.destination({ fd: 1, sync: true }));
  const stream = pretty({
    colorize: process.stdout.isTTY,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    sync: true,
  });
  return pino(settings, stream);
}
