/** Exit codes of every command, as docs/reference/cli.md lists them. */
export const EXIT = { ok: 0, negative: 1, usage: 2, fault: 70 } as const;

/** Ends a command with one line and a code: for mistakes of the caller, never for faults. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly code: number;

  constructor(message: string, code: number = EXIT.usage) {
    super(message);
    this.code = code;
  }
}
