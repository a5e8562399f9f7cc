import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

export type Log = Logger;

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
